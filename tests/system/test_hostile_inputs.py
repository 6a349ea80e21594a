"""Hostile requests to a server process: responses and memory, never time (protocol §1 "Bounded work")."""

from collections.abc import Iterator

import pytest

from benchmarks.hostile_inputs import INPUTS, MEMORY_LIMITS, Target, peak, reset_peak
from tests.databases import migrated_database
from tests.servers import Started

pytestmark = pytest.mark.full


MAX_ANSWER = 10 * 2**20


@pytest.fixture(scope="module")
def target(vendor, tmp_path_factory) -> Iterator[Target]:
    with Started(migrated_database(vendor, tmp_path_factory.mktemp("hostile")), OPENINTENT_LOG_LEVEL="warning") as server:
        found = Target(server)
        for _ in range(10):
            found.call("GET", "/intents")
        yield found


def test_there_are_fifteen_hostile_inputs_with_and_without_a_key():
    assert len(INPUTS) >= 30
    assert sum(not each.has_key for each in INPUTS) >= 8


@pytest.mark.case("security H1")
@pytest.mark.case("security H6")
@pytest.mark.case("security M2")
@pytest.mark.parametrize("hostile", INPUTS, ids=[each.name for each in INPUTS])
def test_memory_of_a_hostile_input_is_bounded(target, hostile):
    pid = target.server.process.pid
    before = reset_peak(pid)

    hostile.send(target, hostile.sizes[-1])

    assert peak(pid) - before <= MEMORY_LIMITS[hostile.has_key]
    assert target.call("GET", f"/intents/{target.intent}").status_code == 200


@pytest.mark.case("security M5")
def test_answers_to_an_observer_are_bounded(target):
    for _ in range(5):
        target.call(
            "POST",
            f"/intents/{target.intent}/events/batch",
            {"events": [{"event_type": "c", "payload": {"a": "x" * 200_000}}] * 40},
        )

    for path in (
        f"/intents/{target.intent}/events?limit=1000",
        "/events?limit=1000",
        "/events?limit=1000&order=desc",
        "/intents?limit=1000",
    ):
        assert len(target.call("GET", path).content) < MAX_ANSWER
