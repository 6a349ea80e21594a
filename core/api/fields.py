"""Fields of request bodies that take a value of their own type and no other: `"5"` is not 5, `1` is not true.

`json_schema` is what OpenAPI should say of a field beyond what drf-spectacular finds out (core.openapi).
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
"""Entries that a list in a body may have, where its field says nothing else."""

VISIBLE = r"[^\s\x00-\x1f\x7f-\x9f]"
"""Matches a text that is more than spaces and control characters."""

_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d+)?)?([Zz]|[+-]\d\d:\d\d)?", re.ASCII)

_ALWAYS = {"null": "cannot be null", "required": "is required"}
_EMPTY = {"empty": "needs at least one entry"}


class StrictCharField(serializers.CharField):
    """`pattern` is what it must look like (`\\A…\\Z`), `looks` the same in words."""

    default_error_messages = {
        **_ALWAYS,
        "invalid": "must be text",
        "blank": "cannot be empty",
        "max_length": "is longer than {max_length} characters",
    }

    def __init__(self, *, pattern: str | None = None, looks: str = "", **kwargs: Any) -> None:
        kwargs.setdefault("trim_whitespace", False)
        super().__init__(**kwargs)
        if pattern:
            self.validators.append(RegexValidator(pattern, looks))

    def run_validation(self, data: Any = empty) -> Any:
        if data is not None and data is not empty and not isinstance(data, str):
            self.fail("invalid")  # Else DRF would write it as text, however large it is.
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
    """A time as RFC 3339 writes it; without an offset it is read as UTC."""

    default_error_messages = {
        **_ALWAYS,
        "invalid": "must be a time like 2026-01-31T12:00:00Z",
        "overflow": "lies outside the years 1 to 9999",
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
    """Raise TooLarge where the value takes more than MAX_STATE bytes as JSON."""
    if not strict_json.fits(value, settings.MAX_STATE):
        raise TooLarge(f"{name or 'The JSON'} is too large.", limit=settings.MAX_STATE)


class JSONObjectField(serializers.DictField):
    """Any JSON object of MAX_STATE bytes at most. Its values are as strict as core.strict_json made the whole body."""

    default_error_messages = {**_ALWAYS, **_EMPTY, "not_a_dict": "must be an object"}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("not_a_dict", input_type=type(data).__name__)
        if not data and not self.allow_empty:
            self.fail("empty")
        require_json_size(self.field_name, data)
        return data


class AnyJSONField(serializers.JSONField):
    """Any JSON value of MAX_STATE bytes at most, null included."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_null=True, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        require_json_size(self.field_name, data)
        return data


class StrictListField(serializers.ListField):
    """A list of what `child` takes. It is refused by its length before its entries are read, and read up to MAX_ERRORS wrong ones."""

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
    """A list, or one element that stands for a list of itself."""

    def to_internal_value(self, data: Any) -> list[Any]:
        return super().to_internal_value(data if isinstance(data, list) else [data])
