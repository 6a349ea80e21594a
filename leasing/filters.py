"""What lists of leases can be narrowed by."""

import django_filters as filters

from core.api.filters import CommaSeparatedChoiceFilter
from leasing.models import Lease, Status


class IntentLeaseFilter(filters.FilterSet):
    status = CommaSeparatedChoiceFilter(
        Status.values,
        help_text="As it is marked; one whose time is over is marked expired by this very request, unless it is just being changed.",
    )

    class Meta:
        model = Lease
        fields: list[str] = []


class LeaseFilter(IntentLeaseFilter):
    agent_id = filters.CharFilter()
