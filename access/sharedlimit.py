"""Requests per key, counted in Redis for all processes. A Redis that does not answer at once is left alone for a while."""

import logging
from functools import cache
from time import monotonic
from typing import Any

from django.conf import settings

ANSWERS_WITHIN = 0.05  # Seconds; a request waits no longer.
LEFT_ALONE = 5.0  # Seconds.

# In microseconds, by the clock of Redis. Answers by how much the request comes too early, and counts it if it does not.
_SPEND = """
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

log = logging.getLogger("openintent.ratelimit")

_left_alone_until = 0.0
_is_away = False


def spend(subject: object, share: float, period: float) -> float | None:
    """Count a request. Answers the seconds by which it comes too early, at most 0 if it may pass; None where Redis is away."""
    global _left_alone_until
    if monotonic() < _left_alone_until:
        return None
    try:
        script = _script(settings.REDIS_URL)
        early: int = script(keys=[f"openintent:rate:{subject}"], args=[round(share * _MICRO), round(period * _MICRO)])
    except Exception as error:  # Whatever it is, no request fails for it.
        _left_alone_until = monotonic() + LEFT_ALONE
        _tell(is_away=True, why=f"{type(error).__name__}: {error}")
        return None
    _tell(is_away=False)
    return early / _MICRO


def _tell(*, is_away: bool, why: str = "") -> None:
    """Once for each time that it goes or comes."""
    global _is_away
    if is_away != _is_away:
        _is_away = is_away
        log.warning(
            "rate limits count per process: Redis does not answer (%s)" if is_away else "rate limits are shared again%s", why
        )


@cache
def _script(url: str) -> Any:
    import redis  # noqa: PLC0415  An extra.
    from redis.backoff import NoBackoff  # noqa: PLC0415
    from redis.retry import Retry  # noqa: PLC0415

    client = redis.Redis.from_url(
        url, socket_timeout=ANSWERS_WITHIN, socket_connect_timeout=ANSWERS_WITHIN, retry=Retry(NoBackoff(), 0)
    )
    return client.register_script(_SPEND)
