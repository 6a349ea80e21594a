"""OpenAPI decorators and what operations share."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

from core.api.filters import CommaSeparatedFilter
from core.api.representation import ResponseSerializer

IF_MATCH: dict[str, Any] = {"extensions": {"x-versioned": True}}
OPTIONAL_IF_MATCH: dict[str, Any] = {"extensions": {"x-versioned": "optional"}}

_POSITION = {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}
STREAM: dict[str, Any] = {
    "responses": {(200, "text/event-stream"): OpenApiResponse(str, "Server-Sent Events; the data of each is an Event.")},
    "parameters": [
        OpenApiParameter(
            "after", _POSITION, description="Events after this position; 0 replays all events. Default: new events only."
        ),
        OpenApiParameter("Last-Event-ID", _POSITION, OpenApiParameter.HEADER, description="Takes precedence over `after`."),
        OpenApiParameter(
            "event_type",
            CommaSeparatedFilter.json_schema,
            description="One or more event types, separated by commas.",
            explode=False,
        ),
        OpenApiParameter("token", {"type": "string"}, description="Stream token from `/stream-tokens`, in place of a key."),
    ],
}
"""Response and parameters of a stream of events (rule S-1)."""


def operation(operation_id: str, summary: str, **more: Any) -> Callable[[Any], Any]:
    """Document an operation, as `extend_schema` does. The method's docstring is its description.

    What is left out is found in the view set; a body must be named.

    `**IF_MATCH` means that the write requires it, `**OPTIONAL_IF_MATCH` that it is honoured if sent.
    """

    def document(method: Any) -> Any:
        method = extend_schema(operation_id=operation_id, summary=summary, **more)(method)
        method.operation_id = operation_id
        return method

    return document


def existing_or_created(serializer: type[ResponseSerializer]) -> dict[int, Any]:
    """Return the responses of a POST that returns an object with 200 if it existed already."""
    return {201: serializer, 200: OpenApiResponse(serializer, "It existed already.")}
