"""Rate limits over all processes, counted in a real Redis; without it each process counts on its own."""

import time
from uuid import uuid4

import pytest

from core.api import throttling
from core.errors import RateLimited
from tests.redis import Redis
from tests.system.concurrent_clients import until

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def redis():
    with Redis() as running:
        yield running


@pytest.fixture(autouse=True)
def _limited(redis, settings, monkeypatch):
    """Limit to ten requests a minute; a response of Redis may take long on a busy machine."""
    settings.REDIS_URL = redis.url
    settings.RATE_LIMIT = (10, 60.0)
    monkeypatch.setattr(throttling, "REDIS_TIMEOUT", 5.0)
    monkeypatch.setattr(throttling.redis_store, "paused_until", 0.0)
    monkeypatch.setattr(throttling.redis_store, "is_unavailable", False)
    throttling._script.cache_clear()


def count_in_another_process(key_id):
    """Count a request without this process's store."""
    throttling.memory_store.clear()
    throttling.count_request(key_id)


def test_processes_share_one_limit():
    key_id = uuid4()
    for _ in range(10):
        count_in_another_process(key_id)

    with pytest.raises(RateLimited) as refusal:
        count_in_another_process(key_id)

    assert 1 <= refusal.value.extra["retry_after"] <= 6
    count_in_another_process(uuid4())


def passes(key_id):
    try:
        throttling.count_request(key_id)
    except RateLimited:
        return False
    return True


def test_refused_request_is_not_counted(settings):
    settings.RATE_LIMIT = (10, 1.0)
    key_id = uuid4()
    until(lambda: not passes(key_id), "a refusal")

    until(lambda: passes(key_id), "the next share")


def test_without_redis_each_process_counts_and_no_request_fails(redis, caplog):
    key_id = uuid4()
    throttling.count_request(key_id)
    redis.stop()
    try:
        for _ in range(10):
            throttling.count_request(key_id)
        with pytest.raises(RateLimited):
            throttling.count_request(key_id)
    finally:
        redis.start()
    assert [message for message in caplog.messages if "per process" in message] == caplog.messages[:1]
    throttling.redis_store.paused_until = 0.0
    throttling.count_request(key_id)
    assert caplog.messages[1:] == ["Redis is available again; rate limits are shared"]


def test_hanging_redis_delays_one_request_shortly(redis, monkeypatch):
    monkeypatch.setattr(throttling, "REDIS_TIMEOUT", 0.05)
    throttling._script.cache_clear()
    throttling.count_request(uuid4())
    redis.pause()
    try:
        started = time.monotonic()
        throttling.count_request(uuid4())
        assert time.monotonic() - started < 2.0
        assert throttling.redis_store.count(uuid4(), 1.0, 1.0) is None
    finally:
        redis.resume()
