"""Requests per key, or per another subject. Counted exactly: in Redis for all processes, or in this one alone, where N processes allow N times the limit."""

import threading
from math import ceil
from time import monotonic
from uuid import UUID

from django.conf import settings

from access import sharedlimit
from core.errors import RateLimited

MAX_SUBJECTS = 100_000

_lock = threading.Lock()
_due: dict[str, float] = {}


def spend(key_id: UUID) -> None:
    """Count one request of the key. Raises RateLimited."""
    if settings.RATE_LIMIT is None:
        return
    count, period = settings.RATE_LIMIT
    early = early_by(str(key_id), count, period)
    if early > 0:
        raise RateLimited(max(1, ceil(early)))


def early_by(subject: str, count: int, period: float) -> float:
    """Return the seconds by which one more of the subject's requests comes too early. If it does not, it is counted.

    The generic cell rate algorithm: a request moves the subject's due time on by one share of the period; a subject may be
    at most one period ahead of the clock, so a burst up to the whole limit passes, and then an even flow.
    """
    early = sharedlimit.spend(subject, period / count, period) if settings.REDIS_URL else None
    return _spend_here(subject, period / count, period) if early is None else early


def _spend_here(subject: str, share: float, period: float) -> float:
    now = monotonic()
    with _lock:
        due = max(_due.get(subject, now), now) + share
        if due - now <= period:
            if len(_due) >= MAX_SUBJECTS:
                for each in [each for each, end in _due.items() if end <= now] or [*_due][: MAX_SUBJECTS // 2]:
                    del _due[each]
            _due[subject] = due
        return due - now - period


def forget() -> None:
    """Begin anew."""
    _due.clear()
