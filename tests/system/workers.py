"""Agents that work on while servers and databases go away under them."""

import http.client
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

from tests.servers import Server
from tests.system.concurrent_clients import Http


@dataclass(frozen=True)
class Write:
    """A request as it is sent, and sent again: its mark is its Idempotency-Key, and stands in what it writes."""

    mark: str
    path: str
    body: dict[str, Any]
    version: int | None = None


class Worker:
    """Makes an intent and writes to it, one write after the other, and keeps what the server has acknowledged.

    What it got no answer for it sends again, as it was, before anything else.
    """

    def __init__(self, name: str, shared: str) -> None:
        self.name = name
        self.shared = shared
        """An intent on whose log all workers write."""
        self.intent = ""
        self.version = 0
        self.patched: list[str] = []
        """The marks of acknowledged writes to the state of its own intent."""
        self.logged: list[tuple[str, str]] = []
        """The marks of acknowledged events, and their ids."""
        self.refused = 0
        """How often the server could not write."""
        self.numbers = count(1)
        self.pending: Write | None = None

    @property
    def acknowledged(self) -> int:
        return len(self.patched) + len(self.logged)

    def work(self, server: Server, enough: threading.Event) -> None:
        """Write until it is enough, or the server is gone."""
        with Http(server, may_fail=True) as client:
            while self.pending or not enough.is_set():
                self.pending = self.pending or self._next()
                try:
                    self._send(client, self.pending)
                except (OSError, http.client.HTTPException):
                    return

    def _send(self, client: Http, write: Write) -> None:
        answer = client.post(write.path, write.body, version=write.version, key=write.mark)
        if answer.status == 503 or (answer.status == 409 and answer.code == "request_in_progress"):
            self.refused += answer.status == 503
            return  # The database is away, or has not noticed yet that the first sender is gone.
        assert answer.status in (200, 201), (write, answer)
        self.pending = None
        self._keep(write, answer.body)

    def _next(self) -> Write:
        number = next(self.numbers)
        mark = f"{self.name}-{number}"
        if not self.intent:
            return Write(mark, "/intents", {"title": self.name, "state": {"marks": []}})
        if number % 2:
            patch = {"op": "append", "path": "marks", "value": mark}
            return Write(mark, f"/intents/{self.intent}/state", {"patches": [patch]}, self.version)
        events = [{"event_type": "comment", "payload": {"mark": mark}} for _ in range(number % 3 + 1)]
        return Write(mark, f"/intents/{self.shared}/events/batch", {"events": events})

    def _keep(self, write: Write, body: dict[str, Any]) -> None:
        if "events" in body:
            self.logged += [(write.mark, event["id"]) for event in body["events"]]
        else:
            self.patched += body["state"]["marks"][-1:]
            self.intent, self.version = body["id"], body["version"]


@contextmanager
def at_work(workers: Sequence[Worker], servers: Sequence[Server]) -> Iterator[None]:
    """The workers write, spread over the servers, while the block runs; each then ends the write that it is at."""
    enough = threading.Event()
    with ThreadPoolExecutor(len(workers)) as pool:
        writing = [pool.submit(worker.work, servers[n % len(servers)], enough) for n, worker in enumerate(workers)]
        try:
            yield
        finally:
            enough.set()
            for each in writing:
                each.result()  # Where a worker has failed, that says why the block waited in vain.


def acknowledged(workers: Sequence[Worker]) -> int:
    return sum(worker.acknowledged for worker in workers)


def assert_all_is_there_once(workers: Sequence[Worker], client: Http) -> None:
    """Assert that the log has all acknowledged writes, in order, and no others (rules I-1, E-2)."""
    log = client.events(workers[0].shared)
    assert [event["sequence"] for event in log] == list(range(1, len(log) + 1))
    for worker in workers:
        intent = client.intent(worker.intent)
        assert intent["state"] == {"marks": worker.patched}
        assert intent["version"] == 1 + len(worker.patched)
        assert len(client.events(worker.intent)) == 1 + len(worker.patched)
        marked = [(event["payload"]["mark"], event["id"]) for event in log[1:]]
        assert [each for each in marked if each[0].rpartition("-")[0] == worker.name] == worker.logged
