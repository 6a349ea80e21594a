"""A key's requests, counted (protocol §1 "Rate limit")."""

import pytest
from django.conf import settings as configured

from access import ratelimit
from core import env
from tests.conftest import Caller


@pytest.fixture
def clock(settings, monkeypatch):
    """A limit of 3 requests in 60 seconds, and the clock that it goes by; `clock[0]` sets it."""
    settings.RATE_LIMIT = (3, 60.0)
    now = [1000.0]
    monkeypatch.setattr(ratelimit, "monotonic", lambda: now[0])
    return now


def test_beyond_the_limit_a_key_has_to_wait(api, clock):
    answers = [api.get("/intents") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    problem = answers[-1].json()
    assert (problem["code"], problem["retry_after"]) == ("rate_limited", 20)
    assert answers[-1].headers["Retry-After"] == "20"


def test_after_that_time_there_is_room_for_one(api, clock):
    for _ in range(3):
        api.get("/intents")
    clock[0] += 20

    assert [api.get("/intents").status_code for _ in range(2)] == [200, 429]


def test_after_the_whole_period_there_is_room_for_all(api, clock):
    for _ in range(3):
        api.get("/intents")
    clock[0] += 60

    assert [api.get("/intents").status_code for _ in range(4)] == [200, 200, 200, 429]


def test_each_key_has_its_own(api, clock):
    for _ in range(4):
        api.get("/intents")

    assert Caller("agent-research-key").get("/intents").status_code == 200


def test_a_refused_write_writes_nothing(api, clock):
    for _ in range(4):
        response = api.post("/intents", {"title": "Do it"})
    clock[0] += 60

    assert response.status_code == 429
    assert len(api.get("/intents").json()["intents"]) == 3


def test_dev_mode_has_no_limit():
    assert configured.DEV_MODE
    assert configured.RATE_LIMIT is None


@pytest.mark.parametrize(
    ("text", "limit"), [("600/minute", (600, 60.0)), ("20/s", (20, 1.0)), ("5 / hour", (5, 3600.0)), ("off", None), ("", None)]
)
def test_a_limit_is_read_from_the_environment(monkeypatch, text, limit):
    monkeypatch.setenv("OPENINTENT_RATE_LIMIT", text)

    assert env.rate("OPENINTENT_RATE_LIMIT") == limit
