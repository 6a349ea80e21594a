"""Form fields of a typed answer, from the question's schema (rule H-1)."""

import re
from collections.abc import Mapping
from typing import Any

from django import forms

from console.actions import INPUT

PREFIX = "field-"
"""Of the names of the fields, which count them: a question may name its own as it likes."""

_NUMBER = re.compile(r"[+-]?\d{1,18}(\.\d{1,18})?", re.ASCII)
_INPUT_TYPES = {"email": "email", "uri": "url", "date": "date"}


def answer_fields(schema: Mapping[str, Any]) -> dict[str, forms.Field]:
    """Return the form's field of each property, in their order. What is required is checked with the answer as a whole."""
    required = schema.get("required", ())
    return {
        f"{PREFIX}{number}": _field(name, field, is_required=name in required)
        for number, (name, field) in enumerate(schema["properties"].items())
    }


def answer_from(schema: Mapping[str, Any], cleaned: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answer that was entered. Fields that were left empty are left out; a text that is no number stays one, to be refused."""
    answer = {}
    for number, (name, field) in enumerate(schema["properties"].items()):
        text = cleaned.get(f"{PREFIX}{number}") or ""
        if text:
            answer[name] = _value(field["type"], text)
    return answer


def field_of(schema: Mapping[str, Any], name: str) -> str | None:
    """Return the form's field of the property, or None if there is none."""
    names = [*schema["properties"]]
    return f"{PREFIX}{names.index(name)}" if name in names else None


def _field(name: str, field: Mapping[str, Any], *, is_required: bool) -> forms.Field:
    label = field.get("title") or name
    about: dict[str, Any] = {
        "label": label if is_required else f"{label} (optional)",
        "help_text": field.get("description", ""),
        "required": False,
        "initial": _text(field.get("default")),
    }
    choices = _choices(field)
    if choices is not None:
        return forms.ChoiceField(choices=[("", "Choose"), *choices], widget=forms.Select(attrs=INPUT), **about)
    attributes = {**INPUT, "autocomplete": "off"}
    if field["type"] != "string":
        attributes["inputmode"] = "numeric" if field["type"] == "integer" else "decimal"
    elif field.get("format") == "date-time":
        attributes["placeholder"] = "2026-01-31T12:00:00Z"
    widget = forms.TextInput(attrs={**attributes, "type": _INPUT_TYPES.get(field.get("format", ""), "text")})
    return forms.CharField(widget=widget, strip=field["type"] != "string", **about)


def _choices(field: Mapping[str, Any]) -> list[tuple[str, str]] | None:
    if field["type"] == "boolean":
        return [("true", "Yes"), ("false", "No")]
    if "enum" in field:
        return [*zip(field["enum"], field.get("enumNames", field["enum"]), strict=True)]
    return None


def _text(default: Any) -> str:
    if isinstance(default, bool):
        return "true" if default else "false"
    return "" if default is None else str(default)


def _value(kind: str, text: str) -> Any:
    match kind:
        case "boolean":
            return text == "true"
        case "number" | "integer" if _NUMBER.fullmatch(text):
            return float(text) if "." in text else int(text)
    return text
