"""Fields of request bodies that take a value of their own type and no other: `"5"` is not 5, `1` is not true."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from config.ids import parse_id


class Text(serializers.CharField):
    default_error_messages = {
        "invalid": "must be text",
        "blank": "cannot be empty",
        "null": "cannot be null",
        "required": "is required",
    }

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("trim_whitespace", False)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class Integer(serializers.IntegerField):
    default_error_messages = {"invalid": "must be a whole number", "null": "cannot be null", "required": "is required"}

    def to_internal_value(self, data: Any) -> int:
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return data


class Flag(serializers.BooleanField):
    default_error_messages = {"invalid": "must be true or false"}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class Id(serializers.UUIDField):
    default_error_messages = {"invalid": "must be an id (a UUID)", "null": "cannot be null", "required": "is required"}

    def to_internal_value(self, data: Any) -> UUID:
        found = parse_id(data) if isinstance(data, str) else None
        if found is None:
            self.fail("invalid")
        return found


class JSONObject(serializers.DictField):
    """Any JSON object. Its values are as strict as config.strictjson made the whole body."""

    default_error_messages = {"not_a_dict": "must be an object", "null": "cannot be null", "required": "is required"}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("not_a_dict", input_type=type(data).__name__)
        return data


class AnyJSON(serializers.JSONField):
    """Any JSON value, null included."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_null=True, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        return data


class OneOrMore(serializers.ListField):
    """A list, or one element that stands for a list of itself."""

    default_error_messages = {"not_a_list": "must be a list", "null": "cannot be null", "required": "is required"}

    def to_internal_value(self, data: Any) -> list[Any]:
        return super().to_internal_value(data if isinstance(data, list) else [data])
