"""What lists of arbitrations and delegations can be narrowed by."""

from typing import Any

import django_filters as filters
from django.db.models import Q, QuerySet

from config.db import clock
from config.filters import ChoicesFilter
from governance.models import Arbitration, Delegation, Status, as_of


class ArbitrationFilter(filters.FilterSet):
    status = ChoicesFilter(Status.values, method="with_status", help_text="As of now: one that has run out is expired.")

    class Meta:
        model = Arbitration
        fields: list[str] = []

    def with_status(self, queryset: QuerySet[Any], name: str, statuses: list[str]) -> QuerySet[Any]:
        now = clock()
        wanted = Q(pk__in=[])
        for status in statuses:
            wanted |= as_of(status, now)
        return queryset.filter(wanted)


class DelegationFilter(filters.FilterSet):
    delegate = filters.CharFilter()
    delegator = filters.CharFilter()

    class Meta:
        model = Delegation
        fields: list[str] = []
