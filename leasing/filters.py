"""Filters of lists of leases."""

import django_filters as filters

from core.api.filters import CommaSeparatedChoiceFilter
from leasing.models import Status


class IntentLeaseFilter(filters.FilterSet):
    status = CommaSeparatedChoiceFilter(
        Status.values,
        help_text="Overdue leases are first marked expired, unless a write to their intent is in progress.",
    )


class LeaseFilter(IntentLeaseFilter):
    agent_id = filters.CharFilter()
