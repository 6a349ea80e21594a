"""What rings between processes, with a real Redis (rules S-3, S-6). tests/system/test_ringing.py has the processes."""

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
from tests.system.crowd import until


@pytest.fixture(scope="module")
def redis():
    with Redis() as running:
        yield running


@pytest.fixture
def exchange(redis, settings, monkeypatch):
    monkeypatch.setattr("subscriptions.streams.redis_wakeups.RETRY_AT_MOST", 0.5)
    monkeypatch.setattr("subscriptions.streams.redis_wakeups.ASK_EVERY", 0.2)
    settings.REDIS_URL = redis.url
    settings.CHANNEL_LAYERS = env.channel_layers(redis.url)
    exchange = RedisWakeups()
    yield exchange
    exchange.stop()


@pytest.fixture
def rung():
    """How often another process has rung."""
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
    """It hears: it rings once when it begins to."""
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
def test_what_this_process_writes_is_rung_for_others_and_theirs_for_this_one(exchange, rung):
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
def test_redis_may_go_and_come_and_there_is_one_warning_and_no_connection_more(exchange, rung, redis, caplog):
    caplog.set_level(logging.WARNING, "openintent.wakeups")
    started(exchange, rung)
    connections = until(redis.connections, "its connections")
    for _ in range(2):
        caplog.clear()
        redis.stop()
        until(lambda: caplog.messages, "the warning")
        redis.start()
        until(lambda: "Redis is back" in caplog.messages, "the return")

        assert ["cannot be used" in message for message in caplog.messages] == [True, False]
    with Other() as other:
        until(answers(exchange, other, rung), "a ring each way")
    until(lambda: redis.connections() == connections, "as many connections as before")


def test_without_redis_at_the_start_it_waits_for_it(exchange, rung, redis, caplog):
    caplog.set_level(logging.WARNING, "openintent.wakeups")
    redis.stop()
    exchange.start()
    until(lambda: caplog.messages, "the warning")
    redis.start()

    until(lambda: "Redis is back" in caplog.messages, "the return")


def test_a_redis_that_hangs_is_one_that_is_away(exchange, rung, redis, caplog):
    caplog.set_level(logging.WARNING, "openintent.wakeups")
    started(exchange, rung)
    redis.pause()
    try:
        until(lambda: caplog.messages, "the warning")
    finally:
        redis.resume()

    until(lambda: "Redis is back" in caplog.messages, "the return")
    assert ["cannot be used" in message for message in caplog.messages] == [True, False]


def test_it_stops_at_once_whether_redis_is_there_or_not(exchange, rung, redis):
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


def test_where_redis_is_not_configured_it_has_no_thread(settings):
    settings.REDIS_URL = ""
    exchange = RedisWakeups()

    exchange.start()
    exchange.stop()

    assert exchange._thread.ident is None
