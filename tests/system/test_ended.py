"""Ended is ended (rule E-8): decisions and renewals at the very end, while readers on three processes look.

The commit of one of them is stretched across the end: by a lock on the table that it writes last, or by stopping its process.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from tests.servers import Server
from tests.system.concurrent_clients import Http, rounds, until

PROCESSES = 3
ROUNDS = rounds(200, 12)
LASTS = 1.0  # Seconds: the shortest lease.
OVER = 0.3  # Seconds beyond the end.
WAYS = ["raced", "stretched", "stopped", "stopped reader"]

pytestmark = [pytest.mark.rule("E-8"), pytest.mark.full]


class Readers:
    """One on each process for each way to read. `told` has what each was told, in its order, with the time."""

    def __init__(self, servers: list[Server], reads: list[Callable[[Http], str]]) -> None:
        self.told: list[list[str]] = []
        self._enough = threading.Event()
        self._threads = [
            threading.Thread(target=self._read, args=(server, read, self._new())) for server in servers for read in reads
        ]

    def _new(self) -> list[str]:
        self.told.append([])
        return self.told[-1]

    def _read(self, server: Server, read: Callable[[Http], str], told: list[str]) -> None:
        with Http(server) as http:
            while not self._enough.is_set():
                told.append(read(http))
                time.sleep(0.01)

    def __enter__(self) -> "Readers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._enough.set()
        for thread in self._threads:
            thread.join()

    def all_end_with(self, status: str) -> bool:
        return all(told and told[-1] == status for told in self.told)

    @property
    def everything(self) -> set[str]:
        return {status for told in self.told for status in told}


@contextmanager
def locked(database_url: str, table: str, seconds: float) -> Iterator[None]:
    """Block writes to the table for the time; rows can still be read and locked."""
    with psycopg.connect(database_url) as connection, ThreadPoolExecutor(1) as pool:
        connection.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
        letting_go = pool.submit(lambda: (time.sleep(seconds), connection.rollback()))
        yield
        letting_go.result()


@contextmanager
def stopped(server: Server, seconds: float) -> Iterator[None]:
    """The process sleeps until then, from an instant after the block has begun its work."""

    def sleep() -> None:
        time.sleep(0.02)
        os.kill(server.process.pid, signal.SIGSTOP)
        time.sleep(seconds)
        os.kill(server.process.pid, signal.SIGCONT)

    with ThreadPoolExecutor(1) as pool:
        sleeping = pool.submit(sleep)
        try:
            yield
        finally:
            sleeping.result()


@contextmanager
def disturbed(way: str, servers: list[Server], database_url: str, table: str, left: float) -> Iterator[None]:
    """So that what is done in the block cannot be committed before its time is over, or only just."""
    match way:
        case "stretched":
            time.sleep(max(0.0, left - 0.3))
            with locked(database_url, table, OVER + 0.3):
                yield
        case "stopped" | "stopped reader":
            time.sleep(max(0.0, left - 0.1))
            with stopped(servers[0 if way == "stopped" else 1], OVER + 0.1):
                yield
        case _:
            time.sleep(max(0.0, left - 0.02))
            yield


def status_of(found: list[Any], otherwise: str) -> str:
    return found[0]["status"] if found else otherwise


def left(ends: str) -> float:
    return (datetime.fromisoformat(ends) - datetime.now(UTC)).total_seconds()


def ask(http: Http, intent_id: str) -> dict[str, Any]:
    """Ask a blocking question that ends in a moment. One whose end has passed before it arrives is asked again, with more time."""
    for seconds in (0.8, 3, 10):
        ends = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
        answer = http.post(f"/intents/{intent_id}/arbitrate", {"reason": "?", "blocking": True, "expires_at": ends})
        if answer.status == 201:
            return answer.body
    raise AssertionError(answer)


def test_arbitration_seen_expired_is_never_seen_decided(servers, http, database_url):
    outcomes = []
    for turn in range(ROUNDS):
        way, intent = WAYS[turn % len(WAYS)], http.create()
        asked = ask(http, intent["id"])
        one, listed = f"/arbitrations/{asked['id']}", f"/intents/{intent['id']}/arbitrations"
        reads = [
            lambda reader, path=one: reader.get(path).body["status"],
            lambda reader, path=listed: reader.get(path).body["arbitrations"][0]["status"],
            lambda reader, path=listed: status_of(reader.get(f"{path}?status=expired,resolved").body["arbitrations"], "pending"),
            lambda reader, path=one: reader.get(f"{path}?wait=1").body["status"],
        ]
        del reads[2 if way == "raced" else 3]  # Eleven threads are enough at a time.
        with Readers(servers, reads) as readers:
            with (
                disturbed(way, servers, database_url, "governance_decision", left(asked["expires_at"])),
                Http(servers[0]) as decider,
            ):
                body = {"decision": "yes", "arbitration_id": asked["id"]}
                answer = decider.post(f"/intents/{intent['id']}/decisions", body)
            truth = "resolved" if answer.status == 201 else "expired"
            until(lambda readers=readers, truth=truth: readers.all_end_with(truth), f"{truth} ({way})")

        assert readers.everything <= {"pending", truth}, (way, readers.told)
        assert answer.status == 201 or answer.code == "arbitration_resolved", answer
        status = "draft" if truth == "resolved" else "blocked"
        assert http.intent(intent["id"])["status"] == status
        outcomes.append((way, truth))
    assert ("stretched", "resolved") not in outcomes  # What would be committed later than the end is refused.
    assert {way for way, _ in outcomes} == set(WAYS)


def test_lease_seen_expired_is_never_seen_active_again(servers, http, database_url):
    outcomes = []
    for turn in range(ROUNDS):
        way, intent = WAYS[turn % len(WAYS)], http.create()
        path = f"/intents/{intent['id']}/leases"
        lease = http.post(path, {"scope": "draft", "duration_seconds": 1}).body
        reads = [
            lambda reader, path=path: reader.get(path).body["leases"][0]["status"],
            lambda reader, path=path: status_of(reader.get(f"{path}?status=expired").body["leases"], "active"),
        ]
        with Readers(servers, reads) as readers:
            with disturbed(way, servers, database_url, "leasing_lease", left(lease["expires_at"])), Http(servers[0]) as holder:
                answer = holder.patch(f"{path}/{lease['id']}", {"duration_seconds": 600})
            truth = "active" if answer.status == 200 else "expired"
            time.sleep(OVER if truth == "active" else 0)
            until(lambda readers=readers, truth=truth: readers.all_end_with(truth), f"{truth} ({way})")

        assert readers.everything <= {"active", truth}, (way, readers.told)
        assert answer.status == 200 or answer.code == "lease_expired", answer
        outcomes.append((way, truth))
    assert ("stretched", "active") not in outcomes
    assert {way for way, _ in outcomes} == set(WAYS)


def test_a_stuck_intent_keeps_no_other_from_being_marked(http, database_url):
    stuck, other = http.create(), http.create()
    with psycopg.connect(database_url) as connection:
        for intent in (stuck, other):
            http.post(f"/intents/{intent['id']}/leases", {"scope": "draft", "duration_seconds": 1})
        connection.execute("SELECT 1 FROM intents_intent WHERE id = %s FOR UPDATE", [stuck["id"]])
        until(lambda: http.events(other["id"])[-1]["event_type"] == "lease_expired", "the end of the other's lease")
        assert http.get(f"/intents/{stuck['id']}/leases").body["leases"][0]["status"] == "active"
    until(lambda: http.events(stuck["id"])[-1]["event_type"] == "lease_expired", "the end of the lease")
