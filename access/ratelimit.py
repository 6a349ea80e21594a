"""Requests per key. Counted exactly: in Redis for all processes, or in this one alone, where N processes allow N times the limit."""

import threading
from math import ceil
from time import monotonic
from uuid import UUID

from django.conf import settings

from access import sharedlimit
from config.errors import RateLimited

_lock = threading.Lock()
_due: dict[UUID, float] = {}


def spend(key_id: UUID) -> None:
    """Count one request of the key. Raises RateLimited.

    The generic cell rate algorithm: a request moves the key's due time on by one share of the period; a key may be
    at most one period ahead of the clock, so a burst up to the whole limit passes, and then an even flow.
    """
    if settings.RATE_LIMIT is None:
        return
    count, period = settings.RATE_LIMIT
    early = sharedlimit.spend(key_id, period / count, period) if settings.REDIS_URL else None
    if early is None:
        early = _spend_here(key_id, period / count, period)
    if early > 0:
        raise RateLimited(max(1, ceil(early)))


def _spend_here(key_id: UUID, share: float, period: float) -> float:
    now = monotonic()
    with _lock:
        due = max(_due.get(key_id, now), now) + share
        if due - now <= period:
            _due[key_id] = due
        return due - now - period


def forget() -> None:
    """Begin anew."""
    _due.clear()
