"""Requests per key over all processes, counted by a real Redis; without it each process counts for itself."""

import time
from uuid import uuid4

import pytest

from access import ratelimit, sharedlimit
from core.errors import RateLimited
from tests.redis import Redis
from tests.system.crowd import until


@pytest.fixture(scope="module")
def redis():
    with Redis() as running:
        yield running


@pytest.fixture(autouse=True)
def _limited(redis, settings, monkeypatch):
    """Ten requests a minute; an answer of Redis may take long on a busy machine."""
    settings.REDIS_URL = redis.url
    settings.RATE_LIMIT = (10, 60.0)
    monkeypatch.setattr(sharedlimit, "ANSWERS_WITHIN", 5.0)
    monkeypatch.setattr(sharedlimit, "_left_alone_until", 0.0)
    monkeypatch.setattr(sharedlimit, "_is_away", False)
    sharedlimit._script.cache_clear()


def spend_in_another_process(key_id):
    """One that remembers nothing of this one's requests."""
    ratelimit.forget()
    ratelimit.spend(key_id)


def test_processes_count_together():
    key_id = uuid4()
    for _ in range(10):
        spend_in_another_process(key_id)

    with pytest.raises(RateLimited) as refusal:
        spend_in_another_process(key_id)

    assert 1 <= refusal.value.extra["retry_after"] <= 6
    spend_in_another_process(uuid4())


def passes(key_id):
    try:
        ratelimit.spend(key_id)
    except RateLimited:
        return False
    return True


def test_a_refused_request_costs_nothing(settings):
    settings.RATE_LIMIT = (10, 1.0)
    key_id = uuid4()
    until(lambda: not passes(key_id), "a refusal")

    until(lambda: passes(key_id), "the next share")


def test_without_redis_each_process_counts_and_no_request_waits_or_fails(redis, caplog):
    key_id = uuid4()
    ratelimit.spend(key_id)
    redis.stop()
    try:
        for _ in range(10):
            ratelimit.spend(key_id)
        with pytest.raises(RateLimited):
            ratelimit.spend(key_id)
    finally:
        redis.start()
    assert [message for message in caplog.messages if "per process" in message] == caplog.messages[:1]
    sharedlimit._left_alone_until = 0.0
    ratelimit.spend(key_id)
    assert caplog.messages[1:] == ["rate limits are shared again"]


def test_a_redis_that_hangs_is_waited_for_once_and_not_for_long(redis, monkeypatch):
    monkeypatch.setattr(sharedlimit, "ANSWERS_WITHIN", 0.05)
    sharedlimit._script.cache_clear()
    ratelimit.spend(uuid4())
    redis.pause()
    try:
        begun = time.monotonic()
        ratelimit.spend(uuid4())
        assert time.monotonic() - begun < 2.0
        assert sharedlimit.spend(uuid4(), 1.0, 1.0) is None
    finally:
        redis.resume()
