"""Benchmark suite of one database: operations, graph reads, and the baseline SQL beside them."""

import os
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import requests

from benchmarks import baseline_sql, load, sql
from benchmarks.baseline_sql import TRANSACTIONS, RawJob, RawRound
from benchmarks.load import Job, Round
from benchmarks.operations import COST_SUMMARY, GRAPH_READS, LARGE_READS, OPERATIONS, PORTFOLIO, UNIT, Operation
from benchmarks.results import Measurement, RawMeasurement, Results
from benchmarks.seed import Seeder
from tests.databases import fresh_database
from tests.servers import Server

Tell = Callable[[str], Any]
"""Hears of each measurement as it is made."""

ROOT = Path(__file__).parent.parent
LOG_LEVEL = "warning"
COMPARED = ("update state", 16)
"""The operation and the number of clients whose share of the raw transaction's rate is asked for."""
EVENTS_EACH = 101  # One more than a page shows.


@dataclass(frozen=True, slots=True)
class Scale:
    """Size of a run."""

    clients: tuple[int, ...] = (1, 8, 16, 64)
    rounds: int = 3
    """The operations take turns, so that what else the machine does meets all of them."""
    steps: int = 3_000
    """Of one round, at most."""
    seconds: float = 1.0
    """Of one round, at most."""
    pairs: int = 9
    """Rounds of what is compared with the raw transaction."""
    warm_up: int = 64
    """Steps before a round that do not count."""
    trees: tuple[int, ...] = (1_000, 10_000)
    costs: int = 100_000
    members: int = 1_000
    """Of a portfolio."""
    reads: int = 10
    """Of each graph, summary and portfolio."""
    growth_intents: int = 100_000
    growth_events_each: int = 10
    growth_rounds: int = 5
    followers: tuple[int, ...] = (50, 200, 1_000)
    paced_events: int = 200
    full_events: int = 500
    reading: float = 4.0
    called_events: int = 150
    adapter_rounds: int = 20
    adapter_chunks: int = 1_000
    plan_intents: int = 1_000
    plans_alone: int = 15
    plans_beside: int = 50
    console_intents: int = 20_000
    console_visits: int = 5
    """Of each page, after the first."""


QUICK = Scale(
    clients=(1, 16),
    rounds=1,
    pairs=1,
    steps=100,
    seconds=0.3,
    warm_up=16,
    trees=(100, 400),
    costs=1_000,
    members=50,
    reads=2,
    growth_intents=2_000,
    growth_rounds=1,
    followers=(20,),
    paced_events=10,
    full_events=50,
    reading=0.2,
    called_events=5,
    adapter_rounds=2,
    adapter_chunks=100,
    plan_intents=50,
    plans_alone=2,
    plans_beside=8,
    console_intents=0,
    console_visits=1,
)


class Target:
    """A running server on a database of its own, which `url` names."""

    def __init__(self, url: str, server: Server, workers: Executor) -> None:
        self.process = server.process.pid
        self.url = server.url
        self.database_url = url
        self.database = sql.version(url)
        self.database_process = sql.server_process(url)
        self.workers = workers

    def measure(self, operation: Operation, intents: Sequence[str], clients: int, scale: Scale) -> Round:
        job = Job(
            self.url,
            operation,
            intents,
            clients=clients,
            steps=scale.steps,
            seconds=scale.seconds,
            warm_up=scale.warm_up,
            process=self.process,
            database_process=self.database_process,
        )
        return self.workers.submit(load.run, job).result()

    def transact(self, name: str, intents: Sequence[str], threads: int, scale: Scale) -> RawRound:
        job = RawJob(self.database_url, name, threads, scale.steps, scale.seconds, intents)
        result = self.workers.submit(baseline_sql.run, job).result()
        # Whoever reads the log has its events numbered: the server must not do that for the raw program in its own next round.
        requests.get(f"{self.url}/api/v1/events?limit=1", headers={"X-API-Key": load.KEY}, timeout=60).raise_for_status()
        return result


@contextmanager
def workers() -> Iterator[Executor]:
    """A process beside the servers, in which the clients run."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield pool


def migrated_database(vendor: str, folder: Path) -> str:
    url = fresh_database(vendor, folder)
    manage(url, "migrate", "--verbosity", "0")
    return url


def manage(url: str, *command: str) -> None:
    """Run a command of manage.py on that database. Raises CalledProcessError."""
    environment = {**os.environ, "DATABASE_URL": url, "OPENINTENT_DEV_MODE": "true"}
    subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=environment, check=True)


@contextmanager
def serving(url: str, pool: Executor, **environment: str) -> Iterator[Target]:
    with Server(url, OPENINTENT_URLCONF="benchmarks.urls", OPENINTENT_LOG_LEVEL=LOG_LEVEL, **environment) as server:
        yield Target(url, server, pool)


def measure(
    vendor: str,
    scale: Scale,
    folder: Path,
    pool: Executor,
    *,
    only: Collection[str] = (),
    tell: Tell = print,
) -> Results:
    """Measure the operations, with `only` just these, as transactions too; and the graph reads."""
    chosen = {*only, UNIT} if only else OPERATIONS.keys()
    url = migrated_database(vendor, folder)
    with Seeder(url) as seeder:
        intents = seeder.intents(max(scale.clients), events_each=EVENTS_EACH)
        roots = {size: seeder.tree(size) for size in scale.trees}
        large = {
            COST_SUMMARY: (scale.costs, seeder.costs(scale.costs)),
            PORTFOLIO: (scale.members, seeder.portfolio(scale.members)),
        }
    plain = {"OPENINTENT_FAST_PATHS": "false", "OPENINTENT_WORKER": "false"}
    with serving(url, pool) as target, serving(migrated_database(vendor, folder), pool, **plain) as unit:
        results = Results(target.database, vendor)
        _measure_operations(target, unit, results, intents, scale, chosen, tell)
        results.trees = {size: _reads(target, GRAPH_READS, root, scale, tell) for size, root in roots.items()}
        for name, (size, pk) in large.items():
            results.large[size] = _reads(target, {name: LARGE_READS[name]}, pk, scale, tell)
    return results


def _measure_operations(
    target: Target, unit: Target, results: Results, intents: Sequence[str], scale: Scale, chosen: Collection[str], tell: Tell
) -> None:
    """Each round of a transaction directly after the server's round of the same name: what else the machine does meets both."""
    names = [name for name in OPERATIONS if name in chosen]
    turn = [(name, clients) for clients in scale.clients for name in names]
    results.operations = [Measurement(name, clients) for name, clients in turn]
    results.raw = [RawMeasurement(name, clients) for name, clients in turn if name in TRANSACTIONS]
    compared = [key for key in turn if key == COMPARED and results.vendor == "postgresql"]
    for name, clients in turn * scale.rounds + compared * (scale.pairs - scale.rounds):
        each = results.operation(name, clients)
        server = unit if name == UNIT else target
        each.rounds.append(server.measure(OPERATIONS[name], intents, clients, scale))
        tell(f"{name}, {clients} clients: {each.per_second:.0f}/s, {each.cpu * 1e3:.2f} ms of CPU")
        if name in TRANSACTIONS:
            beside = results.raw_transaction(name, clients)
            beside.rounds.append(target.transact(name, intents, clients, scale))
            tell(f"raw {name}, {clients} threads: {beside.per_second:.0f}/s, {beside.cpu * 1e3:.2f} ms of CPU")


def _reads(target: Target, reads: Mapping[str, Operation], pk: str, scale: Scale, tell: Tell) -> list[Measurement]:
    found = [Measurement(name, 1) for name in reads]
    few = replace(scale, steps=scale.reads, seconds=60, warm_up=1)
    for each in found:
        each.rounds.append(target.measure(reads[each.operation], [pk], 1, few))
        tell(f"{each.operation}: {each.latency(0.5) * 1e3:.0f} ms")
    return found
