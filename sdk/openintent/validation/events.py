"""Events that clients log."""

import logging
import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from ..enums import SERVER_WRITTEN, EventType
from ..errors import InputValidationError
from ._values import require_mapping, require_text

BATCH_SIZE = 1000
EVENT_TYPES = 100
EVENT_TYPES_OF_PROTOCOL = frozenset(EventType)
EVENT_TYPE = re.compile(r"[a-z][a-z0-9_.-]{0,99}")

log = logging.getLogger("openintent")


def validate_event(event_type: str, payload: Mapping[str, Any] | None = None) -> None:
    """Check an event that a client logs: the form of its type, which is none of the server's own (E-4), and a JSON payload."""
    _require_event_type(event_type, "event_type")
    if event_type in SERVER_WRITTEN:
        raise InputValidationError(f"event_type {str(event_type)!r} is reserved for the server", field="event_type")
    if payload is not None:
        require_mapping(payload, "payload")


def validate_events(events: Sequence[Mapping[str, Any]]) -> None:
    """Check a batch of events, each as `validate_event` does: 1 to 1,000, every one with an `event_type`."""
    if not 1 <= len(events) <= BATCH_SIZE:
        raise InputValidationError(f"events must be 1 to {BATCH_SIZE:,} at a time, not {len(events):,}", field="events")
    for index, event in enumerate(events):
        try:
            validate_event(event.get("event_type", ""), event.get("payload"))
        except InputValidationError as error:
            raise InputValidationError(f"events[{index}]: {error}", field=f"events[{index}].{error.field}") from None


def validate_event_types(event_types: Sequence[str]) -> None:
    """Check event types to filter by: at most 100, each in the form of a type."""
    if isinstance(event_types, str) or not isinstance(event_types, Sequence) or len(event_types) > EVENT_TYPES:
        raise InputValidationError(f"event_types must be a list of at most {EVENT_TYPES}", field="event_types")
    for index, event_type in enumerate(event_types):
        _require_event_type(event_type, f"event_types[{index}]")
    _warn_of_misspelled(*event_types)


def validate_event_filter(event_type: str | None) -> None:
    """Check a filter by event type, if passed: text of one type, or of several separated by commas."""
    if event_type is None:
        return
    if not isinstance(event_type, str):
        raise InputValidationError(
            f"event_type must be text like 'comment,state_patched', not {type(event_type).__name__}", field="event_type"
        )
    _warn_of_misspelled(*event_type.split(","))


def _warn_of_misspelled(*event_types: str) -> None:
    """Log a warning for each type to filter by that is almost one of the protocol's. It may be a client's own all the same."""
    for event_type in event_types:
        if event_type not in EVENT_TYPES_OF_PROTOCOL and (
            near := get_close_matches(event_type, EVENT_TYPES_OF_PROTOCOL, 1, 0.85)
        ):
            log.warning("The event type %r is none of the protocol's. Did you mean %r?", str(event_type), str(near[0]))


def _require_event_type(event_type: str, field: str) -> None:
    require_text(event_type, field, 100)
    if not EVENT_TYPE.fullmatch(event_type):
        raise InputValidationError(
            f"{field} must be lower-case letters, digits, '_', '.' or '-', and start with a letter; not {event_type!r}",
            field=field,
        )
