"""Filters of lists of intents and events."""

import django_filters as filters
from django.db.models import Q, QuerySet

from core.api.filters import CommaSeparatedChoiceFilter, CommaSeparatedFilter, CounterFilter, IdFilter, SinceFilter
from intents import topics
from intents.models import Event, Intent, Status


class IntentFilter(filters.FilterSet):
    status = CommaSeparatedChoiceFilter(Status.values)
    created_by = filters.CharFilter()
    agent_id = filters.CharFilter(field_name="assignments__agent_id", help_text="Assigned to this agent.")
    parent_intent_id = IdFilter()
    q = filters.CharFilter(method="search", help_text="Text in the title or description.")
    updated_since = SinceFilter(field_name="updated_at")

    def search(self, queryset: QuerySet[Intent], name: str, value: str) -> QuerySet[Intent]:
        return queryset.filter(Q(title__icontains=value) | Q(description__icontains=value))


class _EventFilter(filters.FilterSet):
    event_type = CommaSeparatedFilter(lookup_expr="in", help_text="One or more types, separated by commas.")
    actor = filters.CharFilter()
    since = SinceFilter(field_name="created_at")


class IntentEventFilter(_EventFilter):
    after = CounterFilter(field_name="sequence", lookup_expr="gt", help_text="Events after this sequence.")


class EventFilter(_EventFilter):
    after = CounterFilter(field_name="position", lookup_expr="gt", help_text="Events after this position.")
    trace_id = filters.CharFilter()
    portfolio_id = IdFilter(
        method="filter_portfolio", help_text="Events of the portfolio, and of its members during their membership."
    )
    agent_id = filters.CharFilter(method="filter_agent", help_text="Events of intents during their assignment to the agent.")

    def filter_portfolio(self, queryset: QuerySet[Event], name: str, value: str) -> QuerySet[Event]:
        return queryset.filter(topics.match_events([topics.for_portfolio(value.lower())]))

    def filter_agent(self, queryset: QuerySet[Event], name: str, value: str) -> QuerySet[Event]:
        return queryset.filter(topics.match_events([topics.for_agent(value)]))
