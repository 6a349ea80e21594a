import re
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from access.callers import caller_of
from config.api import ApiViewSet, check_parameters
from config.errors import Invalid
from config.filters import MAX_COUNTER
from config.schema import followed
from intents import audience
from subscriptions.streams import opening


class StreamViewSet(ApiViewSet):
    """Each answers the ticket of a stream. The consumer that asked for it sends the stream (subscriptions.streams.sse)."""

    tags = ["Streams"]

    @followed("follow_intent", "Follow an intent")
    def intent(self, request: Request, intent_id: UUID | str) -> Response:
        return _ticket(request, opening.intent_topic(intent_id))

    @followed("follow_portfolio", "Follow a portfolio: its own events, and those of its members")
    def portfolio(self, request: Request, portfolio_id: UUID | str) -> Response:
        return _ticket(request, opening.portfolio_topic(portfolio_id))

    @followed("follow_agent", "Follow an agent: its assignments, and the events of the intents that it is assigned to")
    def agent(self, request: Request, agent_id: str) -> Response:
        return _ticket(request, audience.of_agent(agent_id))

    @followed("follow_events", "Follow all events")
    def all(self, request: Request) -> Response:
        return _ticket(request, audience.ALL)


def _ticket(request: Request, topic: str) -> Response:
    check_parameters(request, ["after", "event_type"])
    return Response(
        {
            "topics": [topic],
            "event_types": _event_types(request),
            "after": opening.beginning(_after(request)),
            "key_id": str(caller_of(request).key_id),
        }
    )


def _after(request: Request) -> int | None:
    """The position that the reader has come to. Raises Invalid."""
    for name, given in (("Last-Event-ID", request.META.get("HTTP_LAST_EVENT_ID")), ("after", request.query_params.get("after"))):
        if given is None:
            continue
        if not re.fullmatch(r"\d{1,19}", given, re.ASCII) or int(given) > MAX_COUNTER:
            raise Invalid.field(name, f"must be a whole number from 0 to {MAX_COUNTER}")
        return int(given)
    return None


def _event_types(request: Request) -> list[str]:
    """Raises Invalid."""
    given = request.query_params.get("event_type")
    types = [word.strip() for word in (given or "").split(",")]
    if given is not None and not all(types):
        raise Invalid.field("event_type", "must name types, divided by commas; leave it out to get all")
    return [word for word in types if word]
