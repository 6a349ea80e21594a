"""Typed answers: the schema of a question, and whether an answer is valid against it (rule H-1). Pure.

A schema is a flat object schema, the subset of JSON Schema that MCP's elicitation has: people answer it in a form.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from math import isfinite
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from core.agent_ids import has_invisible_characters
from core.api.fields import StrictDateTimeField

MAX_FIELDS = 30
MAX_NAME = 100  # Characters of a field's name.
MAX_ENUM = 100
MAX_VALUE = 200  # Characters of a value in an enum.
MAX_TITLE = 200
MAX_DESCRIPTION = 2_000
MAX_ANSWER = 10_000  # Characters of a text in an answer.
MAX_NUMBER = 2**53 - 1  # A form, and other languages, cannot hold larger ones exactly.

FORMATS = ("email", "uri", "date", "date-time")

Problem = tuple[str, str, str]
"""Path of the member, message and code."""

_TOP = ("$schema", "type", "title", "description", "properties", "required", "additionalProperties")
_COMMON = ("type", "title", "description", "default")
_MEMBERS = {
    "string": (*_COMMON, "minLength", "maxLength", "format", "enum", "enumNames"),
    "number": (*_COMMON, "minimum", "maximum"),
    "integer": (*_COMMON, "minimum", "maximum"),
    "boolean": _COMMON,
}
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_OFFSET = re.compile(r"(?:[Zz]|[+-]\d\d:\d\d)\Z", re.ASCII)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")


def schema_problems(schema: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is wrong with a schema; nothing if people can be asked by it."""
    yield from _unknown("", schema, _TOP)
    if schema.get("type") != "object":
        yield "type", 'must be "object"', "invalid"
    yield from _text_problems("", schema)
    if schema.get("additionalProperties", False) is not False:
        yield "additionalProperties", "must be false, which is the default", "invalid"
    properties = schema.get("properties")
    if not isinstance(properties, dict) or not properties:
        yield "properties", "must be an object with at least one field", "invalid"
        return
    if len(properties) > MAX_FIELDS:
        yield "properties", f"has more than {MAX_FIELDS} fields", "max_length"
        return
    required = schema.get("required", [])
    if not isinstance(required, list) or not all(isinstance(name, str) for name in required):
        yield "required", "must be a list of names", "invalid"
    elif unknown := [name for name in required if name not in properties]:
        yield "required", f"{unknown[0][:60]!r} is none of the properties", "unknown_field"
    elif len(set(required)) != len(required):
        yield "required", "has a name more than once", "duplicate"
    for name, field in properties.items():
        yield from _field_problems(name, field)


def answer_problems(schema: Mapping[str, Any], answer: Any) -> Iterator[Problem]:
    """Yield what is wrong with an answer; nothing if it is valid against the schema, which is valid itself."""
    if not isinstance(answer, dict):
        yield "", "must be an object", "invalid"
        return
    properties = schema["properties"]
    for name in answer:
        if name not in properties:
            yield name, "is none of the question's fields", "unknown_field"
    for name, field in properties.items():
        if name in answer:
            if problem := _value_problem(field, answer[name]):
                yield name, *problem
        elif name in schema.get("required", ()):
            yield name, "is required", "required"


def _field_problems(name: str, field: Any) -> Iterator[Problem]:
    path = f"properties.{name}"
    if not name or len(name) > MAX_NAME or has_invisible_characters(name):
        yield path, f"needs a name of 1 to {MAX_NAME} visible characters", "invalid"
    if not isinstance(field, dict) or field.get("type") not in [*_MEMBERS]:
        yield path, f"must be an object of the type {', '.join(_MEMBERS)}", "invalid"
        return
    problems = [*_unknown(path, field, _MEMBERS[field["type"]]), *_text_problems(path, field), *_bound_problems(path, field)]
    if field["type"] == "string":
        problems += _enum_problems(path, field)
        if "format" in field and field["format"] not in FORMATS:
            problems.append((f"{path}.format", f"must be one of {', '.join(FORMATS)}", "invalid"))
    yield from problems
    if "default" in field and not problems and (problem := _value_problem(field, field["default"])):
        yield f"{path}.default", *problem


def _unknown(path: str, given: Mapping[str, Any], known: tuple[str, ...]) -> Iterator[Problem]:
    for name in given:
        if name not in known:
            yield _join(path, name), f"is not allowed here; known are {', '.join(known)}", "unknown_field"


def _text_problems(path: str, given: Mapping[str, Any]) -> Iterator[Problem]:
    for name, longest in (("title", MAX_TITLE), ("description", MAX_DESCRIPTION)):
        text = given.get(name, "")
        if not isinstance(text, str) or len(text) > longest:
            yield _join(path, name), f"must be a text of at most {longest:,} characters", "invalid"


def _bound_problems(path: str, field: Mapping[str, Any]) -> Iterator[Problem]:
    is_whole = field["type"] != "number"
    for low, high in (("minLength", "maxLength"), ("minimum", "maximum")):
        limits = [field[name] for name in (low, high) if name in field]
        if not all(_is_number(limit, whole=is_whole) and abs(limit) <= MAX_NUMBER for limit in limits):
            yield _join(path, low), f"{low} and {high} must be {'whole ' if is_whole else ''}numbers", "invalid"
        elif low == "minLength" and any(limit < 0 for limit in limits):
            yield _join(path, low), f"{low} and {high} cannot be negative", "min_value"
        elif limits != sorted(limits):
            yield _join(path, low), f"is greater than {high}", "invalid"


def _enum_problems(path: str, field: Mapping[str, Any]) -> Iterator[Problem]:
    if "enum" not in field:
        if "enumNames" in field:
            yield f"{path}.enumNames", "needs an enum", "invalid"
        return
    for name in ("enum", "enumNames"):
        values = field.get(name, field["enum"])
        if not (isinstance(values, list) and 0 < len(values) <= MAX_ENUM) or not all(
            isinstance(value, str) and 0 < len(value) <= MAX_VALUE and not has_invisible_characters(value) for value in values
        ):
            yield f"{path}.{name}", f"must be a list of 1 to {MAX_ENUM} texts of at most {MAX_VALUE} characters", "invalid"
        elif len(set(values)) != len(values):
            yield f"{path}.{name}", "has a value more than once", "duplicate"
        elif isinstance(field["enum"], list) and len(values) != len(field["enum"]):
            yield f"{path}.{name}", "must have as many entries as the enum", "invalid"


def _value_problem(field: Mapping[str, Any], value: Any) -> tuple[str, str] | None:
    """Return message and code of what is wrong with the value of a field, or None."""
    match field["type"]:
        case "boolean":
            return None if isinstance(value, bool) else ("must be true or false", "invalid")
        case "string":
            return _string_problem(field, value)
    is_whole = field["type"] == "integer"
    if not _is_number(value, whole=is_whole) or abs(value) > MAX_NUMBER:
        return f"must be a {'whole ' if is_whole else ''}number", "invalid"
    if "minimum" in field and value < field["minimum"]:
        return f"must be {field['minimum']} or more", "min_value"
    if "maximum" in field and value > field["maximum"]:
        return f"must be {field['maximum']} or less", "max_value"
    return None


def _string_problem(field: Mapping[str, Any], value: Any) -> tuple[str, str] | None:
    if not isinstance(value, str):
        return "must be text", "invalid"
    longest = min(field.get("maxLength", MAX_ANSWER), MAX_ANSWER)
    if len(value) > longest:
        return f"is longer than {longest:,} characters", "max_length"
    if len(value) < field.get("minLength", 0):
        return f"is shorter than {field['minLength']:,} characters", "min_length"
    if "enum" in field and value not in field["enum"]:
        return "is none of the choices", "invalid_choice"
    if "format" in field and not _CHECKS[field["format"]](value):
        return _FORMAT_MESSAGES[field["format"]], "invalid"
    return None


def _is_number(value: Any, *, whole: bool) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        return False
    return not whole or value == int(value)


def _is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def _is_date(text: str) -> bool:
    try:
        return bool(_DATE.fullmatch(text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _is_instant(text: str) -> bool:
    """Return whether the text is an instant of RFC 3339, which has an offset."""
    if not _OFFSET.search(text):
        return False
    try:
        StrictDateTimeField().run_validation(text)
    except Exception:  # The field's error says why, this one says how it should look.
        return False
    return True


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


_CHECKS: dict[str, Callable[[str], bool]] = {
    "email": _is_email,
    "uri": lambda text: bool(_URI.fullmatch(text)),
    "date": _is_date,
    "date-time": _is_instant,
}
_FORMAT_MESSAGES = {
    "email": "must be an e-mail address",
    "uri": "must be an address like https://example.com",
    "date": "must be a date like 2026-01-31",
    "date-time": "must be a time like 2026-01-31T12:00:00Z",
}
