"""What the API would refuse, refused before it is sent (protocol K-3).

Each `validate_…` returns None or raises InputValidationError, whose `field` names the culprit. The
clients call them; call them yourself to check input early. The server checks the same again.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from .enums import SERVER_WRITTEN
from .errors import InputValidationError

__all__ = [
    "InputValidationError",
    "validate_agent_id",
    "validate_event",
    "validate_events",
    "validate_header",
    "validate_intent_create",
    "validate_intent_update",
    "validate_json",
    "validate_lease_acquire",
    "validate_patches",
    "validate_state",
    "validate_whole_number",
]

TITLE_LENGTH = 500
DESCRIPTION_LENGTH = 10_000
AGENT_ID_LENGTH = 255
SCOPE_LENGTH = 200
CONFIDENCE = (0, 100)
LEASE_SECONDS = (1, 86_400)
BATCH_SIZE = 1000
JSON_DEPTH = 64
JSON_INTEGER = 2**53 - 1
EVENT_TYPE = re.compile(r"[a-z][a-z0-9_.-]{0,99}")
PATCH_OPS = ("set", "append", "remove")

_NOT_TEXT = re.compile("[\x00\ud800-\udfff]")  # PostgreSQL stores neither; UTF-8 has no surrogates.
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


def validate_intent_create(
    title: str,
    description: str | None = None,
    *,
    state: Mapping[str, Any] | None = None,
    constraints: Mapping[str, Any] | Sequence[Any] | None = None,
    confidence: int | None = None,
    assign: str | Sequence[str] | None = None,
) -> None:
    """Check a new intent: `validate_intent_create(title="")` says "title cannot be empty"."""
    validate_intent_update(title=title, description=description, constraints=constraints, confidence=confidence)
    if state is not None:
        _mapping(state, "state")
    if assign is not None:
        for agent_id in [assign] if isinstance(assign, str) else assign:
            validate_agent_id(agent_id, "assign")


def validate_intent_update(**changes: Any) -> None:
    """Check new values of an intent's `title`, `description`, `constraints` and `confidence`."""
    if "title" in changes:
        _text(changes["title"], "title", TITLE_LENGTH)
    if changes.get("description") is not None:
        _text(changes["description"], "description", DESCRIPTION_LENGTH, empty=True)
    if changes.get("constraints") is not None:
        _constraints(changes["constraints"])
    if changes.get("confidence") is not None:
        validate_whole_number(changes["confidence"], "confidence", *CONFIDENCE)


def validate_state(state: Mapping[str, Any]) -> None:
    """Check keys to set in an intent's state: at least one, and all of it JSON."""
    _mapping(state, "state")
    if not state:
        raise InputValidationError("state cannot be empty", field="state")


def validate_patches(patches: Sequence[Mapping[str, Any]]) -> None:
    """Check patches of an intent's state (protocol I-3): `[{"op": "set", "path": "a", "value": 1}]`.

    `op` is set, append or remove; `path` a plain key, or a JSON Pointer if it starts with a slash.
    """
    if not patches:
        raise InputValidationError("patches cannot be empty", field="patches")
    for index, patch in enumerate(patches):
        _patch(patch, f"patches[{index}]")


def validate_event(event_type: str, payload: Mapping[str, Any] | None = None) -> None:
    """Check an event that a client logs: the form of its type, not one of the server's own (E-4), a JSON payload."""
    _text(event_type, "event_type", 100)
    if not EVENT_TYPE.fullmatch(event_type):
        raise InputValidationError(
            f"event_type must be lower-case letters, digits, '_', '.' or '-', and start with a letter; not {event_type!r}",
            field="event_type",
        )
    if event_type in SERVER_WRITTEN:
        raise InputValidationError(f"event_type {str(event_type)!r} is written by the server alone", field="event_type")
    if payload is not None:
        _mapping(payload, "payload")


def validate_events(events: Sequence[Mapping[str, Any]]) -> None:
    """Check a batch of events, each as `validate_event` does: 1 to 1,000, every one with an `event_type`."""
    if not 1 <= len(events) <= BATCH_SIZE:
        raise InputValidationError(f"events must be 1 to {BATCH_SIZE:,} at a time, not {len(events):,}", field="events")
    for index, event in enumerate(events):
        try:
            validate_event(event.get("event_type", ""), event.get("payload"))
        except InputValidationError as error:
            raise InputValidationError(f"events[{index}]: {error}", field=f"events[{index}].{error.field}") from None


def validate_lease_acquire(scope: str, duration_seconds: int = 300) -> None:
    """Check a lease to acquire (protocol L-1, L-2): a scope as `content.draft`, for 1 to 86,400 whole seconds."""
    _text(scope, "scope", SCOPE_LENGTH)
    if any(not level.strip() for level in scope.split(".")):
        raise InputValidationError(f"scope cannot have an empty level between its dots, as {scope!r} has", field="scope")
    validate_whole_number(duration_seconds, "duration_seconds", *LEASE_SECONDS)


def validate_agent_id(agent_id: str, field: str = "agent_id") -> None:
    """Check an agent's id: free text of 1 to 255 characters."""
    _text(agent_id, field, AGENT_ID_LENGTH)


def validate_header(value: str, field: str) -> None:
    """Check what is sent in an HTTP header, an agent's id or an idempotency key, say.

    Printable ASCII of 1 to 255 characters that neither starts nor ends with a space: headers have no other
    encoding that all servers and proxies agree on. The message never repeats the value, it may be a key.
    """
    _text(value, field, 255)
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


def _patch(patch: Any, field: str) -> None:
    _mapping(patch, field)
    op = patch.get("op")
    if op not in PATCH_OPS:
        raise InputValidationError(
            f"{field}.op must be {', '.join(PATCH_OPS[:-1])} or {PATCH_OPS[-1]}, not {op!r}",
            field=f"{field}.op",
        )
    if not isinstance(patch.get("path"), str):
        raise InputValidationError(f"{field}.path must be text", field=f"{field}.path")
    if op != "remove" and "value" not in patch:
        raise InputValidationError(f"{field} needs a value to {op}", field=f"{field}.value")


def _mapping(value: Any, field: str) -> None:
    if not isinstance(value, Mapping):
        raise InputValidationError(f"{field} must be a dict, not {type(value).__name__}", field=field)
    validate_json(value, field)


def _constraints(value: Any) -> None:
    if not isinstance(value, (Mapping, list, tuple)):
        raise InputValidationError(
            f"constraints must be a dict or a list of rules, not {type(value).__name__}",
            field="constraints",
        )
    validate_json(value, "constraints")


def _text(value: Any, field: str, longest: int, *, empty: bool = False) -> None:
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
