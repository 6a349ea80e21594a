"""Two servers and a Redis: what one writes is heard at the other at once, and without Redis a little later (rules S-3, S-6)."""

import time

import pytest

from tests.redis import Redis
from tests.servers import Server
from tests.subscriptions.stream_readers import following
from tests.system.concurrent_clients import Http, until

pytestmark = pytest.mark.full


LOOK_EVERY = 1.0  # Seconds after which a server without a ring looks by itself.
WITHOUT_REDIS = 2.0  # Seconds, at most (rule S-6).
EVENTS = 15


@pytest.fixture(scope="module")
def redis():
    with Redis() as running:
        yield running


@pytest.fixture
def pair(database_url, redis):
    """A server to write on, and one to listen at."""
    with Server(database_url, REDIS_URL=redis.url) as here, Server(database_url, REDIS_URL=redis.url) as there:
        yield here, there


def delay(http, intent, stream) -> float:
    """Seconds until an event that is written at one server is heard at the other."""
    begun = time.monotonic()
    assert http.post(f"/intents/{intent['id']}/events", {"event_type": "comment"}).status == 201
    assert stream.event()["event_type"] == "comment"
    return time.monotonic() - begun


def is_rung(http, intent, stream) -> bool:
    """Whether one event after the other is heard far sooner than by looking, which takes most of a second each time."""
    return sum(delay(http, intent, stream) for _ in range(EVENTS)) < EVENTS * LOOK_EVERY / 4


def warnings(server, text) -> int:
    return len([line for line in server.log if text in line])


@pytest.mark.rule("S-3", "S-6")
def test_events_reach_other_servers_at_once_and_later_without_redis(pair, redis):
    here, there = pair
    with Http(here) as http:
        intent = http.create()
        with following(there, f"/intents/{intent['id']}/subscribe") as (stream, _):
            until(lambda: is_rung(http, intent, stream), "rings")
            connections = redis.connections()

            redis.stop()
            until(lambda: delay(http, intent, stream) < WITHOUT_REDIS, "an event, by looking")
            until(lambda: all(warnings(server, "Redis is unavailable") for server in pair), "a warning")
            redis.start()

            until(lambda: all(warnings(server, "Redis is available again") for server in pair), "the return")
            until(lambda: is_rung(http, intent, stream), "rings")
            until(lambda: redis.connections() == connections, "as many connections as before")
    for server in pair:
        assert (warnings(server, "Redis is unavailable"), warnings(server, "Redis is available again")) == (1, 1)
        assert warnings(server, '"level":"error"') == 0


@pytest.mark.rule("S-6")
def test_a_server_starts_and_works_while_redis_is_away(database_url):
    with Redis() as away:
        away.stop()
        with Server(database_url, REDIS_URL=away.url) as server, Http(server) as http:
            intent = http.create()
            with following(server, f"/intents/{intent['id']}/subscribe") as (stream, _):
                until(lambda: delay(http, intent, stream) < WITHOUT_REDIS, "an event")
            assert http.health("/readyz").status == 200
            until(lambda: warnings(server, "Redis is unavailable"), "the warning")
            assert server.stop() == 0
            server.start()
