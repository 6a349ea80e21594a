"""Ids: UUIDs that sort by the time they were made, so that new rows land at an index's end."""

import os
import time
from datetime import datetime
from typing import Any
from uuid import UUID

_newest = 0  # Milliseconds.


def new_id() -> UUID:
    """A UUID of version 7 (RFC 9562 §5.7): 48 bits of Unix milliseconds, then random bits.

    Where the clock steps back, the milliseconds stay: lists in the order of ids go on at their end.
    """
    global _newest
    _newest = max(_newest, time.time_ns() // 1_000_000)
    value = _newest << 80 | int.from_bytes(os.urandom(10))
    value = value & ~(0xF000 << 64) | 0x7000 << 64
    return UUID(int=value & ~(0xC000 << 48) | 0x8000 << 48)


def first_id_at(moment: datetime) -> UUID:
    """What all ids that were made from that moment on are above, and all earlier ones below."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


class IdConverter:
    """A path part that should be an id. What is not one goes through as text: the verb then says what was not found."""

    regex = "[^/]+"

    def to_python(self, value: str) -> UUID | str:
        return parse_id(value) or value

    def to_url(self, value: Any) -> str:
        return str(value)


def parse_id(value: str) -> UUID | None:
    """The id in its usual form of 36 characters, or None."""
    if len(value) != 36 or not value.isascii():
        return None
    try:
        found = UUID(value)
    except ValueError:
        return None
    return found if str(found) == value.lower() else None
