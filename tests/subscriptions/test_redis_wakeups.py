"""Wake-ups between processes, with a real Redis (rules S-3, S-6). tests/system/test_redis_wakeups.py starts the processes."""

import asyncio
import logging
import threading
from collections.abc import Callable

import pytest
from channels.layers import DEFAULT_CHANNEL_LAYER, channel_layers

from core import env
from intents import wakeups
from subscriptions.streams.redis_wakeups import GROUP, RedisWakeups
from tests.redis import Redis
from tests.system.concurrent_clients import until

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def redis():
    with Redis() as running:
        yield running


@pytest.fixture
def exchange(redis, settings, monkeypatch):
    monkeypatch.setattr("subscriptions.streams.redis_wakeups.MAX_RETRY_DELAY", 0.5)
    monkeypatch.setattr("subscriptions.streams.redis_wakeups.PING_EVERY", 0.2)
    settings.REDIS_URL = redis.url
    settings.CHANNEL_LAYERS = env.channel_layers(redis.url)
    exchange = RedisWakeups()
    yield exchange
    exchange.stop()


@pytest.fixture
def rung():
    """List with one entry per wake-up from another process."""
    rings: list[None] = []
    with wakeups.remote_positions_assigned.listen(lambda: rings.append(None)):
        yield rings


class Other:
    """Another process, as far as it can be heard: in the same group, in a loop of its own."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.is_there = threading.Event()
        self.saying: list[str] = []
        self.is_over = False
        self.thread = threading.Thread(target=lambda: asyncio.run(self._live()))

    def say(self, name: str) -> None:
        self.saying.append(name)

    def __enter__(self) -> "Other":
        self.thread.start()
        assert self.is_there.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over = True
        self.thread.join()

    async def _live(self) -> None:
        layer = channel_layers.make_backend(DEFAULT_CHANNEL_LAYER)
        channel = await layer.new_channel()
        await layer.group_add(GROUP, channel)
        hearing = asyncio.create_task(self._hear(layer, channel))
        while "me" not in self.heard:
            await layer.send(channel, {"type": "grown", "from": "me"})
            await asyncio.sleep(0.01)
        self.is_there.set()
        while not self.is_over:
            while self.saying:
                await layer.group_send(GROUP, {"type": "grown", "from": self.saying.pop()})
            await asyncio.sleep(0.01)
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)
        await layer.flush()

    async def _hear(self, layer, channel) -> None:
        while True:
            self.heard.append((await layer.receive(channel))["from"])

    def from_others(self) -> list[str]:
        return [name for name in self.heard if name not in ("me", "other")]


def started(exchange: RedisWakeups, rung: list[None]) -> RedisWakeups:
    """Start the wake-ups; their start is one wake-up."""
    exchange.start()
    until(lambda: rung, "the connection")
    rung.clear()
    return exchange


def answers(exchange: RedisWakeups, other: Other, rung: list[None]) -> Callable[[], object]:
    """Whether a ring comes through in both directions; rung again for each question."""

    def ask() -> object:
        wakeups.positions_assigned.notify()
        other.say("other")
        return rung and other.from_others()

    return ask


@pytest.mark.rule("S-6")
def test_wakeups_are_sent_to_and_received_from_other_processes(exchange, rung):
    with Other() as other:
        started(exchange, rung)

        until(answers(exchange, other, rung), "a ring each way")


def test_its_own_rings_do_not_come_back_as_those_of_others(exchange, rung):
    with Other() as other:
        started(exchange, rung)
        for number in range(1, 6):
            wakeups.positions_assigned.notify()
            until(lambda expected=number: len(other.from_others()) >= expected, "the ring")

    assert rung == []


def test_a_busy_log_does_not_ring_for_each_event(exchange, rung):
    with Other() as other:
        started(exchange, rung)
        rings = 0
        while len(other.from_others()) < 5:
            wakeups.positions_assigned.notify()
            rings += 1

        assert rings > 100 * len(other.from_others())


@pytest.mark.rule("S-3")
def test_redis_outage_logs_one_warning_and_leaks_no_connection(exchange, rung, redis, caplog):
    caplog.set_level(logging.WARNING, "openintent.wakeups")
    started(exchange, rung)
    connections = until(redis.connections, "its connections")
    for _ in range(2):
        caplog.clear()
        redis.stop()
        until(lambda: caplog.messages, "the warning")
        redis.start()
        until(lambda: "Redis is available again" in caplog.messages, "the return")

        assert ["is unavailable" in message for message in caplog.messages] == [True, False]
    with Other() as other:
        until(answers(exchange, other, rung), "a ring each way")
    until(lambda: redis.connections() == connections, "as many connections as before")


def test_start_without_redis_waits_for_it(exchange, rung, redis, caplog):
    caplog.set_level(logging.WARNING, "openintent.wakeups")
    redis.stop()
    exchange.start()
    until(lambda: caplog.messages, "the warning")
    redis.start()

    until(lambda: "Redis is available again" in caplog.messages, "the return")


def test_hanging_redis_counts_as_unavailable(exchange, rung, redis, caplog):
    caplog.set_level(logging.WARNING, "openintent.wakeups")
    started(exchange, rung)
    redis.pause()
    try:
        until(lambda: caplog.messages, "the warning")
    finally:
        redis.resume()

    until(lambda: "Redis is available again" in caplog.messages, "the return")
    assert ["is unavailable" in message for message in caplog.messages] == [True, False]


def test_stop_returns_at_once_with_and_without_redis(exchange, rung, redis):
    started(exchange, rung).stop()
    assert not exchange._thread.is_alive()
    second = RedisWakeups()
    redis.stop()
    try:
        second.start()
        second.stop()
    finally:
        redis.start()
    assert not second._thread.is_alive()


def test_without_redis_url_there_is_no_thread(settings):
    settings.REDIS_URL = ""
    exchange = RedisWakeups()

    exchange.start()
    exchange.stop()

    assert exchange._thread.ident is None
