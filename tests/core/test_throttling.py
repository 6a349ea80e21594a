"""Rate limit of a key (protocol §1 "Rate limit")."""

import pytest
from django.conf import settings as configured

from core import env
from core.api import throttling
from tests.conftest import Caller


@pytest.fixture
def clock(settings, monkeypatch):
    """Limit to 3 requests in 60 seconds; `clock[0]` sets the time."""
    settings.RATE_LIMIT = (3, 60.0)
    now = [1000.0]
    monkeypatch.setattr(throttling, "monotonic", lambda: now[0])
    return now


def test_key_beyond_its_limit_gets_429_with_retry_after(api, clock):
    answers = [api.get("/intents") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    problem = answers[-1].json()
    assert (problem["code"], problem["retry_after"]) == ("rate_limited", 20)
    assert answers[-1].headers["Retry-After"] == "20"


def test_request_passes_after_retry_after(api, clock):
    for _ in range(3):
        api.get("/intents")
    clock[0] += 20

    assert [api.get("/intents").status_code for _ in range(2)] == [200, 429]


def test_full_burst_passes_after_the_whole_period(api, clock):
    for _ in range(3):
        api.get("/intents")
    clock[0] += 60

    assert [api.get("/intents").status_code for _ in range(4)] == [200, 200, 200, 429]


def test_keys_are_limited_separately(api, clock):
    for _ in range(4):
        api.get("/intents")

    assert Caller("agent-research-key").get("/intents").status_code == 200


def test_throttled_write_changes_nothing(api, clock):
    for _ in range(4):
        response = api.post("/intents", {"title": "Do it"})
    clock[0] += 60

    assert response.status_code == 429
    assert len(api.get("/intents").json()["intents"]) == 3


def test_dev_mode_has_no_rate_limit():
    assert configured.DEV_MODE
    assert configured.RATE_LIMIT is None


@pytest.mark.parametrize(
    ("text", "limit"), [("600/minute", (600, 60.0)), ("20/s", (20, 1.0)), ("5 / hour", (5, 3600.0)), ("off", None), ("", None)]
)
def test_rate_limit_is_parsed_from_the_environment(monkeypatch, text, limit):
    monkeypatch.setenv("OPENINTENT_RATE_LIMIT", text)

    assert env.rate("OPENINTENT_RATE_LIMIT") == limit
