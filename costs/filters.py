"""Filters of lists of costs."""

from typing import Any

import django_filters as filters
from django.db.models import QuerySet

from core.api.filters import SinceFilter
from costs.amounts import normalize_unit


class CostFilter(filters.FilterSet):
    agent_id = filters.CharFilter()
    cost_type = filters.CharFilter()
    unit = filters.CharFilter(method="filter_unit")
    since = SinceFilter(field_name="recorded_at")

    def filter_unit(self, queryset: QuerySet[Any], name: str, unit: str) -> QuerySet[Any]:
        return queryset.filter(unit=normalize_unit(unit))
