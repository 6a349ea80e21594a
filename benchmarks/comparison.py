"""This server beside another OpenIntent server that is running: the same operations, in turns."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import requests

from benchmarks.load import KEY, Job, run
from benchmarks.operations import EMPTY_VIEW, EVENT, INTENT, OPERATIONS, UNIT
from benchmarks.results import Measurement
from benchmarks.suite import EVENTS_EACH, Scale, Tell, migrated_database
from tests.servers import Server

HERE = frozenset([UNIT, EMPTY_VIEW])
"""Operations that only this server has."""


@dataclass(slots=True)
class Comparison:
    """One operation by so many clients on both servers; `failure` says why one of them has no figures."""

    ours: Measurement
    theirs: Measurement
    failure: str = ""

    def __str__(self) -> str:
        cells = [
            self.ours.operation,
            str(self.ours.clients),
            *(self._figures() if not self.failure else [self.failure, *[""] * 5]),
        ]
        return f"| {' | '.join(cells)} |"

    def _figures(self) -> list[str]:
        ours, theirs = self.ours, self.theirs
        is_local = theirs.cpu > 0  # The CPU of a server on another machine is not known.
        return [
            f"{ours.per_second:,.0f}",
            f"{theirs.per_second:,.0f}",
            f"{ours.per_second / theirs.per_second:.2f} ×",
            f"{ours.latency(0.5) * 1e3:.1f} / {theirs.latency(0.5) * 1e3:.1f}",
            f"{ours.cpu * 1e3:.2f} / {theirs.cpu * 1e3:.2f}" if is_local else f"{ours.cpu * 1e3:.2f} / –",
            f"{ours.cpu / theirs.cpu:.2f} ×" if is_local else "–",
        ]


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
                found = Comparison(Measurement(name, clients), Measurement(name, clients))
                sides = dict(zip(servers, (found.ours, found.theirs), strict=True))
                for number in range(scale.rounds):
                    for each in [*servers][:: -1 if number % 2 else 1]:
                        add_round(found, sides[each], Job(
                            each, OPERATIONS[name], intents[each], clients=clients, steps=scale.steps, seconds=scale.seconds,
                            warm_up=scale.warm_up, process=servers[each],
                        ))  # fmt: skip
                tell(str(found))
                yield found


def add_round(comparison: Comparison, side: Measurement, job: Job) -> None:
    """Add a round, unless one of the servers has failed."""
    if comparison.failure:
        return
    try:
        side.rounds.append(run(job))
    except* (RuntimeError, OSError, KeyError) as errors:
        comparison.failure = f"{job.url} failed: {str(errors.exceptions[0])[:60]}"


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
