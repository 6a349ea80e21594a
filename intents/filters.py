"""Filters of lists of intents and events."""

import re

import django_filters as filters
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from core.api.fields import StrictDateTimeField
from core.api.filters import (
    MAX_COUNTER,
    CommaSeparatedChoiceFilter,
    CommaSeparatedFilter,
    CounterFilter,
    IdFilter,
    SearchFilter,
    SinceFilter,
)
from core.api.serializers import reject_unknown_parameters
from core.errors import Invalid
from intents import topics
from intents.brief import DEFAULT_CHARS, MAX_CHARS, MIN_CHARS, Since
from intents.models import Event, Status
from intents.search import INTENTS

BRIEF_PARAMETERS = [
    OpenApiParameter(
        "max_chars",
        {"type": "integer", "minimum": MIN_CHARS, "maximum": MAX_CHARS, "default": DEFAULT_CHARS},
        description="Length of `text` at most.",
    ),
    OpenApiParameter(
        "since",
        {"anyOf": [CounterFilter.json_schema, SinceFilter.json_schema]},
        description="A `sequence` or a time: leaves out what is older, but for the goal, the status, open questions and leases.",
    ),
]


def brief_parameters(request: Request) -> tuple[int, Since | None]:
    """Return `max_chars` and `since` of a brief. Raise Invalid if a parameter is."""
    reject_unknown_parameters(request, [each.name for each in BRIEF_PARAMETERS])
    length = request.query_params.get("max_chars", str(DEFAULT_CHARS))
    if not re.fullmatch("[0-9]{1,6}", length) or not MIN_CHARS <= int(length) <= MAX_CHARS:
        raise Invalid.field("max_chars", f"must be a whole number from {MIN_CHARS} to {MAX_CHARS}")
    since = request.query_params.get("since")
    if since is None:
        return int(length), None
    if re.fullmatch("[0-9]{1,19}", since) and int(since) <= MAX_COUNTER:
        return int(length), int(since)
    try:
        return int(length), StrictDateTimeField().run_validation(since)
    except ValidationError:
        raise Invalid.field("since", "must be a sequence or a time like 2026-01-31T12:00:00Z") from None


class IntentFilter(filters.FilterSet):
    status = CommaSeparatedChoiceFilter(Status.values)
    created_by = filters.CharFilter()
    agent_id = filters.CharFilter(field_name="assignments__agent_id", help_text="Assigned to this agent.")
    parent_intent_id = IdFilter()
    q = SearchFilter(
        INTENTS,
        help_text="Words of the title or description: all of them, each by its beginning, in any case. Or the beginning of the id.",
    )
    updated_since = SinceFilter(field_name="updated_at")


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
