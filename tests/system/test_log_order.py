"""One log, one order: what a reader sees who follows it while many write (rule E-2, architecture §3)."""

import random
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from tests.system.concurrent_clients import Crowd, Http, rounds

pytestmark = pytest.mark.full


INTENTS = 20
WRITERS = 8


class Tail:
    """Reads GET /events from position to position, and judges what it sees."""

    def __init__(self) -> None:
        self.position = 0
        self.ids: set[str] = set()
        self.sequences: dict[str, int] = defaultdict(int)

    def read(self, client: Http) -> int:
        """Read the next page. Answers how many events were on it."""
        page = client.get(f"/events?after={self.position}&limit=50").body["events"]
        for event in page:
            assert event["position"] > self.position
            assert event["id"] not in self.ids
            assert event["sequence"] == self.sequences[event["intent_id"]] + 1
            self.position = event["position"]
            self.ids.add(event["id"])
            self.sequences[event["intent_id"]] += 1
        return len(page)


def write_somewhere(client: Http, intents: list[str], how_often: int) -> None:
    for _ in range(how_often):
        path = f"/intents/{random.choice(intents)}"
        match random.randrange(3):
            case 0:
                client.post(f"{path}/events", {"event_type": "comment"})
            case 1:
                client.post(f"{path}/events/batch", {"events": [{"event_type": "comment"}] * 3})
            case 2:
                version = client.get(path).body["version"]
                client.post(f"{path}/state", {"state": {"seen": version}}, version=version)


@pytest.mark.rule("E-2", "E-5")
def test_follower_sees_each_event_once_and_each_intent_in_order(http, crowd: Callable[[int], Crowd]):
    intents = [http.create()["id"] for _ in range(INTENTS)]
    how_often = rounds(200, 25)
    written = threading.Event()
    still_writing = threading.Semaphore(0)
    tail = Tail()

    def write(client: Http) -> None:
        try:
            write_somewhere(client, intents, how_often)
        finally:
            still_writing.release()

    def wait(client: Http) -> None:
        for _ in range(WRITERS):
            still_writing.acquire()
        written.set()

    def follow(client: Http) -> None:
        finished = False
        while tail.read(client) or not finished:
            finished = written.is_set()  # One more page after that has all that was written.

    def look_at_one(client: Http) -> None:
        while not written.is_set():
            events = client.get(f"/intents/{intents[0]}/events?order=desc&limit=20").body["events"]
            assert all(event["position"] is not None for event in events)
            newest_first = [(event["position"], event["sequence"]) for event in events]
            assert newest_first == sorted(newest_first, reverse=True)

    crowd(WRITERS + 3).at_once(*[write] * WRITERS, wait, follow, look_at_one)

    everything = {intent: http.intent(intent)["last_sequence"] for intent in intents}
    assert dict(tail.sequences) == everything
    assert {event["id"] for event in _all_events(http)} == tail.ids


def _all_events(http: Http) -> list[dict[str, Any]]:
    page = http.get("/events?limit=1000").body
    events: list[dict[str, Any]] = page["events"]
    while page["next"]:
        page = http.get(f"/events?limit=1000&cursor={page['next']}").body
        events += page["events"]
    return events
