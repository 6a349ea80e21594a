"""Guessing at keys is limited for each network, and nobody with a good key is locked out (protocol §1.1)."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from access import key_guesses, key_lookup
from access.key_guesses import WRONG_KEYS, network_of
from access.models import ApiKey
from core.api import throttling
from tests.conftest import Caller

pytestmark = [pytest.mark.django_db, pytest.mark.case("security L16")]


@pytest.fixture
def now(monkeypatch):
    time = [1000.0]
    for module in (throttling, key_guesses, key_lookup):
        monkeypatch.setattr(module, "monotonic", lambda: time[0])
    return time


def guess(number, address="203.0.113.7", key=None):
    caller = Caller(key or f"guess-{number}")
    return caller.client.get("/api/v1/intents", headers=caller.headers, REMOTE_ADDR=address)


def statuses(count, **options):
    return [guess(number, **options).status_code for number in range(count)]


def test_after_so_many_wrong_keys_the_next_have_to_wait(now):
    assert set(statuses(WRONG_KEYS)) == {401}

    refused = guess("more")

    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert refused.headers["Retry-After"] == "1"
    assert "wrong API keys" in refused.json()["detail"]
    now[0] += 1.01
    assert [guess("later").status_code, guess("too soon").status_code] == [401, 429]


def test_while_they_wait_they_cost_no_query(now):
    statuses(WRONG_KEYS + 1)
    guess("looks at the live keys once")

    with CaptureQueriesContext(connection) as found:
        assert set(statuses(50)) <= {401, 429}
    assert len(found) == 0


def test_a_good_key_works_from_the_same_address(now, make_key):
    known, other = make_key()["key"], make_key()["key"]
    assert guess(0, key=known).status_code == 200
    statuses(WRONG_KEYS + 10)

    assert guess(0, key=known).status_code == 200
    assert guess(0, key=other).status_code == 200  # One that this process has not met.
    assert Caller().get("/intents").status_code == 200
    now[0] += 60
    statuses(WRONG_KEYS + 10)
    assert guess(0, key=known).status_code == 200


def test_new_key_works_at_once_and_within_a_second_in_other_processes(now, make_key):
    statuses(WRONG_KEYS + 2)
    made = make_key()["key"]
    now[0] += 1.01

    assert guess(0, key=made).status_code == 200


def test_keys_that_have_ended_count_as_wrong(now, make_key):
    ended = [make_key()["key"] for _ in range(3)]
    ApiKey.objects.update(revoked_at=timezone.now())
    statuses(WRONG_KEYS - 3)

    assert [guess(0, key=key).status_code for key in ended] == [401] * 3
    assert guess("more").status_code == 429


def test_the_same_wrong_key_again_is_no_guess_and_costs_no_query(now):
    guess(0)

    with CaptureQueriesContext(connection) as found:
        assert [guess(0).status_code for _ in range(WRONG_KEYS * 2)] == [401] * WRONG_KEYS * 2
    assert len(found) == 0
    assert guess("another").status_code == 401


def test_each_network_is_counted_by_itself(now):
    statuses(WRONG_KEYS + 1)

    assert guess("x", address="203.0.113.8").status_code == 401
    for number in range(WRONG_KEYS):
        guess(f"six-{number}", address=f"2001:db8:1:2::{number:x}")
    assert guess("y", address="2001:db8:1:2:ffff::1").status_code == 429
    assert guess("z", address="2001:db8:1:3::1").status_code == 401


def test_without_a_key_nothing_is_counted(now):
    for _ in range(WRONG_KEYS * 2):
        assert guess(0, key=" ").status_code == 401

    assert guess("first").status_code == 401


def test_caches_of_wrong_keys_are_bounded(now, monkeypatch):
    monkeypatch.setattr(key_guesses, "MAX_CACHED", 20)
    monkeypatch.setattr(throttling, "MAX_SUBJECTS", 20)

    for number in range(100):
        guess(number, address=f"203.0.113.{number}")

    assert len(key_guesses._wrong) <= 20
    assert len(throttling.memory_store.due) <= 20


@pytest.mark.parametrize(
    ("address", "network"),
    [("203.0.113.7", "203.0.113.7"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"), ("", ""), ("unix:", "unix:")],
)
def test_which_network_an_address_is_of(address, network):
    assert network_of(address) == network
