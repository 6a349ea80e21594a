"""Strict request serializers: unknown fields are refused, and every invalid field is reported (protocol §1)."""

from collections.abc import Collection
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
"""Limit of unknown fields or parameters that an error reports."""


class StrictSerializer(serializers.Serializer[Any]):
    """Serializer of a request body that refuses unknown fields; `aliases` are alternative names of fields."""

    aliases: ClassVar[dict[str, str]] = {}
    json_schema: ClassVar[dict[str, Any]] = {}
    """Additions to the OpenAPI schema, about several fields at once (core.openapi_schema)."""
    example: ClassVar[dict[str, Any] | None] = None
    """A body for the OpenAPI description of the operations that accept it."""
    shorthand: ClassVar[dict[str, Any] | None] = None
    """Schema of a shorter form that is accepted in place of the object."""

    default_error_messages = {"null": "must be an object", "not_an_object": "must be an object"}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("not_an_object")
        errors: dict[str, Any] = {}
        if any(name in data for name in self.aliases):
            data = self._resolve_aliases(data, errors)
        values = {}
        for name, field, validate in self._field_validators:
            try:
                value = field.run_validation(data.get(name, empty))
                values[name] = validate(value) if validate else value
            except SkipField:
                continue
            except serializers.ValidationError as error:
                errors[name] = error.detail
        errors.update(self._unknown_fields(data))
        if errors:
            raise serializers.ValidationError(errors)
        return values

    @property
    def _field_validators(self) -> list[tuple[str, serializers.Field[Any, Any, Any, Any], Any]]:
        validators = self.__dict__.get("_cached_validators")
        if validators is None:  # DRF collects its fields for every body; ours never change.
            validators = [(name, field, getattr(self, f"validate_{name}", None)) for name, field in self.fields.items()]
            self.__dict__["_cached_validators"] = validators
        return validators

    def _resolve_aliases(self, data: dict[str, Any], errors: dict[str, Any]) -> dict[str, Any]:
        plain = {name: value for name, value in data.items() if name not in self.aliases}
        for alias, name in self.aliases.items():
            if alias in data and plain.setdefault(name, data[alias]) != data[alias]:
                errors[alias] = [ErrorDetail(f"is an alias of {name} and has a different value", "alias_differs")]
        return plain

    def _unknown_fields(self, data: dict[str, Any]) -> dict[str, Any]:
        fields = self.fields
        count = len(data) - sum(name in data for name, *_ in self._field_validators)
        if not count:
            return {}
        known, unknown = [*fields, *self.aliases], (name for name in data if name not in fields)
        errors: dict[str, Any] = {name: [_unknown_field_error(name, known)] for name in islice(unknown, MAX_UNKNOWN)}
        if count > MAX_UNKNOWN:
            errors["non_field_errors"] = [ErrorDetail(f"has {count - MAX_UNKNOWN} more unknown fields", "unknown_field")]
        return errors


def _unknown_field_error(name: str, known: list[str]) -> ErrorDetail:
    near = get_close_matches(name[:MAX_FIELD], known, n=1, cutoff=0.65)
    hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(sorted(known)) or 'none'}"
    return ErrorDetail(f"unknown field; {hint}", "unknown_field")


def validate_data(body: type[StrictSerializer], data: Any) -> dict[str, Any]:
    """Return the validated data. Raise ValidationError with every invalid field."""
    return _instance(body).run_validation(data)


@cache
def _instance(body: type[StrictSerializer]) -> StrictSerializer:
    return body()  # It keeps no state while it validates, so that one serves all requests.


def reject_unknown_parameters(request: Request, known: Collection[str]) -> None:
    """Raise Invalid if a query parameter is not in `known`: a misspelt filter must not return everything."""
    unknown = request.query_params.keys() - set(known)
    if not unknown:
        return
    errors = [
        {
            "field": name,
            "message": str(_unknown_field_error(name, [*known])).replace("field", "parameter"),
            "code": "unknown_parameter",
        }
        for name in islice(unknown, MAX_UNKNOWN)
    ]
    if len(unknown) > MAX_UNKNOWN:
        message = f"{len(unknown) - MAX_UNKNOWN} more parameters are unknown"
        errors.append({"field": "", "message": message, "code": "unknown_parameter"})
    raise Invalid.all(errors)
