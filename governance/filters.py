"""What lists of arbitrations and delegations can be narrowed by."""

import django_filters as filters

from config.filters import StatusFilter
from governance.models import Arbitration, Delegation, Status, as_of


class ArbitrationFilter(filters.FilterSet):
    status = StatusFilter(Status.values, as_of)

    class Meta:
        model = Arbitration
        fields: list[str] = []


class DelegationFilter(filters.FilterSet):
    delegate = filters.CharFilter()
    delegator = filters.CharFilter()

    class Meta:
        model = Delegation
        fields: list[str] = []
