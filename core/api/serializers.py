"""Bodies of requests: unknown fields are refused, and every field that is wrong is named (protocol §1)."""

from difflib import get_close_matches
from functools import cache
from itertools import islice
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.fields import SkipField, empty
from rest_framework.request import Request

from core.errors import MAX_FIELD, Invalid

MAX_UNKNOWN = 20
"""How many unknown fields or parameters of a request are named."""


class StrictSerializer(serializers.Serializer[Any]):
    """A request's body: unknown fields are refused, `aliases` are other names of fields."""

    aliases: ClassVar[dict[str, str]] = {}
    json_schema: ClassVar[dict[str, Any]] = {}
    """What OpenAPI should say of the fields together (core.openapi)."""
    shorthand: ClassVar[dict[str, Any] | None] = None
    """The schema of what may stand for the object, if something may."""

    default_error_messages = {"null": "must be an object", "not_an_object": "must be an object"}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("not_an_object")
        errors: dict[str, Any] = {}
        if any(name in data for name in self.aliases):
            data = self._without_aliases(data, errors)
        values = {}
        for name, field, validate in self._plan:
            try:
                value = field.run_validation(data.get(name, empty))
                values[name] = validate(value) if validate else value
            except SkipField:
                continue
            except serializers.ValidationError as error:
                errors[name] = error.detail
        errors.update(self._unknown(data))
        if errors:
            raise serializers.ValidationError(errors)
        return values

    @property
    def _plan(self) -> list[tuple[str, serializers.Field[Any, Any, Any, Any], Any]]:
        plan = self.__dict__.get("_made_plan")
        if plan is None:  # DRF walks its fields anew for every body; ours never change.
            plan = [(name, field, getattr(self, f"validate_{name}", None)) for name, field in self.fields.items()]
            self.__dict__["_made_plan"] = plan
        return plan

    def _without_aliases(self, data: dict[str, Any], errors: dict[str, Any]) -> dict[str, Any]:
        plain = {name: value for name, value in data.items() if name not in self.aliases}
        for alias, name in self.aliases.items():
            if alias in data and plain.setdefault(name, data[alias]) != data[alias]:
                errors[alias] = [ErrorDetail(f"is another name of {name}, and says something else", "alias_differs")]
        return plain

    def _unknown(self, data: dict[str, Any]) -> dict[str, Any]:
        fields = self.fields
        count = len(data) - sum(name in data for name, *_ in self._plan)
        if not count:
            return {}
        known, unknown = [*fields, *self.aliases], (name for name in data if name not in fields)
        errors: dict[str, Any] = {name: [_unknown_message(name, known)] for name in islice(unknown, MAX_UNKNOWN)}
        if count > MAX_UNKNOWN:
            errors["non_field_errors"] = [ErrorDetail(f"has {count - MAX_UNKNOWN} more unknown fields", "unknown_field")]
        return errors


def _unknown_message(name: str, known: list[str]) -> ErrorDetail:
    near = get_close_matches(name[:MAX_FIELD], known, n=1, cutoff=0.65)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(known)) or 'none'}"
    return ErrorDetail(f"unknown field; {hint}", "unknown_field")


@cache
def _shared(body: type[StrictSerializer]) -> StrictSerializer:
    return body()


def validate_body(body: type[StrictSerializer], request: Request) -> dict[str, Any]:
    """The validated body. Raises ValidationError with every field that is wrong."""
    return validate_data(body, request.data)


def validate_data(body: type[StrictSerializer], data: Any) -> dict[str, Any]:
    """The same of what is, or was made, a body. Raises ValidationError."""
    # A serializer keeps nothing of what it validates: one serves all requests.
    return _shared(body).run_validation(data)


def reject_unknown_parameters(request: Request, known: list[str]) -> None:
    """Refuse a query parameter that nobody reads: a misspelt filter must not answer everything. Raises Invalid."""
    unknown = request.query_params.keys() - set(known)
    if not unknown:
        return
    errors = [
        {"field": name, "message": str(_unknown_message(name, known)).replace("field", "parameter"), "code": "unknown_parameter"}
        for name in islice(unknown, MAX_UNKNOWN)
    ]
    if len(unknown) > MAX_UNKNOWN:
        message = f"{len(unknown) - MAX_UNKNOWN} more parameters are unknown"
        errors.append({"field": "", "message": message, "code": "unknown_parameter"})
    raise Invalid.all(errors)
