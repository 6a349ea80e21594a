"""Due work under kill -9: two workers share it, one after the other is killed, and all of it happens, each thing once."""

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest

from tests.databases import migrated_database
from tests.servers import Server
from tests.system.concurrent_clients import Http, rounds, until
from tests.system.conftest import verified
from tests.system.worker_processes import kill_one, two_workers

pytestmark = pytest.mark.full


KILLS = rounds(20, 3)
PAUSE = (0.5, 2.5)  # Seconds between two kills: a worker has just begun, or is at work.
PACE = 0.1  # Seconds between two things that are made.
INTENTS = 12


class Things:
    """Objects that become due while workers are killed: leases of 1–3 s, and retries after 0–3 s."""

    def __init__(self, http: Http) -> None:
        self.intents = [http.create()["id"] for _ in range(INTENTS)]
        self.leases: set[str] = set()
        self.failures: set[str] = set()

    def make(self, server: Server, enough: threading.Event) -> None:
        """A lease and a failed attempt after the other, until it is enough."""
        numbers = count()
        with Http(server) as http:
            while not enough.wait(PACE):
                number = next(numbers)
                url = f"/intents/{self.intents[number % INTENTS]}"
                self.leases.add(acquire(http, url, f"scope{number}"))
                self.failures.add(fail(http, url, f"agent{number}"))

    def happened(self, server: Server) -> Counter[tuple[str, str]]:
        """Return how often the log has each lease's end and each retry."""
        names = {"lease_expired": "lease_id", "retry_due": "failure_id"}
        with Http(server) as http:
            events = [event for intent in self.intents for event in http.events(intent)]
        found = [(event["event_type"], event["payload"]) for event in events if event["event_type"] in names]
        return Counter((event_type, payload[names[event_type]]) for event_type, payload in found)

    def all_of_them(self) -> dict[tuple[str, str], int]:
        """Return the expected counts: each once."""
        leases, failures = (("lease_expired", pk) for pk in self.leases), (("retry_due", pk) for pk in self.failures)
        return dict.fromkeys([*leases, *failures], 1)


def acquire(http: Http, url: str, scope: str) -> str:
    answer = http.post(f"{url}/leases", {"scope": scope, "duration_seconds": random.randint(1, 3)})
    assert answer.status == 201, answer
    return str(answer.body["id"])


def fail(http: Http, url: str, agent: str) -> str:
    policy = {"strategy": "fixed", "base_delay_seconds": random.uniform(0, 3), "jitter": False}
    assert http.send("PUT", f"{url}/retry-policy", policy).status == 200
    assert http.post(f"{url}/agents", {"agent_id": agent}).status == 201  # Only who works on the intent has retries (rule R-4).
    answer = http.post(f"{url}/failures", {"error_type": "timeout", "agent_id": agent})
    assert answer.body["retry_at"], answer
    return str(answer.body["id"])


@contextmanager
def made_meanwhile(things: Things, server: Server) -> Iterator[None]:
    enough = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        making = pool.submit(things.make, server, enough)
        try:
            yield
        finally:
            enough.set()
            making.result()


@pytest.mark.rule("R-2", "L-2", "I-1")
def test_all_that_is_due_happens_exactly_once_whichever_worker_is_killed(vendor, tmp_path):
    database_url = migrated_database(vendor, tmp_path)
    with Server(database_url, OPENINTENT_WORKER="false") as server:
        with Http(server) as http:
            things = Things(http)
        with two_workers(database_url) as workers:
            with made_meanwhile(things, server):
                for _ in range(KILLS):
                    time.sleep(random.uniform(*PAUSE))
                    kill_one(workers, database_url)
            until(lambda: things.happened(server).keys() >= things.all_of_them().keys(), "the last of what is due")

        assert things.happened(server) == things.all_of_them()
        assert_all_is_expired(server, things)
    assert verified(database_url)["intents"] == INTENTS


def assert_all_is_expired(server: Server, things: Things) -> None:
    with Http(server) as http:
        for intent in things.intents:
            leases: list[dict[str, Any]] = http.get(f"/intents/{intent}/leases?limit=1000").body["leases"]
            assert {lease["status"] for lease in leases} == {"expired"}
