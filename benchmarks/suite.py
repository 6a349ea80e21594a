"""Everything that is measured of one database: the server's operations, its graph reads, and the raw SQL beside them."""

import os
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks import load, raw, sql
from benchmarks.load import Job, Round
from benchmarks.operations import GRAPH_READS, OPERATIONS, Operation
from benchmarks.raw import TRANSACTIONS, RawJob
from benchmarks.results import Measurement, RawMeasurement, Results
from benchmarks.seed import Seeder
from tests.databases import fresh_database
from tests.servers import Server

Tell = Callable[[str], Any]
"""Hears of each measurement as it is made."""

ROOT = Path(__file__).parent.parent
LOG_LEVEL = "warning"
EVENTS_EACH = 101  # One more than a page shows.


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured."""

    clients: tuple[int, ...] = (1, 16, 64)
    rounds: int = 3
    """The operations take turns, so that what else the machine does meets all of them."""
    steps: int = 3_000
    seconds: float = 1.2
    """Of one round."""
    warm_up: int = 64
    trees: tuple[int, ...] = (1_000, 10_000)
    graph_reads: int = 10
    growth_intents: int = 100_000
    growth_events_each: int = 10
    growth_rounds: int = 7


QUICK = Scale(
    clients=(1, 4), rounds=1, steps=40, warm_up=4, trees=(100, 400), graph_reads=2, growth_intents=2_000, growth_rounds=1
)


class Target:
    """A running server on a database of its own, which `url` names."""

    def __init__(self, url: str, server: Server, workers: Executor) -> None:
        self.process = server.process.pid
        self.url = server.url
        self.database_process = sql.server_process(url)
        self.workers = workers

    def measure(
        self, operation: Operation, intents: Sequence[str], *, clients: int, steps: int, seconds: float, warm_up: int
    ) -> Round:
        job = Job(self.url, operation, clients, steps, seconds, warm_up, intents, self.process, self.database_process)
        return self.workers.submit(load.run, job).result()


@contextmanager
def workers() -> Iterator[Executor]:
    """A process beside the servers, in which the clients run."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield pool


def migrated_database(vendor: str, folder: Path) -> str:
    url = fresh_database(vendor, folder)
    command = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env={**os.environ, "DATABASE_URL": url, "OPENINTENT_DEV_MODE": "true"}, check=True)
    return url


@contextmanager
def serving(url: str, pool: Executor) -> Iterator[Target]:
    with Server(url, OPENINTENT_URLCONF="benchmarks.urls", OPENINTENT_LOG_LEVEL=LOG_LEVEL) as server:
        yield Target(url, server, pool)


def measure(
    vendor: str,
    scale: Scale,
    folder: Path,
    pool: Executor,
    *,
    only: Collection[str] = OPERATIONS.keys(),
    tell: Tell = print,
) -> Results:
    """Measure the operations that `only` names, the graph reads, and the raw transactions."""
    url, raw_url = migrated_database(vendor, folder), migrated_database(vendor, folder)
    with Seeder(url) as seeder:
        intents = seeder.intents(max(scale.clients), events_each=EVENTS_EACH)
        roots = {size: seeder.tree(size) for size in scale.trees}
    with Seeder(raw_url) as seeder:
        raw_intents = seeder.intents(max(scale.clients), events_each=EVENTS_EACH)
    results = Results(sql.version(url), vendor)
    with serving(url, pool) as target:
        results.operations = _operations(target, intents, scale, only, tell)
        results.trees = {size: _graph_reads(target, root, scale, tell) for size, root in roots.items()}
    results.raw = _raw(raw_url, raw_intents, scale, pool, tell)
    return results


def _operations(target: Target, intents: Sequence[str], scale: Scale, only: Collection[str], tell: Tell) -> list[Measurement]:
    found = [Measurement(name, clients) for clients in scale.clients for name in OPERATIONS if name in only]
    for each in found * scale.rounds:
        each.rounds.append(
            target.measure(
                OPERATIONS[each.operation],
                intents,
                clients=each.clients,
                steps=scale.steps,
                seconds=scale.seconds,
                warm_up=scale.warm_up,
            )
        )
        tell(f"{each.operation}, {each.clients} clients: {each.per_second:.0f}/s, {each.cpu * 1e3:.2f} ms of CPU")
    return found


def _graph_reads(target: Target, root: str, scale: Scale, tell: Tell) -> list[Measurement]:
    found = [Measurement(name, 1) for name in GRAPH_READS]
    for each in found:
        read = GRAPH_READS[each.operation]
        each.rounds.append(target.measure(read, [root], clients=1, steps=scale.graph_reads, seconds=60, warm_up=1))
        tell(f"{each.operation}: {each.latency(0.5) * 1e3:.0f} ms")
    return found


def _raw(url: str, intents: Sequence[str], scale: Scale, pool: Executor, tell: Tell) -> list[RawMeasurement]:
    found = [RawMeasurement(name, threads) for threads in scale.clients for name in TRANSACTIONS]
    for each in found * scale.rounds:
        job = RawJob(url, each.name, each.threads, scale.steps, scale.seconds, intents)
        each.rounds.append(pool.submit(raw.run, job).result())
        tell(f"raw {each.name}, {each.threads} threads: {each.per_second:.0f}/s, {each.cpu * 1e3:.2f} ms of CPU")
    return found
