"""OpenAPI generation: drf-spectacular's schema class and hooks, with what all operations share."""

import re
from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import force_instance
from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework import serializers

from core.api.fields import AnyJSONField, ItemOrListField
from core.api.representation import ResponseSerializer
from core.api.serializers import StrictSerializer
from core.openapi_components import (
    ERROR_DESCRIPTIONS,
    HEADERS,
    PROBLEM_CONTENT,
    PROBLEM_SCHEMA,
    STREAM_CONTENT,
    STREAM_FRAMES,
    SUCCESS_DESCRIPTIONS,
)


class ApiAutoSchema(AutoSchema):
    """drf-spectacular's schema, with the view's tags, UUID path parameters and the strict serializers' rules."""

    def get_tags(self) -> list[str]:
        return getattr(self.view, "tags", None) or ["Server"]

    def get_description(self) -> str:
        handler = getattr(self.view, getattr(self.view, "action", self.method.lower()))
        return " ".join((handler.__doc__ or "").split())

    def _get_paginator(self) -> Any:
        paginator = super()._get_paginator()
        if paginator:
            paginator.list_name = self.view.list_name
        return paginator

    def get_paginated_name(self, serializer_name: str) -> str:
        return f"{serializer_name}Page"

    def _get_request_body(self, direction: Any = "request") -> Any:
        body = super()._get_request_body(direction)
        given = self.get_request_serializer() if body else None
        given = given.get("application/json") if isinstance(given, dict) else given
        given = given.serializers[0] if isinstance(given, PolymorphicProxySerializer) else given
        if example := getattr(given, "example", None):
            body["content"]["application/json"]["example"] = example
        return body

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> dict[str, Any]:
        schema = super()._map_basic_serializer(serializer, direction)
        body = force_instance(serializer)
        if not type(body).__doc__:
            schema.pop("description", None)  # The parent class's docstring.
        if isinstance(body, StrictSerializer):
            for alias, name in body.aliases.items():
                described = schema["properties"][name]
                described["description"] = f"{described.get('description', '')} Alias: `{alias}`.".strip()
            schema |= {"additionalProperties": False, **body.json_schema}
        elif isinstance(body, ResponseSerializer):
            schema["required"] = sorted(name for name, field in body.fields.items() if field.required or field.read_only)
            if example := vars(type(body)).get("example"):
                schema["examples"] = [example]
        return schema

    def _get_serializer_field_meta(self, field: Any, direction: Any) -> Any:
        meta = super()._get_serializer_field_meta(field, direction)
        meta.pop("readOnly", None)  # Requests have components of their own.
        return meta

    def get_serializer_name(self, serializer: Any, direction: Any) -> str:
        return re.sub("(?<=[a-z])(In|Out)$", "", type(serializer).__name__)  # `IntentOut` is an Intent.

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
        own = getattr(field, "json_schema", {})
        if "anyOf" in own:
            schema = {name: each for name, each in schema.items() if name == "description"}
        return {**schema, **own}

    def _resolve_path_parameters(self, variables: list[str]) -> list[dict[str, Any]]:
        parameters: list[dict[str, Any]] = []
        for name in variables:
            parameter: dict[str, Any] = {"name": name, "in": "path", "required": True}
            if name == "agent_id":
                parameter |= {"schema": {"type": "string", "minLength": 1}, "description": "Percent-encoded: / as %2F."}
            else:
                parameter["schema"] = {"type": "string", "format": "uuid"}
            parameters.append(parameter)
        return parameters


def exclude_alias_paths(endpoints: list[Any]) -> list[Any]:
    """Remove the alias paths of streams: each operation is described once (protocol §7)."""
    return [endpoint for endpoint in endpoints if not endpoint[0].startswith("/api/v1/subscribe/")]


def add_common_parts(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Add the parts that all operations share: error responses and headers."""
    components = result["components"]
    components["schemas"] |= {"Problem": PROBLEM_SCHEMA, **STREAM_FRAMES}
    components["parameters"] = HEADERS
    components["responses"] = {
        f"Problem{status}": {"description": text, "content": PROBLEM_CONTENT} for status, text in ERROR_DESCRIPTIONS.items()
    }
    enums = {tuple(each["enum"]): name for name, each in components["schemas"].items() if "enum" in each}
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            _add_errors_and_headers(path, method, operation)
            for parameter in operation.get("parameters", []):  # A filter's values are those of the object's field.
                if known := enums.get(tuple(parameter.get("schema", {}).get("items", {}).get("enum", ()))):
                    parameter["schema"]["items"] = {"$ref": f"#/components/schemas/{known}"}
            if body := operation.get("requestBody"):
                body["required"] = not any(
                    _accepts_empty(each["schema"], components["schemas"]) for each in body["content"].values()
                )
    return result


def _accepts_empty(schema: dict[str, Any], schemas: dict[str, Any]) -> bool:
    """Return whether the schema accepts `{}`; then the body may be missing, too."""
    if "$ref" in schema:
        return _accepts_empty(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if schema.get("required") or schema.get("minProperties"):
        return False
    choices = [schema[several] for several in ("anyOf", "oneOf") if several in schema]
    return all(any(_accepts_empty(each, schemas) for each in choice) for choice in choices)


def _add_errors_and_headers(path: str, method: str, operation: dict[str, Any]) -> None:
    versioned = operation.pop("x-versioned", False)
    for status, response in operation["responses"].items():
        response["description"] = response["description"] or SUCCESS_DESCRIPTIONS[status]
    operation.setdefault("security", [])  # No key is needed.
    if "text/event-stream" in operation["responses"].get("200", {}).get("content", {}):
        operation["responses"]["200"]["content"] = STREAM_CONTENT
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
