"""One server process against two on the same PostgreSQL, in turns: what a second core brings while clients and database share the machine."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.load import Round
from benchmarks.operations import OPERATIONS
from benchmarks.results import Measurement
from benchmarks.seed import Seeder
from benchmarks.suite import EVENTS_EACH, QUICK, Scale, migrated_database, serving, workers

MEASURED = ("get intent", "list of 100 events", "append event", "update state")
CLIENTS = (16, 64)


@dataclass(frozen=True, slots=True)
class Comparison:
    """An operation by so many clients on one process and on two, and what the database used beside them."""

    one: Measurement
    two: Measurement

    def __str__(self) -> str:
        cells = [
            self.one.operation,
            str(self.one.clients),
            f"{self.one.per_second:,.0f}",
            f"{self.two.per_second:,.0f}",
            f"{self.two.per_second / self.one.per_second - 1:.0%}",
            f"{_cores(self.one.rounds):.2f} + {_database_cores(self.one.rounds):.2f}",
            f"{_cores(self.two.rounds):.2f} + {_database_cores(self.two.rounds):.2f}",
        ]
        return f"| {' | '.join(cells)} |"


def measure(vendor: str, folder: Path, *, is_quick: bool) -> Iterator[Comparison]:
    """Measure operations on a server of one process and on one of two, each with a database of its own.

    Raises ValueError for SQLite, which takes one process.
    """
    if vendor != "postgresql":
        raise ValueError("processes are compared on PostgreSQL: SQLite takes one")
    scale = replace(QUICK if is_quick else Scale(), clients=CLIENTS)
    with ExitStack() as stack:
        pool = stack.enter_context(workers())
        sides = []
        for count in (1, 2):
            url = migrated_database(vendor, folder)
            with Seeder(url) as seeder:
                intents = seeder.intents(max(CLIENTS), events_each=EVENTS_EACH)
            sides.append((stack.enter_context(serving(url, pool, OPENINTENT_WORKERS=str(count))), intents))
        for clients in CLIENTS:
            for name in MEASURED:
                found = Comparison(Measurement(name, clients), Measurement(name, clients))
                for number in range(scale.rounds):
                    turn = [*zip(sides, (found.one, found.two), strict=True)]
                    for (target, intents), side in turn[:: -1 if number % 2 else 1]:
                        side.rounds.append(target.measure(OPERATIONS[name], intents, clients, scale))
                yield found


def table(found: Sequence[Comparison]) -> str:
    head = [
        "operation",
        "clients",
        "one process, per second",
        "two",
        "more",
        "cores of one + database",
        "cores of two + database",
    ]
    return "\n".join([f"| {' | '.join(head)} |", "| --- |" + " --: |" * 6, *map(str, found)])


def _cores(rounds: Sequence[Round]) -> float:
    return sum(each.cpu for each in rounds) / sum(each.seconds for each in rounds)


def _database_cores(rounds: Sequence[Round]) -> float:
    return sum(each.database_cpu or 0.0 for each in rounds) / sum(each.seconds for each in rounds)
