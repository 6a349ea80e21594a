"""JSON as both databases keep it unchanged (protocol §1 "JSON")."""

import json
from typing import TYPE_CHECKING, Any

import orjson
from django.db import models

MAX_DEPTH = 64
MAX_INTEGER = 2**53 - 1

_DIGITS_AS_ZERO = bytes(48 if 48 <= byte <= 57 else 32 for byte in range(256))
_MANY_DIGITS = b"0" * 16


class NotStrict(ValueError):
    """The text is JSON, or nearly, but not a value that every database and client keeps. `code` says why."""

    def __init__(self, detail: str, code: str) -> None:
        super().__init__(detail)
        self.code = code


def loads(raw: bytes) -> Any:
    """Parse a request body. Raises NotStrict with a sentence for the caller."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise NotStrict(f"The body is not JSON: {error}.", "not_json") from None
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH or _is_suspicious(raw):
        _check(raw, value)
    return value


def dumps(value: Any) -> bytes:
    return orjson.dumps(value)


def text(value: Any) -> str:
    return orjson.dumps(value).decode()


def fits(value: Any, limit: int) -> bool:
    """Whether the value takes at most `limit` bytes as JSON."""
    return len(orjson.dumps(value)) <= limit


def depth(value: Any) -> int:
    """How many containers lie within each other; 0 for a plain value. No recursion: the value may be hostile."""
    deepest, level = 0, [value]
    while level := [item for item in level if isinstance(item, (dict, list))]:
        deepest += 1
        level = [child for item in level for child in (item.values() if isinstance(item, dict) else item)]
    return deepest


def _is_suspicious(raw: bytes) -> bool:
    """Whether it may have NULs or large integers. A regular expression takes ten times as long: seconds for a large file."""
    return _MANY_DIGITS in raw.translate(_DIGITS_AS_ZERO) or b"\\u0000" in raw


def _check(raw: bytes, value: Any) -> None:
    if depth(value) > MAX_DEPTH:
        raise NotStrict(f"The JSON is nested deeper than {MAX_DEPTH} levels.", "too_deep")
    if b"\\u0000" in raw and _has_nul(value):
        raise NotStrict("The JSON contains the NUL character (\\u0000).", "nul_character")
    json.loads(raw, parse_int=_check_integer)  # orjson turns the largest integers into floats without a word.


def _has_nul(value: Any) -> bool:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            pending.extend(item)
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
        elif isinstance(item, str) and "\0" in item:
            return True
    return False


def _check_integer(digits: str) -> int:
    if len(digits) > 17 or abs(number := int(digits)) > MAX_INTEGER:
        raise NotStrict(f"The integer {digits[:40]} is outside ±(2^53−1); send it as a string.", "unsafe_integer")
    return number


if TYPE_CHECKING:
    _TextField = models.TextField[Any, Any]
else:
    _TextField = models.TextField


class JSONTextField(_TextField):
    """A JSON value kept as the very text that was written.

    PostgreSQL's jsonb reorders keys and rewrites numbers, and differs from SQLite;
    a log that is replayed and compared needs neither.
    """

    if TYPE_CHECKING:
        _pyi_private_set_type: Any
        _pyi_private_get_type: Any

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        return None if value is None else orjson.loads(value)

    def get_prep_value(self, value: Any) -> str | None:
        return None if value is None else text(value)

    def to_python(self, value: Any) -> Any:
        return orjson.loads(value) if isinstance(value, str) else value

    def value_to_string(self, obj: models.Model) -> str:
        return text(self.value_from_object(obj))
