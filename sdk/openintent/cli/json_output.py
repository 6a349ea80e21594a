"""JSON output: models as the API sends them (protocol §3)."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from ..models._model import Model
from .sanitize import escape_json

_ONLY_SOMETIMES = {"effective_constraints", "key"}
"""Fields that only some of the API's responses have; they are omitted if they are None."""

_EXACT = "\x00"
"""Prefix of numbers that json cannot write with all their digits. No text of the protocol has this character."""


def dumps(value: Any, indent: int | None = 2) -> str:
    """Return the JSON of models and the values in them; on one line without `indent`."""
    text = json.dumps(_to_json_data(value), ensure_ascii=False, indent=indent, default=lambda number: f"{_EXACT}{number:f}")
    return escape_json(re.sub(r'"\\u0000([0-9.]+)"', r"\1", text))


def _to_json_data(value: Any) -> Any:
    match value:
        case Model():
            named = {each.metadata.get("key", each.name): getattr(value, each.name) for each in fields(value)}
            extra = named.pop(None)
            shown = {name: each for name, each in named.items() if each is not None or name not in _ONLY_SOMETIMES}
            return _to_json_data({**shown, **extra})
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        case Mapping():
            return {str(name): _to_json_data(each) for name, each in value.items()}
        case str() | Decimal():
            return value
        case Sequence():
            return [_to_json_data(each) for each in value]
    return value
