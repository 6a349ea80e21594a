"""What values are made of: text, numbers, JSON."""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
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
_INSTEAD: dict[type, str] = {
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

    It has no control or format characters and no spaces at its ends. `system` is the server's and `user:…`
    signed-in people's, whatever their case and width: no agent has such a name. With `acts=False` any name that may
    stand in a log is good, to find it or to take it away.
    """
    text(agent_id, field, AGENT_ID_LENGTH)
    if not acts:
        return
    if agent_id != agent_id.strip() or has_invisible(agent_id):
        raise InputValidationError(
            f"{field}: cannot contain control or format characters, nor begin or end with a space", field=field
        )
    looks = folded(agent_id)
    if looks == "system":
        raise InputValidationError(f"{field}: 'system' is the server itself; act under another name", field=field)
    if looks.startswith("user:"):
        raise InputValidationError(
            f"{field}: names that begin with 'user:' are those of signed-in people; act under another name", field=field
        )


def has_invisible(value: str) -> bool:
    """Whether it has a control or format character, with which two texts can look the same and differ."""
    if value.isascii():
        return not value.isprintable()
    return any(unicodedata.category(each) in ("Cc", "Cf", "Cs") for each in value)


def folded(value: str) -> str:
    """Return what is the same for texts that look the same: without case, width, invisible characters and look-alike letters."""
    if not value.isascii():
        visible = "".join(each for each in unicodedata.normalize("NFKC", value) if unicodedata.category(each) not in ("Cc", "Cf"))
        value = unicodedata.normalize("NFKC", visible.casefold()).translate(_LOOK_ALIKE)
    return " ".join(value.lower().split())


def validate_header(value: str, field: str) -> None:
    """Check what is sent in an HTTP header, an agent's id or an idempotency key, say.

    Printable ASCII of 1 to 255 characters that neither starts nor ends with a space: headers have no other
    encoding that all servers and proxies agree on. The message never repeats the value, it may be a key.
    """
    text(value, field, 255)
    if not _HEADER.fullmatch(value):
        raise InputValidationError(
            f"{field} is sent in a header: it must be printable ASCII, without spaces around it",
            field=field,
        )


def validate_whole_number(value: int, field: str, least: int = 1, most: int | None = None) -> None:
    """Check an int from `least` to `most`. True and 1.0 are none."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or value < least or (most is not None and value > most):
        span = f"of at least {least}" if most is None else f"from {least:,} to {most:,}"
        raise InputValidationError(f"{field} must be a whole number {span}", field=field)


def validate_json(value: Any, field: str, *, depth: int = 0) -> None:
    """Check that a value arrives as it is sent (protocol §1 "JSON"), in every database.

    Allowed are None, bool, finite float, int within ±(2^53−1), str without NUL and lone surrogates, and
    mappings with str keys, lists and tuples of these; at most 64 deep, the `depth` containers around the
    value included. Anything else, a datetime or a Decimal, say, is refused rather than converted: its
    reader could not tell what it was.
    """
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        _characters(value, field)
    elif isinstance(value, (int, float)):
        _json_number(value, field)
    elif isinstance(value, (Mapping, list, tuple)):
        if depth == JSON_DEPTH:
            raise InputValidationError(f"{field} is nested more than {JSON_DEPTH} deep", field=field)
        for inner, name in _members(value, field):
            validate_json(inner, name, depth=depth + 1)
    else:
        raise InputValidationError(f"{field} {_not_json(value)}", field=field)


def _members(value: Any, field: str) -> Iterable[tuple[Any, str]]:
    if not isinstance(value, Mapping):
        yield from ((inner, f"{field}[{index}]") for index, inner in enumerate(value))
        return
    for key, inner in value.items():
        if not isinstance(key, str):
            raise InputValidationError(f"{field} has a key that is not text: {key!r}", field=field)
        _characters(key, field)
        yield inner, f"{field}.{key}"


def _json_number(value: float, field: str) -> None:
    if isinstance(value, int):
        if abs(value) > JSON_INTEGER:
            raise InputValidationError(
                f"{field} is an integer beyond ±(2^53−1), which not every reader of JSON keeps; send text",
                field=field,
            )
    elif not math.isfinite(value):
        raise InputValidationError(f"{field} must be a finite number, not {value}", field=field)


def _not_json(value: object) -> str:
    kind = type(value)
    instead = next((text for known, text in _INSTEAD.items() if isinstance(value, known)), None)
    hint = f"; send {instead}" if instead else ""
    return f"is a {kind.__name__}, which JSON does not have{hint}"


def number(value: Any, field: str, least: float, most: float) -> None:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not least <= value <= most:
        raise InputValidationError(f"{field} must be a number from {least:,} to {most:,}", field=field)


def nearest(name: str, known: Sequence[str]) -> str:
    """What may have been meant by a name that is not known."""
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"


def one_of(value: Any, field: str, words: type[StrEnum]) -> None:
    if value not in list(words):
        raise InputValidationError(f"{field} must be one of {', '.join(words)}, not {value!r}", field=field)


def why(reason: Any, longest: int = DESCRIPTION_LENGTH) -> None:
    """Free text, or nothing."""
    if reason is not None:
        text(reason, "reason", longest, empty=True)


def listed(value: Any, field: str, most: int) -> Sequence[Any]:
    """The value, if it is a list of at most so many; None is an empty one."""
    if isinstance(value, str) or not isinstance(value, Sequence | None) or len(value or ()) > most:
        raise InputValidationError(f"{field} must be a list of at most {most}", field=field)
    return value or ()


def flag(value: Any, field: str) -> None:
    if not isinstance(value, bool):
        raise InputValidationError(f"{field} must be True or False, not {value!r}", field=field)


def mapping(value: Any, field: str) -> None:
    if not isinstance(value, Mapping):
        raise InputValidationError(f"{field} must be a dict, not {type(value).__name__}", field=field)
    validate_json(value, field)


def text(value: Any, field: str, longest: int, *, empty: bool = False) -> None:
    if not isinstance(value, str):
        raise InputValidationError(f"{field} must be text, not {type(value).__name__}", field=field)
    if not empty and not value.strip():
        raise InputValidationError(f"{field} cannot be empty", field=field)
    if len(value) > longest:
        raise InputValidationError(
            f"{field} cannot be longer than {longest:,} characters; it has {len(value):,}",
            field=field,
        )
    _characters(value, field)


def _characters(value: str, field: str) -> None:
    if _NOT_TEXT.search(value):
        raise InputValidationError(f"{field} cannot contain NUL or lone surrogates", field=field)
