"""Filters of the list of portfolios."""

import django_filters as filters

from core.api.filters import CommaSeparatedChoiceFilter
from portfolios.models import Status


class PortfolioFilter(filters.FilterSet):
    created_by = filters.CharFilter()
    status = CommaSeparatedChoiceFilter(Status.values)
