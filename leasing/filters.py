"""What lists of leases can be narrowed by."""

import django_filters as filters

from config.filters import StatusFilter
from leasing.models import Lease, Status, as_of


class IntentLeaseFilter(filters.FilterSet):
    status = StatusFilter(Status.values, as_of)

    class Meta:
        model = Lease
        fields: list[str] = []


class LeaseFilter(IntentLeaseFilter):
    agent_id = filters.CharFilter()
