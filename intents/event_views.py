"""Endpoints of events (RFC-0001 "Events")."""

from uuid import UUID

from rest_framework.decorators import action
from rest_framework.request import Request

from access.identity import get_actor
from core.api.pagination import OffsetPagination
from core.api.responses import Response
from core.api.views import ApiViewSet
from core.openapi import operation
from intents import positions, services
from intents.errors import IntentNotFound
from intents.filters import EventFilter, IntentEventFilter
from intents.models import Event, Intent
from intents.representation import EventBatchOut, EventOut
from intents.serializers import LogEvent, LogEvents, new_event


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


class EventListViewSet(_Events):
    filterset_class = EventFilter
    ordering = ("position",)
    orderings = {"asc": ordering, "desc": ("-position",)}

    @operation("list_events", "List the events of all intents, by position")
    def list(self, request: Request) -> Response:
        """By `position`, one order over all intents. Continue with `after` or `cursor`; no event is missed."""
        events = self.filter_queryset(Event.objects.filter(position__isnull=False))
        positions.assign_pending_positions()
        page = self.paginate_queryset(events) or []
        return self.get_paginated_response([*map(EventOut.render, page)])
