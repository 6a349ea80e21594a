"""The OpenAPI description: what each kind of operation has in common stands here once."""

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from django_filters import FilterSet
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import force_instance
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers

from core.agent_ids import RESERVED
from core.api.fields import VISIBLE, AnyJSONField, ItemOrListField
from core.api.filters import CommaSeparatedFilter
from core.api.pagination import DEFAULT_LIMIT, MAX_LIMIT, MAX_OFFSET
from core.api.serializers import StrictSerializer
from core.openapi_examples import BODIES, DESCRIPTIONS, OBJECTS

Decorator = Callable[[Any], Any]

_LIMIT = OpenApiParameter(
    "limit", {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT}, description="How many at most."
)
_CURSOR = OpenApiParameter(
    "cursor", {"type": "string", "format": "cursor"}, description="`next` of the page before; empty for the first page."
)
_OFFSET = OpenApiParameter(
    "offset", {"type": "integer", "minimum": 0, "maximum": MAX_OFFSET}, description="How many to leave out first."
)

_PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}

_ERRORS = {
    "400": "The request cannot work as it was sent.",
    "401": "The key is missing, wrong, expired or revoked.",
    "403": "The key does not allow this.",
    "404": "There is no such object.",
    "408": "The body did not arrive in time.",
    "409": "Someone else came first, or the object's state forbids it.",
    "413": "What was sent is too large.",
    "415": "The body is not JSON.",
    "416": "The range lies beyond the end.",
    "422": "The Idempotency-Key was used for another request.",
    "428": "The version that the write is based on is missing.",
    "429": "Too many requests.",
    "431": "The headers are too large.",
    "500": "The server failed unexpectedly.",
    "503": "The server cannot answer at the moment.",
}

_DONE = {"200": "The answer.", "201": "It was made.", "204": "It is done; there is nothing to say."}

_IDS = {"type": "array", "items": {"type": "string", "format": "uuid"}}

_PROBLEM_SCHEMA = {
    "type": "object",
    "description": "RFC 9457. Further members belong to the code.",
    "required": ["type", "title", "status", "code", "detail", "message"],
    "additionalProperties": True,
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "examples": ["/problems/version_conflict"]},
        "title": {"type": "string", "examples": ["Version conflict"]},
        "status": {"type": "integer", "examples": [409]},
        "code": {"type": "string", "examples": ["version_conflict"]},
        "detail": {"type": "string"},
        "message": {"type": "string", "description": "The same as detail."},
        "request_id": {"type": ["string", "null"]},
        "current_version": {"type": "integer", "description": "With version_conflict: the version that there is now."},
        "existing_lease": {"$ref": "#/components/schemas/Lease", "description": "With lease_conflict: the lease in the way."},
        "waiting_for": {**_IDS, "description": "With completion_gate: what must end first."},
        "cycle": {**_IDS, "description": "With dependency_cycle: the way around."},
        "from": {"type": "string", "description": "With illegal_transition: the status that it has."},
        "to": {"type": "string", "description": "With illegal_transition: the status that was asked for."},
        "allowed": {"type": "array", "items": {"type": "string"}, "description": "With illegal_transition: where it can go."},
        "index": {"type": "integer", "description": "With invalid_patch: which one, from 0."},
        "limit": {"type": "integer", "description": "With too_large: the most there may be."},
        "retry_after": {"type": "integer", "description": "With rate_limited: seconds to wait."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message", "code"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}, "code": {"type": "string"}},
            },
        },
    },
}

_FRAMES = {
    "StreamStart": {
        "type": "object",
        "description": "`event: connected`, the first frame of a stream: where it starts.",
        "required": ["position"],
        "properties": {"position": {"type": "integer", "examples": [4711]}},
    },
    "StreamEnd": {
        "type": "object",
        "description": "`event: bye`, the last frame: why the server ends the stream. Connect again, with the last id.",
        "required": ["reason"],
        "properties": {"reason": {"type": "string", "examples": ["shutdown"]}},
    },
    "StreamFrame": {
        "description": "The data of one frame of a stream (protocol §7, rule S-1).",
        "anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in ("Event", "StreamStart", "StreamEnd")],
    },
}

_STREAM = {"text/event-stream": {"schema": {"$ref": "#/components/schemas/StreamFrame"}}}

_VERSION = {"type": "string", "pattern": '^("[1-9][0-9]{0,17}"|[1-9][0-9]{0,17})$', "examples": ['"3"']}

_HEADERS = {
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "required": True,
        "description": "The version that the write is based on, as the ETag had it.",
        "schema": _VERSION,
    },
    "OptionalIfMatch": {
        "name": "If-Match",
        "in": "header",
        "description": "The version that the write is based on, as the ETag had it: it is refused where there is another by now.",
        "schema": _VERSION,
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "The same key with the same request answers what the first one answered, for 24 hours.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"},
    },
    "FencingToken": {
        "name": "X-Fencing-Token",
        "in": "header",
        "description": "The write succeeds only while the caller holds the lease with this `fencing_token`.",
        "schema": {"type": "string", "pattern": "^[1-9][0-9]{0,17}$", "examples": ["1"]},
    },
    "AgentId": {
        "name": "X-Agent-ID",
        "in": "header",
        "description": "The agent that acts, for a key that is not bound to one.",
        "schema": {"type": "string", "maxLength": 255, "pattern": "^([!-~]([ -~]*[!-~])?)?$", "not": {"pattern": RESERVED}},
    },
}


_NAMES = {
    "AgentOut": "IntentAgent",
    "AssigneeIn": "Assignee",
    "AssignmentOut": "AgentAssignment",
    "AttemptOut": "DeliveryAttempt",
    "EventIn": "NewEvent",
    "EventsOut": "EventBatch",
    "GraphOut": "IntentGraph",
    "KeyOut": "ApiKey",
    "NewKeyOut": "NewApiKey",
    "NodeOut": "GraphNode",
    "OptionIn": "ArbitrationOption",
    "OptionOut": "ArbitrationOption",
    "PatchIn": "StatePatch",
    "RequestArbitration": "CreateArbitration",
    "ScopeIn": "DelegationScope",
    "ScopeOut": "DelegationScope",
}
"""What clients in other languages have as names of types where ours are about something else. They are the SDK's."""


def component_name(serializer: type) -> str:
    """What a serializer is called in the description: `IntentOut` is an Intent."""
    name = serializer.__name__
    return _NAMES.get(name) or re.sub("(?<=[a-z])(In|Out)$", "", name)


class ApiAutoSchema(AutoSchema):
    """Tags come from the view; a path's ids are UUIDs; bodies and their fields say how strict they are."""

    def get_tags(self) -> list[str]:
        return getattr(self.view, "tags", None) or ["Server"]

    def get_description(self) -> str:
        return ""  # What a view's docstring says is for its developers.

    def _is_list_view(self, serializer: Any = None) -> bool:
        return False  # Lists are objects (protocol §1), whatever the method's name.

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> dict[str, Any]:
        schema = super()._map_basic_serializer(serializer, direction)
        body = force_instance(serializer)
        if not type(body).__doc__:
            schema.pop("description", None)  # It is the parent class's.
        if isinstance(body, StrictSerializer):
            for alias, name in body.aliases.items():
                _say(schema["properties"][name], f"Also taken as `{alias}`.")
            schema |= {"additionalProperties": False, **body.json_schema}
        return schema

    def get_serializer_name(self, serializer: Any, direction: Any) -> str:
        return component_name(type(serializer))

    def _map_serializer_field(self, field: Any, direction: Any, bypass_extensions: bool = False) -> Any:
        schema = super()._map_serializer_field(field, direction, bypass_extensions)
        if isinstance(field, serializers.BaseSerializer):
            return schema
        if shorthand := getattr(getattr(field, "child", None), "shorthand", None):
            schema["items"] = {"anyOf": [shorthand, schema["items"]]}
        if isinstance(field, AnyJSONField):
            schema = {name: each for name, each in schema.items() if name == "description"}
        if not getattr(field, "allow_empty", True):
            schema["minItems" if isinstance(field, serializers.ListField) else "minProperties"] = 1
        if isinstance(field, ItemOrListField):
            several = {name: schema.pop(name) for name in ("type", "items", "minItems") if name in schema}
            several["maxItems"] = field.max_length
            schema = {**schema, "anyOf": [*several["items"].get("anyOf", [several["items"]]), several]}
        said = getattr(field, "json_schema", {})
        if "anyOf" in said:
            schema = {name: each for name, each in schema.items() if name == "description"}
        return {**schema, **said}

    def _resolve_path_parameters(self, variables: list[str]) -> list[dict[str, Any]]:
        return [self._path_parameter(name) for name in variables]

    @staticmethod
    def _path_parameter(name: str) -> dict[str, Any]:
        is_agent = name == "agent_id"
        schema = {"type": "string", "minLength": 1} if is_agent else {"type": "string", "format": "uuid"}
        described = {"description": "Percent-encoded: / as %2F."} if is_agent else {}
        return {"name": name, "in": "path", "required": True, "schema": schema, **described}


_MAY_BE_VERSIONED = {"x-versioned": "optional"}


def document_create(
    operation_id: str, summary: str, body: Any, answer: Any, *, may_exist: bool = False, may_be_versioned: bool = False
) -> Decorator:
    """A POST that makes something; `may_exist` where it answers 200 for what was there already."""
    responses = {201: answer, **({200: OpenApiResponse(answer, "It was there already.")} if may_exist else {})}
    return extend_schema(
        operation_id=operation_id,
        summary=summary,
        request=body,
        responses=responses,
        filters=False,
        extensions=_MAY_BE_VERSIONED if may_be_versioned else {},
    )


def document_update(operation_id: str, summary: str, body: Any, answer: Any, *, creates: bool = False) -> Decorator:
    """A write that needs the version."""
    responses = {200: answer, **({201: answer} if creates else {})}
    return extend_schema(
        operation_id=operation_id, summary=summary, request=body, responses=responses, extensions={"x-versioned": True}
    )


def document_action(operation_id: str, summary: str, body: Any, answer: Any, *, may_be_versioned: bool = False) -> Decorator:
    """A write that needs no version: whoever comes last, or first, is right. With `may_be_versioned` one that is sent is honoured."""
    return extend_schema(
        operation_id=operation_id,
        summary=summary,
        request=body,
        responses={200: answer},
        filters=False,
        extensions=_MAY_BE_VERSIONED if may_be_versioned else {},
    )


def document_retrieve(operation_id: str, summary: str, answer: Any, *, flags: dict[str, str] | None = None) -> Decorator:
    """`flags` are parameters that are true or false, with what they do."""
    parameters = [
        OpenApiParameter(name, {"type": "boolean", "default": False}, description=text) for name, text in (flags or {}).items()
    ]
    return extend_schema(operation_id=operation_id, summary=summary, responses={200: answer}, parameters=parameters)


def document_stream(operation_id: str, summary: str) -> Decorator:
    """A stream of events (rule S-1), which a plain client of this description can only read to its end."""
    after = {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}
    return extend_schema(
        operation_id=operation_id,
        summary=summary,
        responses={(200, "text/event-stream"): OpenApiResponse(str, "Server-Sent Events; the data of each is an Event.")},
        parameters=[
            OpenApiParameter("after", after, description="Events after this position; 0 replays all. Default: from now on."),
            OpenApiParameter("Last-Event-ID", after, OpenApiParameter.HEADER, description="The same; it comes before `after`."),
            OpenApiParameter(
                "event_type",
                CommaSeparatedFilter.json_schema,
                description="One or several types, divided by commas.",
                explode=False,
            ),
            OpenApiParameter("token", {"type": "string"}, description="In place of a key: what `/stream-tokens` answered."),
        ],
        filters=False,
    )


def document_destroy(operation_id: str, summary: str, *, versioned: bool = False, may_be_versioned: bool = False) -> Decorator:
    """A DELETE; repeated, it answers the same."""
    extensions = {"x-versioned": True} if versioned else _MAY_BE_VERSIONED if may_be_versioned else {}
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
    """A page of a list: `{name: [...], "next": cursor or null}`. `choices` are parameters with a few known values."""
    parameters = [_LIMIT, _CURSOR, *([_OFFSET] if offset else [])]
    parameters += [OpenApiParameter(key, enum=list(values)) for key, values in (choices or {}).items()]
    parameters += _filters(filterset) if filterset else []
    return extend_schema(
        operation_id=operation_id, summary=summary, responses={200: _page_of(element, name)}, parameters=parameters, filters=False
    )


@cache
def _page_of(element: Any, name: str) -> Any:
    return inline_serializer(
        name=f"{component_name(element)}Page",
        fields={
            name: element(many=True),
            "next": serializers.CharField(allow_null=True, help_text="The cursor of the next page; null on the last one."),
        },
    )


def _filters(filterset: type[FilterSet]) -> list[OpenApiParameter]:
    return [_filter(name, each) for name, each in filterset.base_filters.items()]


def _filter(name: str, each: Any) -> OpenApiParameter:
    """A filter's parameter. Several values are divided by commas, so nothing is exploded."""
    description = str(each.extra.get("help_text", ""))
    text = {"type": "string", "minLength": 1, "pattern": VISIBLE}
    schema = getattr(each, "json_schema", text)
    return OpenApiParameter(name, schema, description=description, explode=False if schema.get("type") == "array" else None)


def _say(schema: dict[str, Any], sentence: str) -> None:
    schema["description"] = f"{schema.get('description', '')} {sentence}".strip()


def exclude_alias_paths(endpoints: list[Any]) -> list[Any]:
    """Each operation is described once (protocol §7 has two paths for streams)."""
    return [endpoint for endpoint in endpoints if not endpoint[0].startswith("/api/v1/subscribe/")]


def add_common_parts(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Add what every operation has: its errors, and the headers of its kind."""
    components = result["components"]
    components["schemas"] |= {"Problem": _PROBLEM_SCHEMA, **_FRAMES}
    for name, example in OBJECTS.items():
        components["schemas"][name]["examples"] = [example]
    components["parameters"] = _HEADERS
    components["responses"] = {f"Problem{status}": {"description": text, "content": _PROBLEM} for status, text in _ERRORS.items()}
    words = {tuple(each["enum"]): name for name, each in components["schemas"].items() if "enum" in each}
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            _finish_operation(path, method, operation)
            _name_words(operation, words)
            if body := operation.get("requestBody"):
                body["required"] = not any(
                    _takes_nothing(each["schema"], components["schemas"]) for each in body["content"].values()
                )
    return result


def _takes_nothing(schema: dict[str, Any], schemas: dict[str, Any]) -> bool:
    """Whether `{}` is such a body. Then none at all is as good."""
    if "$ref" in schema:
        return _takes_nothing(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if schema.get("required") or schema.get("minProperties"):
        return False
    choices = [schema[several] for several in ("anyOf", "oneOf") if several in schema]
    return all(any(_takes_nothing(each, schemas) for each in choice) for choice in choices)


def _name_words(operation: dict[str, Any], words: dict[tuple[str, ...], str]) -> None:
    """Let a filter's words be those of the objects, and not the same ones under another name."""
    for parameter in operation.get("parameters", []):
        items = parameter.get("schema", {}).get("items", {})
        if name := words.get(tuple(items.get("enum", ()))):
            parameter["schema"]["items"] = {"$ref": f"#/components/schemas/{name}"}


def _finish_operation(path: str, method: str, operation: dict[str, Any]) -> None:
    versioned = operation.pop("x-versioned", False)
    name = operation["operationId"]
    if name in DESCRIPTIONS:
        operation["description"] = DESCRIPTIONS[name]
    if name in BODIES:
        operation["requestBody"]["content"]["application/json"]["example"] = BODIES[name]
    for status, response in operation["responses"].items():
        response["description"] = response["description"] or _DONE[status]
    operation.setdefault("security", [])  # Where no key is needed.
    if "text/event-stream" in operation["responses"].get("200", {}).get("content", {}):
        operation["responses"]["200"]["content"] = _STREAM
    statuses = ["400", "401", "403", "404", "429", "431", "500", "503"]
    headers = []
    if method != "get":
        statuses += ["409"]
        headers += ["AgentId"]
        if path.startswith("/api/v1/intents/{intent_id}/"):
            headers += ["FencingToken"]
    if method in ("post", "patch", "put"):
        statuses += ["408", "413", "415"]
    if "206" in operation["responses"]:
        statuses += ["416"]
    if method == "post":
        statuses += ["422"]
        headers += ["IdempotencyKey"]
    if versioned == "optional":
        headers += ["OptionalIfMatch"]
    elif versioned:
        statuses += ["428"]
        headers += ["IfMatch"]
    for status in sorted(statuses):
        operation["responses"].setdefault(status, {"$ref": f"#/components/responses/Problem{status}"})
    references = [{"$ref": f"#/components/parameters/{name}"} for name in headers]
    if references:
        operation["parameters"] = [*operation.get("parameters", []), *references]
