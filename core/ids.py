"""Ids: UUIDs that sort by creation time, so that new rows land at an index's end."""

import os
import threading
import time
from datetime import datetime
from io import BytesIO
from typing import Any
from uuid import UUID

_RANDOM_BITS = 74
_POOL_SIZE = 4_096  # Bytes that are drawn at once: each call of the system lets other threads take the interpreter's lock.
_lock = threading.Lock()
_newest = 0
_pool = BytesIO()


def new_id() -> UUID:
    """Return a UUID of version 7 (RFC 9562 §5.7) above all earlier ones of this process.

    48 bits of Unix milliseconds, then random bits. Within a millisecond, and if the clock steps back, it is the last id plus a
    random number (§6.2, method 2): lists ordered by id grow at their end.
    """
    global _newest
    now = time.time_ns() // 1_000_000 << _RANDOM_BITS
    with _lock:
        if now > _newest:
            _newest = now | int.from_bytes(_draw(10)) >> 6
        else:
            _newest += 1 + int.from_bytes(_draw(4))
        value = _newest
    return UUID(int=_versioned(value))


def new_ids(count: int) -> list[UUID]:
    """Return ids as `new_id` does, the lowest first: for many it takes half the time."""
    return [UUID(int=value) for value in _new_values(count)]


def new_ids_as_text(count: int) -> list[str]:
    """Return ids as `new_ids` does, each as 32 hex digits, as which either database takes it."""
    return [f"{value:032x}" for value in _new_values(count)]


def _new_values(count: int) -> list[int]:
    global _newest
    found = [new_id().int for _ in range(min(count, 1))]
    if count < 2:
        return found
    with _lock:
        for step in memoryview(os.urandom(4 * (count - 1))).cast("I"):
            _newest += 1 + step
            found.append(_versioned(_newest))
    return found


def _versioned(value: int) -> int:
    """Return the id of 48 bits of time and 74 bits that follow, with its version and variant between them."""
    return value >> 74 << 80 | 0x7 << 76 | (value >> 62 & 0xFFF) << 64 | 0x2 << 62 | value & (1 << 62) - 1


def random_text() -> str:
    """Return 64 random bits as 16 hex digits."""
    with _lock:
        return _draw(8).hex()


def _draw(count: int) -> bytes:
    """Return random bytes. The caller holds the lock."""
    global _pool
    drawn = _pool.read(count)
    if len(drawn) < count:
        _pool = BytesIO(os.urandom(_POOL_SIZE))
        drawn = _pool.read(count)
    return drawn


def _forget_pool() -> None:
    """Let a forked process draw bytes of its own."""
    global _pool
    _pool = BytesIO()


os.register_at_fork(after_in_child=_forget_pool)


def as_uuid(value: UUID | str) -> UUID:
    """Return an id as either database returns it."""
    return value if isinstance(value, UUID) else UUID(value)


def first_id_at(moment: datetime) -> UUID:
    """Return the lower bound of ids created from that moment on."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


class IdConverter:
    """Path converter of ids. Other text is passed on, so that the verb raises its not-found error."""

    regex = "[^/]+"

    def to_python(self, value: str) -> UUID | str:
        return parse_id(value) or value

    def to_url(self, value: Any) -> str:
        return str(value)


def parse_id(value: str) -> UUID | None:
    """Return the id of a text in canonical form (36 characters), or None."""
    if len(value) != 36 or not value.isascii():
        return None
    try:
        found = UUID(value)
    except ValueError:
        return None
    return found if str(found) == value.lower() else None
