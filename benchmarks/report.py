"""The figures as Markdown."""

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from benchmarks.adapters import Overhead, Pair
from benchmarks.console import Console
from benchmarks.fanout import RATE, Fanout
from benchmarks.growth import Growth
from benchmarks.operations import COST_SUMMARY, EMPTY_VIEW, LEASED_UPDATE, PORTFOLIO, UNIT
from benchmarks.plans import CLIENTS as PLAN_CLIENTS
from benchmarks.plans import Plans
from benchmarks.results import Measurement, Results, quantile
from benchmarks.stream_clients import FollowRound
from benchmarks.suite import COMPARED, LOG_LEVEL, Scale
from benchmarks.webhooks import SUBSCRIPTIONS, Callbacks

PROSE = Path(__file__).parent / "prose.md"
RAW_OPERATION, CLIENTS = COMPARED
CRITERIA_CLIENTS = (8, CLIENTS)
"""Numbers of clients at which operations have criteria."""
MULTIPLES = {
    "get intent": 1.3,
    "append event": 2.6,
    "update state": 2.7,
    "create intent": 3.0,
    "acquire and release a lease": 5.0,
    "child with dependency": 4.5,
    "list of 100 events": 2.5,
    "batch of 100 events": 8.0,
    "record cost": 4.0,
}
"""What an operation on SQLite may cost at most, in empty views without fast paths."""
POSTGRESQL_TIMES = 1.25  # What it may cost on PostgreSQL, times that.
EMPTY_VIEW_CPU = 0.5e-3  # Seconds.
LEASED_TIMES = 1.2  # What an update by the holder of a lease may cost, times one without.
RAW_SHARE = 0.25
GRAPH = 0.25  # Seconds.
LARGE_READ_MS = {COST_SUMMARY: 150, PORTFOLIO: 300}
GROWTH = 1.2
MOST_FOLLOWERS = 1_000
FANOUT_P99_MS, FOLLOWER_KIB, REST_TIMES = 150, 60, 2.0
ADAPTER_MS, ADAPTER_CHUNK_US = 0.2, 5.0
PAGE_MS = 400
PLAN_SECONDS, READ_BESIDE_PLANS_MS = 0.3, 100


@dataclass(frozen=True, slots=True)
class Criterion:
    text: str
    limit: str
    measured: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Report:
    scale: Scale
    results: list[Results]
    growth: list[Growth]
    fanout: list[Fanout] = field(default_factory=list)
    callbacks: list[Callbacks] = field(default_factory=list)
    adapters: list[Overhead] = field(default_factory=list)
    console: list[Console] = field(default_factory=list)
    plans: list[Plans] = field(default_factory=list)

    def __str__(self) -> str:
        parts = ["# Performance", self._about(), "## Criteria", self._criteria()]
        for each in self.results:
            parts += [
                f"## {each.database}",
                _operations(each),
                "### The raw transaction",
                _raw(each),
                "### Graphs",
                _reads(each.trees, "intents in the tree"),
                "### Summaries and portfolios",
                _reads(each.large, "costs, or members"),
            ]
        for growth in self.growth:
            parts += [f"## Growth: {growth.database}", _growth(growth)]
        for each in self.fanout:
            parts += [f"## Streams: {each.database}", ABOUT_STREAMS, _fanout(each)]
        if self.callbacks:
            parts += ["## Webhooks", ABOUT_WEBHOOKS, _callbacks(self.callbacks)]
        if self.adapters:
            parts += ["## Adapters", ABOUT_ADAPTERS, _adapters(self.adapters)]
        if self.plans:
            parts += ["## Plans", ABOUT_PLANS, _plans(self.plans)]
        for each in self.console:
            parts += [f"## Console: {each.database}, {each.intents:,} intents", ABOUT_CONSOLE, _console(each)]
        return "\n\n".join([*parts, PROSE.read_text().strip()]) + "\n"

    def _about(self) -> str:
        packages = ", ".join(f"{name} {version(name)}" for name in ("django", "djangorestframework", "uvicorn", "psycopg"))
        return f"""\
Written by `make bench`. Measured on {os.cpu_count()} cores ({platform.machine()}, {platform.system()}), which the server, its clients
and the database share; Python {platform.python_version()}, {packages}. One `openintent-server` process in development mode with the log level
`{LOG_LEVEL}`. Both databases are durable: SQLite with WAL and `synchronous=FULL`, PostgreSQL with `fsync` and `synchronous_commit`.

Clients keep their connections and send the next request as soon as they have the response, each to intents of its own; they run in another
process. Each figure is over {self.scale.rounds} rounds, in which the operations take turns; a raw transaction has its round directly
after the server's. *CPU* is what the server's
process used, in seconds for 1,000 requests (so milliseconds for one); the CPU of PostgreSQL's own processes is listed separately and
not included. A *unit* is the CPU of a view that does nothing, of a second server whose fast paths are switched off
(`OPENINTENT_FAST_PATHS=false`): what Django, DRF and uvicorn cost on their usual ways."""

    def _criteria(self) -> str:
        found = [criterion for each in self.results for criterion in criteria(each)]
        found += [criterion for each in self.growth for criterion in growth_criteria(each)]
        found += [criterion for each in self.fanout for criterion in fanout_criteria(each)]
        found += [criterion for each in self.adapters for criterion in adapter_criteria(each)]
        found += [criterion for each in self.console for criterion in console_criteria(each)]
        found += [criterion for each in self.plans for criterion in plan_criteria(each)]
        rows = [[each.text, each.limit, each.measured, "yes" if each.holds else "**no**"] for each in found]
        return _table(["", "required", "measured", "met"], rows)


def criteria(results: Results) -> list[Criterion]:
    """Return the criteria of this database, as far as they were measured."""
    found = [each for clients in CRITERIA_CLIENTS for each in _multiples(results, clients)]
    if results.vendor != "sqlite":
        found += _raw_share(results)
    largest = max(results.trees, default=0)
    for each in results.trees.get(largest, []):
        text = f"{results.database}: {each.operation} of {largest:,} intents, median"
        found.append(_at_most(text, each.latency(0.5), GRAPH, "{:.2f} s"))
    for size, reads in results.large.items():
        for each in reads:
            text = f"{results.database}: {each.operation} of {size:,}, median"
            found.append(_at_most(text, each.latency(0.5) * 1e3, LARGE_READ_MS[each.operation], "{:.0f} ms"))
    return found


def growth_criteria(growth: Growth) -> list[Criterion]:
    return [_at_most(f"{growth.database}, grown: {each.operation}", each.ratio, GROWTH, "{:.2f} ×") for each in growth.pairs]


def fanout_criteria(fanout: Fanout) -> list[Criterion]:
    found: list[Criterion] = []
    for each in fanout.rounds:
        if each.followers != MOST_FOLLOWERS or each.is_spread:
            continue
        text = f"{fanout.database}, {MOST_FOLLOWERS:,} followers of one intent, {RATE:.0f} events/s: "
        found += [
            _at_most(f"{text}from request to reader, p99", each.paced.from_send[0.99] * 1e3, FANOUT_P99_MS, "{:.0f} ms"),
            _at_most(f"{text}deliveries lost", each.paced.lost + each.full.lost, 0, "{:.0f}"),
            _at_most(f"{text}server memory for each", each.memory / 2**10, FOLLOWER_KIB, "{:.0f} KiB"),
            _at_most(f"{text}median read beside, times alone", each.paced.rest / each.rest_alone, REST_TIMES, "{:.1f} ×"),
        ]
    return found


def adapter_criteria(overhead: Overhead) -> list[Criterion]:
    text = f"SDK, server {overhead.server}: added by an adapter to "
    return [
        _at_most(f"{text}a request, median", overhead.request.added * 1e3, ADAPTER_MS, "{:.2f} ms"),
        _at_most(f"{text}a chunk of a stream, median", overhead.chunk.added * 1e6, ADAPTER_CHUNK_US, "{:.1f} µs"),
    ]


def plan_criteria(plans: Plans) -> list[Criterion]:
    text = f"{plans.database}, plans of {plans.size:,} intents: "
    beside = f"{text}read beside {len(plans.beside)} of them from {PLAN_CLIENTS} clients, p99"
    return [
        _at_most(f"{text}one alone, median", quantile(plans.alone, 0.5), PLAN_SECONDS, "{:.2f} s"),
        _at_most(beside, quantile(plans.reads, 0.99) * 1e3, READ_BESIDE_PLANS_MS, "{:.0f} ms"),
    ]


def console_criteria(console: Console) -> list[Criterion]:
    slowest = max(console.later, key=lambda name: quantile(console.later[name], 0.5))
    text = f"{console.database}, {console.intents:,} intents: the slowest page of the console ({slowest}), median"
    return [_at_most(text, quantile(console.later[slowest], 0.5) * 1e3, PAGE_MS, "{:.0f} ms")]


def _multiples(results: Results, clients: int) -> list[Criterion]:
    measured = {each.operation: each for each in results.operations if each.clients == clients}
    where = f"{results.database}, {clients} clients: "
    found = []
    if EMPTY_VIEW in measured:
        found.append(
            _at_most(f"{where}server CPU of the empty view", measured[EMPTY_VIEW].cpu * 1e3, EMPTY_VIEW_CPU * 1e3, "{:.2f} ms")
        )
    allowance = 1.0 if results.vendor == "sqlite" else POSTGRESQL_TIMES
    for name, limit in MULTIPLES.items():
        if name in measured:
            found.append(
                _at_most(f"{where}{name}, in units", measured[name].cpu / measured[UNIT].cpu, limit * allowance, "{:.1f}")
            )
    if measured.keys() >= {LEASED_UPDATE, RAW_OPERATION}:
        times = measured[LEASED_UPDATE].cpu / measured[RAW_OPERATION].cpu
        found.append(_at_most(f"{where}{LEASED_UPDATE}, times one without", times, LEASED_TIMES, "{:.2f} ×"))
    return found


def _raw_share(results: Results) -> list[Criterion]:
    found = [each for each in results.operations if (each.operation, each.clients) == COMPARED]
    if not found:
        return []
    share = results.share(RAW_OPERATION, CLIENTS)
    pairs = len(found[0].rounds)
    text = f"{results.database}, {CLIENTS} clients: {RAW_OPERATION} per CPU second, of the raw transaction's rate, median of {pairs} pairs"
    return [Criterion(text, f"≥ {RAW_SHARE:.0%}", f"{share:.0%}", share >= RAW_SHARE)]


def _at_most(text: str, measured: float, limit: float, form: str) -> Criterion:
    return Criterion(text, "≤ " + form.format(limit), form.format(measured), measured <= limit)


def _operations(results: Results) -> str:
    head = ["operation", "clients", "per second", "p50 ms", "p95 ms", "p99 ms", "CPU s per 1,000", "in units"]
    with_database = results.vendor != "sqlite"
    rows = [_operation(results, each, with_database) for each in results.operations]
    return _table([*head, *(["database's CPU"] if with_database else []), "memory MB"], rows)


def _operation(results: Results, each: Measurement, with_database: bool) -> list[str]:
    unit = results.operation(UNIT, each.clients).cpu
    quantiles = [f"{each.latency(share) * 1e3:.1f}" for share in (0.5, 0.95, 0.99)]
    row = [
        each.operation,
        str(each.clients),
        f"{each.per_second:,.0f}",
        *quantiles,
        f"{each.cpu * 1e3:.2f}",
        f"{each.cpu / unit:.1f}",
    ]
    if with_database:
        row.append("–" if each.database_cpu is None else f"{each.database_cpu * 1e3:.2f}")
    return [*row, f"{each.memory / 1e6:.0f}"]


def _raw(results: Results) -> str:
    """The program against the server: the server's row of the same name is what to compare with."""
    head = ["transaction", "threads", "per second", "CPU s per 1,000", "per CPU second", "the server's per CPU second", "share"]
    rows = []
    for each in results.raw:
        served = results.operation(each.name, each.threads)
        figures = [f"{each.per_second:,.0f}", f"{each.cpu * 1e3:.2f}", f"{1 / each.cpu:,.0f}", f"{1 / served.cpu:,.0f}"]
        rows.append([each.name, str(each.threads), *figures, f"{results.share(each.name, each.threads):.0%}"])
    return _table(head, rows)


def _reads(measured: Mapping[int, Sequence[Measurement]], what: str) -> str:
    rows = [
        [each.operation, f"{size:,}", f"{each.latency(0.5) * 1e3:.0f}", f"{each.latency(1) * 1e3:.0f}", f"{each.cpu * 1e3:.0f}"]
        for size, reads in measured.items()
        for each in reads
    ]
    return _table(["read", what, "median ms", "slowest ms", "CPU ms"], rows)


def _growth(growth: Growth) -> str:
    few, many = f"{growth.few:,} intents", f"{growth.many:,} intents"
    rows = [[each.operation, *(f"{cpu * 1e3:.2f}" for cpu in each.cpu), f"{each.ratio:.2f}"] for each in growth.pairs]
    return _table(["CPU s per 1,000 requests", few, many, "times as much"], rows)


ABOUT_PLANS = f"""\
One request creates a root and its parts, each with an edge to its parent and one to the part before it, an assignment and a membership in the plan's portfolio. *Beside* are
plans of {PLAN_CLIENTS} clients at once, and the reads of one intent by another client meanwhile."""


def _plans(measured: Sequence[Plans]) -> str:
    head = [
        "database",
        "intents",
        "alone, median s",
        "slowest s",
        "beside: plans",
        "per second",
        "read p50 ms",
        "p99 ms",
        "slowest ms",
    ]
    rows = [
        [
            each.database,
            f"{each.size:,}",
            f"{quantile(each.alone, 0.5):.2f}",
            f"{max(each.alone):.2f}",
            f"{len(each.beside)}",
            f"{len(each.beside) / each.elapsed:.1f}",
            *(f"{quantile(each.reads, share) * 1e3:.0f}" for share in (0.5, 0.99, 1)),
        ]
        for each in measured
    ]
    return _table(head, rows)


ABOUT_STREAMS = f"""\
Followers read Server-Sent Events. *p50* and *p99* are milliseconds from the writer's request to the reader; *after answer* from the
writer's response, below 0 where the reader was first. *At full rate* four writers write as fast as they get responses. *Read* is the
median of one client that gets an intent, in ms: alone, with all followers idle, and at {RATE:.0f} events/s. *CPU* is the
server's for one event at {RATE:.0f} events/s, with its write and the reads. Memory is the server's own, for each
idle follower."""


ABOUT_WEBHOOKS = f"""\
One server process with its own delivery worker, {SUBSCRIPTIONS} subscriptions, a receiver on the same machine that responds at once. Each call is a
connection of its own."""


def _callbacks(measured: Sequence[Callbacks]) -> str:
    rows = [
        [each.database, str(each.calls), f"{each.calls / each.seconds:.0f}", f"{each.cpu / each.calls * 1e3:.1f}"]
        for each in measured
    ]
    return _table(["database", "calls", "per second", "CPU ms of a call"], rows)


ABOUT_CONSOLE = """\
Milliseconds until the last byte, over loopback, of a server with the data of `openintent-manage demo`. The first visit fills the caches of
server and database."""


def _console(console: Console) -> str:
    rows = [
        [name, *(f"{each * 1e3:.0f}" for each in (console.first[name], quantile(later, 0.5), max(later)))]
        for name, later in console.later.items()
    ]
    return _table(["page", "first visit", "median", "slowest"], rows)


ABOUT_ADAPTERS = """\
Medians of requests to a model, without and with an adapter around the provider's client. The *stub* responds at once, in bursts;
*openai* is that package, with a fake provider in another process: events are sent meanwhile, and with the server up it processes them
on the same cores. Chunks are those of the stub's streams, and are not logged themselves."""


def _adapters(measured: Sequence[Overhead]) -> str:
    head = ["server", "request, stub: µs without", "with", "added", "chunk: µs without", "with", "added"]
    rows = [
        [
            each.server,
            *_pair(each.request, 1e6, "{:.1f}"),
            *_pair(each.chunk, 1e6, "{:.2f}"),
            *_pair(each.real, 1e3, "{:.2f}"),
        ]
        for each in measured
    ]
    return _table([*head, "request, openai: ms without", "with", "added"], rows)


def _pair(pair: Pair, times: float, form: str) -> list[str]:
    return [form.format(each * times) for each in (*pair.medians, pair.added)]


def _fanout(fanout: Fanout) -> str:
    paced = ["p50", "p99", "after answer p50", "p99"]
    full = ["events/s at full rate", "deliveries/s", "p50", "p99"]
    head = ["followers of", *paced, "CPU ms of an event", *full, "lost", "KiB each", "read alone", "idle", f"at {RATE:.0f}/s"]
    return _table(head, [_followed(each) for each in fanout.rounds])


def _followed(each: FollowRound) -> list[str]:
    paced, full = each.paced, each.full
    latencies = [*(paced.from_send[share] for share in (0.5, 0.99)), *(paced.from_answer[share] for share in (0.5, 0.99))]
    reads = (each.rest_alone, each.rest_idle, paced.rest)
    return [
        f"{each.followers:,}: " + ("as many intents" if each.is_spread else "one intent"),
        *(f"{latency * 1e3:.1f}" for latency in latencies),
        f"{paced.cpu / paced.events * 1e3:.1f}",
        f"{full.events / full.seconds:,.0f}",
        f"{full.deliveries / full.seconds:,.0f}",
        *(f"{full.from_send[share] * 1e3:,.0f}" for share in (0.5, 0.99)),
        str(paced.lost + full.lost),
        f"{each.memory / 2**10:.0f}",
        *(f"{read * 1e3:.1f}" for read in reads),
    ]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] + ["--:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
