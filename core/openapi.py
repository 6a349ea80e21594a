"""OpenAPI decorators: one per kind of operation (create, list, retrieve, update, action, destroy, stream)."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from django_filters import FilterSet
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers

from core.api.fields import VISIBLE
from core.api.filters import CommaSeparatedFilter
from core.api.pagination import DEFAULT_LIMIT, MAX_LIMIT, MAX_OFFSET
from core.api.representation import ResponseSerializer
from core.openapi_schema import component_name

Decorator = Callable[[Any], Any]

_LIMIT = OpenApiParameter(
    "limit",
    {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    description="Maximum number of items.",
)
_CURSOR = OpenApiParameter(
    "cursor", {"type": "string", "format": "cursor"}, description="`next` of the previous page; empty for the first page."
)
_OFFSET = OpenApiParameter(
    "offset", {"type": "integer", "minimum": 0, "maximum": MAX_OFFSET}, description="Number of items to skip."
)

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


def operation(operation_id: str, summary: str, description: str, **more: Any) -> Decorator:
    """Document an operation, as `extend_schema` does. What is left out is found in the view set; a body must be named.

    `**IF_MATCH` means that the write requires it, `**OPTIONAL_IF_MATCH` that it is honoured if sent.
    """
    return extend_schema(operation_id=operation_id, summary=summary, description=description, **more)


def existing_or_created(serializer: type[ResponseSerializer]) -> dict[int, Any]:
    """Return the responses of a POST that returns an object with 200 if it existed already."""
    return {201: serializer, 200: OpenApiResponse(serializer, "It existed already.")}


_OPTIONAL_IF_MATCH = {"x-versioned": "optional"}


def document_create(
    operation_id: str, summary: str, body: Any, response: Any, *, may_exist: bool = False, optional_if_match: bool = False
) -> Decorator:
    """Document a POST that creates an object; with `may_exist` it returns 200 for an existing one."""
    responses = {201: response, **({200: OpenApiResponse(response, "It existed already.")} if may_exist else {})}
    return extend_schema(
        operation_id=operation_id,
        summary=summary,
        request=body,
        responses=responses,
        filters=False,
        extensions=_OPTIONAL_IF_MATCH if optional_if_match else {},
    )


def document_update(operation_id: str, summary: str, body: Any, response: Any, *, creates: bool = False) -> Decorator:
    """Document a write that requires If-Match."""
    responses = {200: response, **({201: response} if creates else {})}
    return extend_schema(
        operation_id=operation_id, summary=summary, request=body, responses=responses, extensions={"x-versioned": True}
    )


def document_action(operation_id: str, summary: str, body: Any, response: Any, *, optional_if_match: bool = False) -> Decorator:
    """Document a write that does not require If-Match; with `optional_if_match` it is honoured if sent."""
    return extend_schema(
        operation_id=operation_id,
        summary=summary,
        request=body,
        responses={200: response},
        filters=False,
        extensions=_OPTIONAL_IF_MATCH if optional_if_match else {},
    )


def document_retrieve(operation_id: str, summary: str, response: Any, *, flags: dict[str, str] | None = None) -> Decorator:
    """Document a GET of one object; `flags` are boolean parameters with their descriptions."""
    parameters = [
        OpenApiParameter(name, {"type": "boolean", "default": False}, description=text) for name, text in (flags or {}).items()
    ]
    return extend_schema(operation_id=operation_id, summary=summary, responses={200: response}, parameters=parameters)


def document_destroy(operation_id: str, summary: str, *, versioned: bool = False, optional_if_match: bool = False) -> Decorator:
    """Document a DELETE. Repetitions return the same response."""
    extensions = {"x-versioned": True} if versioned else _OPTIONAL_IF_MATCH if optional_if_match else {}
    return extend_schema(operation_id=operation_id, summary=summary, responses={204: None}, extensions=extensions)


def document_list(
    operation_id: str,
    summary: str,
    element: Any,
    name: str,
    *,
    filterset: type[FilterSet] | None = None,
    choices: dict[str, Sequence[str]] | None = None,
    offset: bool = False,
) -> Decorator:
    """Document a list: `{name: [...], "next": cursor or null}`. `choices` are parameters with known values."""
    parameters = [_LIMIT, _CURSOR, *([_OFFSET] if offset else [])]
    parameters += [OpenApiParameter(key, enum=list(values)) for key, values in (choices or {}).items()]
    parameters += [_filter_parameter(key, each) for key, each in filterset.base_filters.items()] if filterset else []
    return extend_schema(
        operation_id=operation_id, summary=summary, responses={200: _page_of(element, name)}, parameters=parameters, filters=False
    )


@cache
def _page_of(element: Any, name: str) -> Any:
    return inline_serializer(
        name=f"{component_name(element)}Page",
        fields={
            name: element(many=True),
            "next": serializers.CharField(allow_null=True, help_text="Cursor of the next page; null on the last page."),
        },
    )


def _filter_parameter(name: str, each: Any) -> OpenApiParameter:
    """Return the parameter of a filter. Several values are separated by commas, so arrays are not exploded."""
    description = str(each.extra.get("help_text", ""))
    text = {"type": "string", "minLength": 1, "pattern": VISIBLE}
    schema = getattr(each, "json_schema", text)
    return OpenApiParameter(name, schema, description=description, explode=False if schema.get("type") == "array" else None)
