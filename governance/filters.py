"""Filters of lists of arbitrations, permits and delegations."""

import django_filters as filters

from core.api.filters import CommaSeparatedChoiceFilter
from governance.models import PermitStatus, Status


class ArbitrationFilter(filters.FilterSet):
    status = CommaSeparatedChoiceFilter(
        Status.values,
        help_text="Overdue arbitrations are first marked expired, unless a write to their intent is in progress.",
    )
    assignee = filters.CharFilter(help_text="A person, like user:grace.")


class PermitFilter(filters.FilterSet):
    status = CommaSeparatedChoiceFilter(
        PermitStatus.values,
        help_text="Permits that have ended are first marked so, unless a write to their intent is in progress.",
    )


class DelegationFilter(filters.FilterSet):
    delegate = filters.CharFilter()
    delegator = filters.CharFilter()
