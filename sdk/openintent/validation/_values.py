"""Validation of single values: text, numbers, JSON."""

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from difflib import get_close_matches
from enum import Enum, StrEnum
from typing import Any
from uuid import UUID

from ..errors import InputValidationError

TITLE_LENGTH = 500
DESCRIPTION_LENGTH = 10_000
AGENT_ID_LENGTH = 255
URL_LENGTH = 2_000
JSON_DEPTH = 64
JSON_INTEGER = 2**53 - 1

_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL stores neither; UTF-8 has no surrogates.
_LOOK_ALIKE = str.maketrans(
    # Cyrillic, Greek and others, in lower case, whose small or capital form looks like a Latin letter.
    "авекмнорстухіјѕԁһԛԝӏғ" + "αβεηικμνορτυχζϲϳ" + "ıɑɡⅼ",
    "abekmhopctyxijsdhqwlf" + "abenikmvoptuxzcj" + "iagl",
)
_HEADER = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_CONVERSIONS: dict[type, str] = {
    datetime: "value.isoformat()",
    date: "value.isoformat()",
    Decimal: "str(value), or float(value) if it may be rounded",
    UUID: "str(value)",
    Enum: "value.value",
    bytes: "base64.b64encode(value).decode()",
    set: "list(value)",
    frozenset: "list(value)",
}


def validate_agent_id(agent_id: str, field: str = "agent_id", *, acts: bool = True) -> None:
    """Check an agent's id: free text of 1 to 255 characters (protocol §1.1).

    It has no control or format characters and no spaces at its ends. `system` is reserved for the server and `user:…`
    for signed-in people, whatever their case and width. With `acts=False` any name that may occur in a log is
    accepted, to find or unassign it.
    """
    require_text(agent_id, field, AGENT_ID_LENGTH)
    if not acts:
        return
    if agent_id != agent_id.strip() or has_invisible(agent_id):
        raise InputValidationError(
            f"{field}: cannot contain control or format characters, nor begin or end with a space", field=field
        )
    looks = fold_look_alikes(agent_id)
    if looks == "system":
        raise InputValidationError(f"{field}: 'system' is reserved for the server; choose another id", field=field)
    if looks.startswith("user:"):
        raise InputValidationError(
            f"{field}: ids that begin with 'user:' are reserved for console users; choose another id", field=field
        )


def has_invisible(value: str) -> bool:
    """Return whether it has a control or format character, with which two texts can look the same and differ."""
    if value.isascii():
        return not value.isprintable()
    return any(unicodedata.category(each) in ("Cc", "Cf", "Cs") for each in value)


def fold_look_alikes(value: str) -> str:
    """Return a form that is equal for texts that look the same: without case, width, invisible characters and look-alike letters."""
    if not value.isascii():
        visible = "".join(each for each in unicodedata.normalize("NFKC", value) if unicodedata.category(each) not in ("Cc", "Cf"))
        value = unicodedata.normalize("NFKC", visible.casefold()).translate(_LOOK_ALIKE)
    return " ".join(value.lower().split())


def validate_header(value: str, field: str) -> None:
    """Check a value that is sent in an HTTP header, such as an agent's id or an idempotency key.

    It is printable ASCII of 1 to 255 characters that neither starts nor ends with a space: headers have no other
    encoding that all servers and proxies agree on. The message never repeats the value, as it may be a key.
    """
    require_text(value, field, 255)
    if not _HEADER.fullmatch(value):
        raise InputValidationError(
            f"{field} is sent in a header: it must be printable ASCII, without spaces around it",
            field=field,
        )


def validate_whole_number(value: int, field: str, least: int = 1, most: int | None = None) -> None:
    """Check an int from `least` to `most`. True and 1.0 are rejected."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or value < least or (most is not None and value > most):
        span = f"of at least {least}" if most is None else f"from {least:,} to {most:,}"
        raise InputValidationError(f"{field} must be a whole number {span}", field=field)


def validate_json(value: Any, field: str, *, depth: int = 0) -> None:
    """Check that a value is stored as it is sent (protocol §1 "JSON"), in every database.

    Allowed are None, bool, finite float, int within ±(2^53−1), str without NUL and lone surrogates, and
    mappings with str keys, lists and tuples of these; at most 64 deep, the `depth` containers around the
    value included. Anything else, such as a datetime or a Decimal, is rejected rather than converted, because
    a reader could not tell its type.
    """
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        _require_characters(value, field)
    elif isinstance(value, int):
        if abs(value) > JSON_INTEGER:
            raise InputValidationError(
                f"{field} is an integer beyond ±(2^53−1), which not every JSON parser keeps; send text",
                field=field,
            )
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise InputValidationError(f"{field} must be a finite number, not {value}", field=field)
    elif isinstance(value, (Mapping, list, tuple)) and depth == JSON_DEPTH:
        raise InputValidationError(f"{field} is nested more than {JSON_DEPTH} deep", field=field)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise InputValidationError(f"{field} has a key that is not text: {key!r}", field=field)
            _require_characters(key, field)
            validate_json(inner, f"{field}.{key}", depth=depth + 1)
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            validate_json(inner, f"{field}[{index}]", depth=depth + 1)
    else:
        instead = next((text for known, text in _CONVERSIONS.items() if isinstance(value, known)), None)
        hint = f"; send {instead}" if instead else ""
        raise InputValidationError(f"{field}: {type(value).__name__} is not JSON-serializable{hint}", field=field)


def require_number(value: Any, field: str, least: float, most: float) -> None:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not least <= value <= most:
        raise InputValidationError(f"{field} must be a number from {least:,} to {most:,}", field=field)


def suggest(name: str, known: Sequence[str]) -> str:
    """Return a hint for an unknown name: the closest known one, or all of them."""
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"


def require_one_of(value: Any, field: str, words: type[StrEnum]) -> None:
    if value not in list(words):
        raise InputValidationError(f"{field} must be one of {', '.join(words)}, not {value!r}", field=field)


def require_reason(reason: Any, longest: int = DESCRIPTION_LENGTH) -> None:
    """Raise InputValidationError unless it is None or text of at most `longest` characters."""
    if reason is not None:
        require_text(reason, "reason", longest, empty=True)


def require_list(value: Any, field: str, most: int) -> Sequence[Any]:
    """Return the value, an empty list for None. Raise InputValidationError unless it is a list of at most `most` items."""
    if isinstance(value, str) or not isinstance(value, Sequence | None) or len(value or ()) > most:
        raise InputValidationError(f"{field} must be a list of at most {most}", field=field)
    return value or ()


def require_bool(value: Any, field: str) -> None:
    if not isinstance(value, bool):
        raise InputValidationError(f"{field} must be True or False, not {value!r}", field=field)


def require_mapping(value: Any, field: str) -> None:
    if not isinstance(value, Mapping):
        raise InputValidationError(f"{field} must be a dict, not {type(value).__name__}", field=field)
    validate_json(value, field)


def require_text(value: Any, field: str, longest: int, *, empty: bool = False) -> None:
    if not isinstance(value, str):
        raise InputValidationError(f"{field} must be text, not {type(value).__name__}", field=field)
    if not empty and not value.strip():
        raise InputValidationError(f"{field} cannot be empty", field=field)
    if len(value) > longest:
        raise InputValidationError(
            f"{field} cannot be longer than {longest:,} characters; it has {len(value):,}",
            field=field,
        )
    _require_characters(value, field)


def _require_characters(value: str, field: str) -> None:
    if _NOT_TEXT.search(value):
        raise InputValidationError(f"{field} cannot contain NUL or lone surrogates", field=field)
