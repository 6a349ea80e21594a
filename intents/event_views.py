"""Endpoints of events (RFC-0001 "Events")."""

from typing import Any
from uuid import UUID

from django.db.models import Q
from rest_framework.decorators import action
from rest_framework.request import Request

from access.identity import get_actor
from core.api.pagination import OffsetPagination, decode_cursor, encode_cursor, parse_counter
from core.api.responses import Response
from core.api.views import ApiViewSet
from core.errors import Invalid
from core.openapi import operation
from intents import positions, services
from intents.errors import IntentNotFound
from intents.filters import EventFilter, IntentEventFilter
from intents.models import Event, Intent
from intents.representation import EventBatchOut, EventOut
from intents.serializers import LogEvent, LogEvents, new_event

LOG_ENTRIES = 50_000
"""Entries of the log that a page goes through at most."""

NOT_INDEXED = {"actor", "since", "agent_id", "portfolio_id"}
"""Filters of the log that no index serves: it would be written with each event."""


class _Events(ApiViewSet):
    tags = ["Events"]
    serializer_class = EventOut
    pagination_class = OffsetPagination
    list_name = "events"
    ordering_parameter = "order"


class EventViewSet(_Events):
    filterset_class = IntentEventFilter
    ordering = ("sequence",)
    orderings = {"asc": ordering, "desc": ("-sequence",)}

    @operation("log_event", "Log an event", request=LogEvent)
    def create(self, request: Request, intent_id: UUID | str) -> Response:
        """For your own types: comments, tool calls, LLM requests. Types of the server are reserved."""
        values = self.validated(LogEvent)
        [event] = services.log_events(
            intent_id=intent_id, events=[new_event(values)], actor=get_actor(request, values.get("actor"))
        )
        return self.respond(event, status=201)

    @operation("log_events", "Log several events, all or none", request=LogEvents, responses={201: EventBatchOut})
    @action(detail=False, methods=["post"])
    def batch(self, request: Request, intent_id: UUID | str) -> Response:
        """All of them in this order, or none."""
        values = self.validated(LogEvents)
        events = services.log_events(
            intent_id=intent_id,
            events=[new_event(each) for each in values["events"]],
            actor=get_actor(request, values.get("actor")),
        )
        return Response(EventBatchOut.render(events), status=201)

    @operation("get_events", "List the events of an intent")
    def list(self, request: Request, intent_id: UUID | str) -> Response:
        """By `sequence`, which counts 1, 2, 3 … within the intent without gaps."""
        if not isinstance(intent_id, UUID):
            raise IntentNotFound(intent_id)
        events = self.filter_queryset(Event.objects.filter(intent_id=intent_id))
        page = self.paginate_queryset(events) or []
        if not page:  # An intent that has events exists.
            Intent.objects.require(intent_id)
        if any(event.position is None for event in page):  # Just committed: assign positions, and read again.
            positions.assign_pending_positions()
            page = self.paginate_queryset(events.filter(position__isnull=False)) or []
        return self.get_paginated_response([*map(EventOut.render, page)])


class LogPagination(OffsetPagination):
    """Pagination of the log of all intents. A page of what no index finds goes through LOG_ENTRIES at most, however few match."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        given = request.query_params
        if not (given.keys() & NOT_INDEXED or "," in given.get("event_type", "")):
            return super().paginate_queryset(queryset, request, view)
        is_descending = self.get_ordering(request, view)[0].startswith("-")
        after, newest = int(given.get("after", 0)), positions.head()
        begin = newest + 1 if is_descending else after
        if given.get("cursor"):
            [begin] = decode_cursor(given["cursor"], [parse_counter])
        if is_descending:
            end = max(min(begin, newest + 1) - LOG_ENTRIES, after)
            within, is_last = Q(position__gte=end), end <= after
        else:
            end = max(begin, after) + LOG_ENTRIES
            within, is_last = Q(position__lte=end), end >= newest
        found = super().paginate_queryset(queryset.filter(within), request, view)
        if self.next is None and not is_last:
            if not found and int(given.get("offset", 0)):  # How many of them are skipped would have to be in the cursor.
                message = f"reaches beyond the {LOG_ENTRIES:,} events that a page goes through; leave it out and follow `next`"
                raise Invalid.field("offset", message)
            self.next = encode_cursor([end])
        return found


class EventListViewSet(_Events):
    filterset_class = EventFilter
    pagination_class = LogPagination
    ordering = ("position",)
    orderings = {"asc": ordering, "desc": ("-position",)}

    @operation("list_events", "List the events of all intents, by position")
    def list(self, request: Request) -> Response:
        """By `position`, one order over all intents. Continue with `after` or `cursor`; no event is missed.

        By actor, time, agent, portfolio or several types, a page goes through 50,000 events at most: it may have few or none of
        them, and a `next` all the same. An `offset` beyond them is refused.
        """
        events = self.filter_queryset(Event.objects.filter(position__isnull=False))
        positions.assign_pending_positions()
        page = self.paginate_queryset(events) or []
        return self.get_paginated_response([*map(EventOut.render, page)])
