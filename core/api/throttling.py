"""Throttling by the generic cell rate algorithm (GCRA), with stores in this process and in Redis.

A request moves its subject's due time on by one share of the period. The due time may be at most one period ahead of the
clock, so that a burst up to the whole limit passes, and then an even flow. With Redis the limit holds for all processes;
without it, or while it is unavailable, N processes allow N times the limit. console.sign_in.throttle applies the algorithm to rows
of the database.
"""

import logging
import threading
from functools import cache
from math import ceil
from time import monotonic
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from core.errors import RateLimited

MAX_SUBJECTS = 100_000
REDIS_TIMEOUT = 0.05  # Seconds that a request waits for Redis.
REDIS_PAUSE = 5.0  # Seconds for which a Redis that did not respond is not used.

# In microseconds, by the clock of Redis.
_REDIS_SCRIPT = """
    local time = redis.call('TIME')
    local now = time[1] * 1000000 + time[2]
    local due = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now) + tonumber(ARGV[1])
    local early = due - now - tonumber(ARGV[2])
    if early <= 0 then
        redis.call('SET', KEYS[1], string.format('%.0f', due), 'PX', string.format('%.0f', math.ceil((due - now) / 1000)))
    end
    return math.ceil(early)
"""
_MICRO = 1_000_000

log = logging.getLogger("openintent.throttling")


class KeyThrottle(BaseThrottle):
    """Rate limit of each key (OPENINTENT_RATE_LIMIT)."""

    early = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:
        self.early = key_seconds_early(cast(Any, request.user).key_id)
        return self.early <= 0

    def wait(self) -> float:
        return self.early


def count_request(key_id: UUID) -> None:
    """Count a request of the key. Raise RateLimited if it exceeds OPENINTENT_RATE_LIMIT."""
    if (early := key_seconds_early(key_id)) > 0:
        raise RateLimited(max(1, ceil(early)))


def key_seconds_early(key_id: UUID) -> float:
    """Return by how many seconds a request of the key is too early; count it if it is not."""
    return 0.0 if settings.RATE_LIMIT is None else seconds_early(str(key_id), *settings.RATE_LIMIT)


def seconds_early(subject: str, count: int, period: float) -> float:
    """Return by how many seconds another request of the subject is too early; count it if it is not (0 or less)."""
    early = redis_store.count(subject, period / count, period) if settings.REDIS_URL else None
    return memory_store.count(subject, period / count, period) if early is None else early


def next_due(due: float, now: float, share: float) -> float:
    """Return the due time after one more request."""
    return max(due, now) + share


class MemoryStore:
    """Due times of this process, for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.due: dict[str, float] = {}

    def count(self, subject: str, share: float, period: float) -> float:
        """Return by how many seconds a request is too early; count it if it is not."""
        now = monotonic()
        with self._lock:
            due = next_due(self.due.get(subject, now), now, share)
            if due - now <= period:
                if len(self.due) >= MAX_SUBJECTS:
                    for each in [each for each, end in self.due.items() if end <= now] or [*self.due][: MAX_SUBJECTS // 2]:
                        del self.due[each]
                self.due[subject] = due
            return due - now - period

    def clear(self) -> None:
        self.due.clear()


class RedisStore:
    """Due times in Redis, for all processes."""

    def __init__(self) -> None:
        self.paused_until = 0.0
        self.is_unavailable = False

    def count(self, subject: object, share: float, period: float) -> float | None:
        """Return by how many seconds a request is too early, and count it if it is not; None if Redis is unavailable."""
        if monotonic() < self.paused_until:
            return None
        try:
            script = _script(settings.REDIS_URL)
            early: int = script(keys=[f"openintent:rate:{subject}"], args=[round(share * _MICRO), round(period * _MICRO)])
        except Exception as error:  # No error of Redis may fail a request.
            self.paused_until = monotonic() + REDIS_PAUSE
            if not self.is_unavailable:
                self.is_unavailable = True
                log.warning("Redis is unavailable; rate limits are per process (%s: %s)", type(error).__name__, error)
            return None
        if self.is_unavailable:
            self.is_unavailable = False
            log.warning("Redis is available again; rate limits are shared")
        return early / _MICRO


memory_store, redis_store = MemoryStore(), RedisStore()


@cache
def _script(url: str) -> Any:
    import redis  # noqa: PLC0415  An extra.
    from redis.backoff import NoBackoff  # noqa: PLC0415
    from redis.retry import Retry  # noqa: PLC0415

    client = redis.Redis.from_url(
        url, socket_timeout=REDIS_TIMEOUT, socket_connect_timeout=REDIS_TIMEOUT, retry=Retry(NoBackoff(), 0)
    )
    return client.register_script(_REDIS_SCRIPT)
