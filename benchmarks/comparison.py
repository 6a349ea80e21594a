"""This server beside another OpenIntent server that is running: the same operations, in turns."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import requests

from benchmarks.load import KEY, Job, Round, run
from benchmarks.operations import EMPTY_VIEW, EVENT, INTENT, OPERATIONS, UNIT
from benchmarks.results import quantile
from benchmarks.suite import EVENTS_EACH, Scale, Tell, migrated_database
from tests.servers import Server

HERE = frozenset([UNIT, EMPTY_VIEW])
"""Operations that only this server has."""


@dataclass(slots=True)
class Side:
    """Rounds of one operation on one server; `failure` says why it has none."""

    rounds: list[Round] = field(default_factory=list)
    failure: str = ""

    @property
    def steps(self) -> int:
        return sum(len(each.latencies) for each in self.rounds)

    @property
    def per_second(self) -> float:
        return self.steps / sum(each.seconds for each in self.rounds)

    @property
    def median(self) -> float:
        return quantile((latency for each in self.rounds for latency in each.latencies), 0.5)

    @property
    def cpu(self) -> float:
        """Seconds of the server's processes for one step; 0 if they are on another machine."""
        return sum(each.cpu for each in self.rounds) / self.steps


@dataclass(frozen=True, slots=True)
class Comparison:
    operation: str
    clients: int
    ours: Side
    theirs: Side

    def __str__(self) -> str:
        if self.ours.failure or self.theirs.failure:
            return (
                f"| {self.operation} | {self.clients} | {self.ours.failure or '–'} | {self.theirs.failure or '–'} |  |  |  |  |"
            )
        cells = [
            f"{self.ours.per_second:,.0f}",
            f"{self.theirs.per_second:,.0f}",
            f"{self.ours.per_second / self.theirs.per_second:.2f} ×",
            f"{self.ours.median * 1e3:.1f} / {self.theirs.median * 1e3:.1f}",
            f"{self.ours.cpu * 1e3:.2f} / {self.theirs.cpu * 1e3:.2f}" if self.theirs.cpu else f"{self.ours.cpu * 1e3:.2f} / –",
            f"{self.ours.cpu / self.theirs.cpu:.2f} ×" if self.theirs.cpu else "–",
        ]
        return f"| {self.operation} | {self.clients} | {' | '.join(cells)} |"


def measure(
    url: str, vendor: str, scale: Scale, folder: Path, *, only: Collection[str] = (), tell: Tell = print
) -> Iterator[Comparison]:
    """Measure the operations on a server of this checkout and on the one at `url`, which takes the keys of development mode.

    Both get intents of their own over HTTP. An operation that a server refuses is shown with its refusal.
    """
    with Server(migrated_database(vendor, folder), OPENINTENT_LOG_LEVEL="warning") as server:
        servers = {server.url: server.process.pid, url: listening_process(url)}
        intents = {each: create_intents(each, max(scale.clients)) for each in servers}
        for clients in scale.clients:
            for name in [name for name in OPERATIONS if name not in HERE and (not only or name in only)]:
                sides = {each: Side() for each in servers}
                for number in range(scale.rounds):
                    for each in [*servers][:: -1 if number % 2 else 1]:
                        add_round(sides[each], Job(
                            each, OPERATIONS[name], intents[each], clients=clients, steps=scale.steps, seconds=scale.seconds,
                            warm_up=scale.warm_up, process=servers[each],
                        ))  # fmt: skip
                found = Comparison(name, clients, *sides.values())
                tell(str(found))
                yield found


def add_round(side: Side, job: Job) -> None:
    if side.failure:
        return
    try:
        side.rounds.append(run(job))
    except* (RuntimeError, OSError, KeyError) as errors:
        side.failure = f"failed: {str(errors.exceptions[0])[:60]}"


def listening_process(url: str) -> int | None:
    """Return the process that listens at the URL, if it is on this machine: the parent of those that share the socket."""
    port = urlsplit(url).port
    found = {each.pid for each in psutil.net_connections("tcp") if each.status == "LISTEN" and each.laddr.port == port}
    return min((pid for pid in found if pid), default=None)


def create_intents(url: str, count: int) -> list[str]:
    """Create intents with as many events as a page of the list needs, over HTTP. Return their ids."""
    found = []
    with requests.Session() as session:
        session.headers["X-API-Key"] = KEY
        for _ in range(count):
            pk = post(session, f"{url}/api/v1/intents", INTENT).json()["id"]
            for _ in range(EVENTS_EACH - 1):
                post(session, f"{url}/api/v1/intents/{pk}/events", EVENT)
            found.append(pk)
    return found


def post(session: requests.Session, url: str, body: object) -> requests.Response:
    response = session.post(url, json=body, timeout=30)
    response.raise_for_status()
    return response


def table(found: Sequence[Comparison]) -> str:
    head = ["operation", "clients", "ours per second", "theirs", "rate", "p50 ms, ours / theirs", "CPU ms, ours / theirs", "CPU"]
    return "\n".join([f"| {' | '.join(head)} |", "| --- |" + " --: |" * 7, *map(str, found)])
