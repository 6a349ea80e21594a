"""What lists of arbitrations and delegations can be narrowed by."""

import django_filters as filters

from core.api.filters import CommaSeparatedChoiceFilter
from governance.models import Arbitration, Delegation, Status


class ArbitrationFilter(filters.FilterSet):
    status = CommaSeparatedChoiceFilter(
        Status.values,
        help_text="As it is marked; one whose time is over is marked expired by this very request, unless it is just being changed.",
    )

    class Meta:
        model = Arbitration
        fields: list[str] = []


class DelegationFilter(filters.FilterSet):
    delegate = filters.CharFilter()
    delegator = filters.CharFilter()

    class Meta:
        model = Delegation
        fields: list[str] = []
