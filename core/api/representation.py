"""Response serializers: their fields document a response and render it, by one function that is compiled from them.

DRF renders field by field, which takes ten times as long. The function takes objects of a model as well as rows of
core.db.sql_rows with the values of either database.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from orjson import Fragment
from rest_framework import serializers

from core.encoding import identifier, instant, json, shared_identifier


class ResponseSerializer(serializers.Serializer[Any]):
    """Serializer of a response. Fields with `required=False` are only documented: the view adds them."""

    example: ClassVar[dict[str, Any]]
    """An object for the OpenAPI description (core.openapi_schema)."""
    render: ClassVar[Callable[[Any], dict[str, Any]]]
    """`to_representation` of an instance without context: a function of an object or a row."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "to_representation" not in vars(cls):
            setattr(cls, "to_representation", _compile(cls))  # noqa: B010  It is a method of the base class.
        cls.render = cls().to_representation


def nested(value: Any, render: Callable[[Any], dict[str, Any]]) -> Any:
    """Return a nested representation, or a list of them. What was stored as JSON has its form already."""
    if isinstance(value, list):
        return [each if isinstance(each, dict) else render(each) for each in value]
    if value is None or isinstance(value, dict):
        return value
    return Fragment(value) if isinstance(value, str) else render(value)


def _compile(serializer: type[ResponseSerializer]) -> Callable[[Any, Any], dict[str, Any]]:
    """Return the function that renders the fields of a response: `{"id": identifier(row.id), "title": row.title, …}`."""
    names: dict[str, Any] = {
        "identifier": identifier,
        "shared_identifier": shared_identifier,
        "instant": instant,
        "json": json,
        "nested": nested,
    }
    members = []
    for name, field in serializer._declared_fields.items():
        if not field.required and not field.read_only:
            continue
        child: Any = getattr(field, "child", field)
        names[f"render_{name}"] = child.render if isinstance(field, serializers.BaseSerializer) else field.to_representation
        members.append(f"{name!r}: {_expression(name, field)}")
    exec(f"def to_representation(self, row):\n    return {{{', '.join(members)}}}", names)
    return names["to_representation"]


def _expression(name: str, field: Any) -> str:
    value = "row" if field.source == "*" else f"row.{field.source or name}"
    match field:
        case serializers.SerializerMethodField():
            return f"self.{field.method_name or f'get_{name}'}(row)"
        case serializers.BaseSerializer():
            return f"nested({value}, render_{name})"
        case serializers.UUIDField():
            return _unless_null(field, value, "identifier" if name == "id" else "shared_identifier")
        case serializers.DateTimeField():
            return _unless_null(field, value, "instant")
        case serializers.ChoiceField():
            return f"str({value})"
        case serializers.DictField() | serializers.ListField() | serializers.JSONField():
            return f"json({value})"
        case serializers.BooleanField():
            return f"bool({value})"
        case serializers.CharField() | serializers.IntegerField() | serializers.FloatField():
            return value
    return f"render_{name}({value})"


def _unless_null(field: Any, value: str, encode: str) -> str:
    """Return the expression of the encoded value. Most nullable values are null, and a call takes three times as long as a comparison."""
    return f"None if {value} is None else {encode}({value})" if field.allow_null else f"{encode}({value})"
