"""Event stream of the console: the API's own, with a session in place of a key (subscriptions.streams)."""

import re

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_GET

from access.models import Role
from access.roles import has_role
from core.api.exception_handler import problem_response
from core.api.filters import MAX_COUNTER
from core.errors import Forbidden, ProtocolError, Unauthenticated
from core.ids import parse_id
from intents import topics
from subscriptions.streams import stream_start


@require_GET
def open_stream(request: HttpRequest) -> HttpResponse:
    """Return the parameters of a stream of everything, of `?intent=`, `?portfolio=` or `?agent=`, for subscriptions.streams.sse."""
    try:
        if not request.user.is_authenticated:
            raise Unauthenticated("You are signed out.")
        if not has_role(request, Role.OBSERVER):
            raise Forbidden("You don't have a role in the console.")
        if intent := request.GET.get("intent"):
            topic = stream_start.intent_topic(parse_id(intent) or intent)
        elif portfolio := request.GET.get("portfolio"):
            topic = stream_start.portfolio_topic(parse_id(portfolio) or portfolio)
        else:
            agent = request.GET.get("agent")
            topic = topics.for_agent(agent) if agent else topics.ALL
    except ProtocolError as refusal:
        return problem_response(refusal)
    given = request.headers.get("Last-Event-ID", "")
    is_position = re.fullmatch(r"\d{1,19}", given, re.ASCII) and int(given) <= MAX_COUNTER
    after = stream_start.start_position(int(given) if is_position else None)
    return JsonResponse({"topics": [topic], "event_types": [], "after": after, "session": request.session.session_key})
