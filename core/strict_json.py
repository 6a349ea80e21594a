"""Strict JSON: only values that both databases store unchanged (protocol §1 "JSON")."""

from itertools import chain
from typing import Any

import orjson

MAX_DEPTH = 64
MAX_INTEGER = 2**53 - 1
MAX_VALUES = 2**19
"""Limit of list values and object members in a body: as many as a JSON field of 1 MiB can have. Each takes up to 60 bytes in memory."""
MAX_OBJECTS = 2**17
"""Limit of objects, which take 240 bytes each."""
MAX_MEMBERS = 2**18
"""Limit of object members, which take up to 150 bytes each."""

_CONTAINERS = frozenset([dict, list])
_DIGITS_AS_ZERO = bytes(48 if 48 <= byte <= 57 else 32 for byte in range(256))
_MANY_DIGITS = b"0" * 16
_BLOCK = 2**18
_FLOAT_MARKS = (b".", b"e", b"E", b"e-", b"E-", b"e+", b"E+")


class StrictJSONError(ValueError):
    """Invalid JSON, or JSON that not every database and client stores unchanged. `code` is the reason."""

    def __init__(self, detail: str, code: str) -> None:
        super().__init__(detail)
        self.code = code


def loads(raw: bytes) -> Any:
    """Parse a request body. Raise StrictJSONError with a message for the caller if it is not strict JSON."""
    if len(raw) > MAX_OBJECTS and not _has_few_values(raw) and not _has_few_values(_outside_strings(raw)):
        raise StrictJSONError(
            f"The JSON has more than {MAX_VALUES} values, {MAX_OBJECTS} objects or {MAX_MEMBERS} members; send less at once.",
            "too_many_values",
        )
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise StrictJSONError(f"The body is not JSON: {error}.", "not_json") from None
    # No regular expression for what may be a NUL or a large integer: it takes ten times as long, seconds for a large file.
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and depth(value) > MAX_DEPTH:
        raise StrictJSONError(f"The JSON is nested deeper than {MAX_DEPTH} levels.", "too_deep")
    if b"\\u0000" in raw and _has_nul(value):
        raise StrictJSONError("The JSON contains the NUL character (\\u0000).", "nul_character")
    if _MANY_DIGITS in raw.translate(_DIGITS_AS_ZERO):
        _require_safe_integers(_outside_strings(raw))
    return value


dumps = orjson.dumps


def text(value: Any) -> str:
    return orjson.dumps(value).decode()


def fits(value: Any, limit: int) -> bool:
    """Return whether the value takes at most `limit` bytes as JSON."""
    return len(orjson.dumps(value)) <= limit


def depth(value: Any) -> int:
    """Return the nesting depth; 0 for a scalar. No recursion: the value may be hostile."""
    deepest, level = 0, [value]
    while level := [item for item in level if type(item) in _CONTAINERS]:
        deepest += 1
        level = [*chain.from_iterable([item.values() if type(item) is dict else item for item in level])]
    return deepest


def _has_few_values(raw: bytes) -> bool:
    return raw.count(b",") + raw.count(b"[") <= MAX_VALUES and raw.count(b"{") <= MAX_OBJECTS and raw.count(b":") <= MAX_MEMBERS


def _outside_strings(raw: bytes) -> bytes:
    """Return the text with its strings emptied. A backslash outside of a string is not JSON anyway."""
    text = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    outside, is_inside = [], 0
    for start in range(0, len(text), _BLOCK):
        parts = text[start : start + _BLOCK].split(b'"')
        outside.append(b'""'.join(parts[is_inside::2]))
        is_inside = (is_inside + len(parts) - 1) % 2
    return b"".join(outside)


def _require_safe_integers(text: bytes) -> None:
    """Raise StrictJSONError if the text has an integer that orjson would silently convert to a float."""
    digits_only = text.translate(_DIGITS_AS_ZERO)
    start, end = digits_only.find(_MANY_DIGITS), 0
    while start >= 0:
        end = digits_only.find(b" ", start)
        has_fraction_or_exponent = (
            text[end : end + 1] in _FLOAT_MARKS
            or text[start - 1 : start] in _FLOAT_MARKS
            or text[start - 2 : start] in _FLOAT_MARKS
        )
        if not has_fraction_or_exponent:
            number = text[start : end if end >= 0 else None]
            if len(number) > 17 or int(number) > MAX_INTEGER:
                shown = number[:40].decode()
                raise StrictJSONError(f"The integer {shown} is outside ±(2^53−1). Send it as a string.", "unsafe_integer")
        start = digits_only.find(_MANY_DIGITS, end) if end >= 0 else -1


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
