"""JSON as both databases keep it unchanged (protocol §1 "JSON")."""

from typing import Any

import orjson

MAX_DEPTH = 64
MAX_INTEGER = 2**53 - 1
MAX_VALUES = 2**19
"""Values of lists and members of objects in a body: as many as a JSON field of 1 MiB can have. Parsed, each takes up to 60 bytes."""
MAX_OBJECTS = 2**17
"""The same of objects, which take 240 bytes each,"""
MAX_MEMBERS = 2**18
"""and of their members, which take up to 150."""

_DIGITS_AS_ZERO = bytes(48 if 48 <= byte <= 57 else 32 for byte in range(256))
_MANY_DIGITS = b"0" * 16
_BLOCK = 2**18
_OF_A_FLOAT = (b".", b"e", b"E", b"e-", b"E-", b"e+", b"E+")


class StrictJSONError(ValueError):
    """The text is JSON, or nearly, but not a value that every database and client keeps. `code` says why."""

    def __init__(self, detail: str, code: str) -> None:
        super().__init__(detail)
        self.code = code


def loads(raw: bytes) -> Any:
    """Parse a request body. Raises NotStrict with a sentence for the caller."""
    if len(raw) > MAX_OBJECTS:
        _require_few_values(raw)
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise StrictJSONError(f"The body is not JSON: {error}.", "not_json") from None
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


def _require_few_values(raw: bytes) -> None:
    """Raise NotStrict for more values than can be parsed in bounded memory."""
    if _has_few_values(raw):
        return
    if not _has_few_values(_outside_strings(raw)):
        raise StrictJSONError(
            f"The JSON has more than {MAX_VALUES} values, {MAX_OBJECTS} objects or {MAX_MEMBERS} members; send less at once.",
            "too_many_values",
        )


def _has_few_values(raw: bytes) -> bool:
    return raw.count(b",") + raw.count(b"[") <= MAX_VALUES and raw.count(b"{") <= MAX_OBJECTS and raw.count(b":") <= MAX_MEMBERS


def _outside_strings(raw: bytes) -> bytes:
    """Return the text with its strings emptied. What follows a backslash outside of a string is not JSON anyway."""
    text = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    outside, is_inside = [], 0
    for start in range(0, len(text), _BLOCK):
        parts = text[start : start + _BLOCK].split(b'"')
        outside.append(b'""'.join(parts[is_inside::2]))
        is_inside = (is_inside + len(parts) - 1) % 2
    return b"".join(outside)


def _check(raw: bytes, value: Any) -> None:
    if depth(value) > MAX_DEPTH:
        raise StrictJSONError(f"The JSON is nested deeper than {MAX_DEPTH} levels.", "too_deep")
    if b"\\u0000" in raw and _has_nul(value):
        raise StrictJSONError("The JSON contains the NUL character (\\u0000).", "nul_character")
    _check_integers(_outside_strings(raw))


def _check_integers(text: bytes) -> None:
    """Raise NotStrict for an integer that orjson would turn into a float without a word. No regular expression: see _is_suspicious."""
    digits_only = text.translate(_DIGITS_AS_ZERO)
    start, end = digits_only.find(_MANY_DIGITS), 0
    while start >= 0:
        end = digits_only.find(b" ", start)
        if not _is_float(text, start, end):
            number = text[start : end if end >= 0 else None]
            if len(number) > 17 or int(number) > MAX_INTEGER:
                shown = number[:40].decode()
                raise StrictJSONError(f"The integer {shown} is outside ±(2^53−1); send it as a string.", "unsafe_integer")
        start = digits_only.find(_MANY_DIGITS, end) if end >= 0 else -1


def _is_float(text: bytes, start: int, end: int) -> bool:
    """Whether the digits there are a part of a number with a fraction or an exponent."""
    return text[end : end + 1] in _OF_A_FLOAT or text[start - 1 : start] in _OF_A_FLOAT or text[start - 2 : start] in _OF_A_FLOAT


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
