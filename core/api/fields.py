"""Strict serializer fields: a value of another type is refused, not converted (`"5"` is not 5, `1` is not true).

`json_schema` is merged into the OpenAPI schema that drf-spectacular finds for the field (core.openapi_schema).
"""

import math
import re
from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID

from django.conf import settings
from django.core.validators import RegexValidator
from rest_framework import serializers
from rest_framework.fields import empty

from core import strict_json
from core.errors import MAX_ERRORS, TooLarge
from core.ids import parse_id

MAX_ENTRIES = 1000
"""Default limit of entries in a list."""

VISIBLE = r"[^\s\x00-\x1f\x7f-\x9f]"
"""Pattern of text with at least one visible character."""

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)

_ALWAYS = {"null": "cannot be null", "required": "is required"}
_EMPTY = {"empty": "needs at least one entry"}


class StrictCharField(serializers.CharField):
    """Text that matches `pattern` (`\\A…\\Z`); `pattern_message` is the error if it does not."""

    default_error_messages = {
        **_ALWAYS,
        "invalid": "must be text",
        "blank": "cannot be empty",
        "max_length": "is longer than {max_length} characters",
    }

    def __init__(self, *, pattern: str | None = None, pattern_message: str = "", **kwargs: Any) -> None:
        kwargs.setdefault("trim_whitespace", False)
        super().__init__(**kwargs)
        if pattern:
            self.validators.append(RegexValidator(pattern, pattern_message))

    def run_validation(self, data: Any = empty) -> Any:
        if data is not None and data is not empty and not isinstance(data, str):
            self.fail("invalid")  # DRF would convert it to text, however large it is.
        return super().run_validation(data)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        text = data.strip() if self.trim_whitespace else data
        if self.max_length is not None and len(text) > self.max_length:
            self.fail("max_length", max_length=self.max_length)  # Before a pattern is tried on each character of a long text.
        return text


class StrictIntegerField(serializers.IntegerField):
    default_error_messages = {
        **_ALWAYS,
        "invalid": "must be a whole number",
        "min_value": "must be {min_value} or more",
        "max_value": "must be {max_value} or less",
    }

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int | float) or isinstance(data, bool) or data != int(data):
            self.fail("invalid")
        return int(data)  # JSON has one kind of number: 80.0 is 80.


class StrictFloatField(serializers.FloatField):
    default_error_messages = {
        **_ALWAYS,
        "invalid": "must be a number",
        "min_value": "must be {min_value} or more",
        "max_value": "must be {max_value} or less",
    }

    def to_internal_value(self, data: Any) -> float:
        if not isinstance(data, int | float) or isinstance(data, bool) or not math.isfinite(data):
            self.fail("invalid")
        return float(data) + 0.0  # -0.0 is 0.0: SQLite does not keep the sign.


class StrictBooleanField(serializers.BooleanField):
    default_error_messages = {**_ALWAYS, "invalid": "must be true or false"}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class StrictUUIDField(serializers.UUIDField):
    default_error_messages = {**_ALWAYS, "invalid": "must be an id (a UUID)"}
    json_schema: ClassVar[dict[str, Any]] = {"minLength": 36, "maxLength": 36}

    def to_internal_value(self, data: Any) -> UUID:
        found = parse_id(data) if isinstance(data, str) else None
        if found is None:
            self.fail("invalid")
        return found


class StrictDateTimeField(serializers.DateTimeField):
    """RFC 3339 date and time; UTC if it has no offset."""

    default_error_messages = {
        **_ALWAYS,
        "invalid": "must be a time like 2026-01-31T12:00:00Z",
        "overflow": "must be between the years 1 and 9999",
    }
    json_schema: ClassVar[dict[str, Any]] = {"minLength": 16}

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or not _INSTANT.fullmatch(data):  # ISO 8601 has weeks, days of years and more.
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictChoiceField(serializers.ChoiceField):
    def __init__(self, choices: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(choices, **kwargs)
        self.error_messages = {**_ALWAYS, "invalid_choice": f"must be one of {', '.join(self.choices)}"}

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid_choice")
        return super().to_internal_value(data)


def require_json_size(name: str | None, value: Any) -> None:
    """Raise TooLarge if the value takes more than MAX_STATE bytes as JSON."""
    if not strict_json.fits(value, settings.MAX_STATE):
        raise TooLarge(f"{name or 'The JSON'} is too large.", limit=settings.MAX_STATE)


class JSONObjectField(serializers.DictField):
    """JSON object of at most MAX_STATE bytes; core.strict_json has checked its values with the whole body."""

    default_error_messages = {**_ALWAYS, **_EMPTY, "not_a_dict": "must be an object"}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("not_a_dict", input_type=type(data).__name__)
        if not data and not self.allow_empty:
            self.fail("empty")
        require_json_size(self.field_name, data)
        return data


class AnyJSONField(serializers.JSONField):
    """JSON value of at most MAX_STATE bytes, null included."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_null=True, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        require_json_size(self.field_name, data)
        return data


class StrictListField(serializers.ListField):
    """List of `child` values; its length is checked before its entries, and checking stops after MAX_ERRORS errors."""

    default_error_messages = {
        **_ALWAYS,
        **_EMPTY,
        "max_length": "has more than {max_length} entries",
        "not_a_list": "must be a list",
    }

    def __init__(self, *, max_length: int = MAX_ENTRIES, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, **kwargs)

    def to_internal_value(self, data: Any) -> list[Any]:
        if not isinstance(data, list):
            self.fail("not_a_list", input_type=type(data).__name__)
        if not data and not self.allow_empty:
            self.fail("empty")
        if len(data) > (self.max_length or 0):
            self.fail("max_length", max_length=self.max_length)
        return self.run_child_validation(data)

    def run_child_validation(self, data: list[Any]) -> list[Any]:
        values: list[Any] = []
        errors: dict[Any, Any] = {}
        for index, entry in enumerate(data):
            try:
                values.append(self.child.run_validation(entry))
            except serializers.ValidationError as error:
                errors[index] = error.detail
                if len(errors) == MAX_ERRORS:
                    break
        if errors:
            raise serializers.ValidationError(errors)
        return values


class ItemOrListField(StrictListField):
    """List, or one item that stands for a list of itself."""

    def to_internal_value(self, data: Any) -> list[Any]:
        return super().to_internal_value(data if isinstance(data, list) else [data])
