"""Growth: cost of a full database relative to one with a page of each list."""

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.load import Round
from benchmarks.operations import GROWTH
from benchmarks.seed import Seeder
from benchmarks.suite import Scale, Target, Tell, migrated_database, serving

FEW = 600  # Intents of which more than a page are active.
SAMPLE = 200  # Intents that the clients read and write, evenly spread over all.
CLIENTS = 4

Filled = tuple[Target, list[str]]
"""A server on a database with rows, and the sample of its intents."""


@dataclass(frozen=True, slots=True)
class Pair:
    """An operation on the small database and on the large one, by turns."""

    operation: str
    small: list[Round] = field(default_factory=list)
    large: list[Round] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """Return the CPU of the large database relative to the small one: the median of the turns, so that disturbed ones do not count."""
        return median(large.cpu_per_step / small.cpu_per_step for small, large in zip(self.small, self.large, strict=True))

    @property
    def cpu(self) -> tuple[float, float]:
        """Seconds of the server's process for one step: on the small database, on the large one."""
        return median(each.cpu_per_step for each in self.small), median(each.cpu_per_step for each in self.large)


@dataclass(frozen=True, slots=True)
class Growth:
    """Results of one database."""

    database: str
    few: int
    many: int
    pairs: list[Pair]


def measure(vendor: str, scale: Scale, folder: Path, pool: Executor, *, tell: Tell = print) -> Growth:
    with ExitStack() as stack:
        small = stack.enter_context(_filled(vendor, FEW, scale, folder, pool, tell))
        large = stack.enter_context(_filled(vendor, scale.growth_intents, scale, folder, pool, tell))
        growth = Growth(small[0].database, FEW, scale.growth_intents, [Pair(name) for name in GROWTH])
        for number in range(scale.growth_rounds):
            for each in growth.pairs:
                _measure_pair(each, small, large, scale, swapped=bool(number % 2))
                tell(f"{each.operation}: {each.cpu[1] * 1e3:.2f} ms of CPU, {each.ratio:.2f} times the small database's")
        return growth


def _measure_pair(pair: Pair, small: Filled, large: Filled, scale: Scale, *, swapped: bool) -> None:
    """One round on each, the large one first where `swapped`: whoever comes second has no advantage then."""
    order = [(pair.small, small), (pair.large, large)]
    for rounds, (target, intents) in reversed(order) if swapped else order:
        rounds.append(target.measure(GROWTH[pair.operation], intents, CLIENTS, scale))


@contextmanager
def _filled(vendor: str, intents: int, scale: Scale, folder: Path, pool: Executor, tell: Tell) -> Iterator[Filled]:
    tell(f"{vendor}: filling a database with {intents:,} intents and {intents * scale.growth_events_each:,} events")
    url = migrated_database(vendor, folder)
    with Seeder(url) as seeder:
        ids = seeder.intents(intents, events_each=scale.growth_events_each)
    with serving(url, pool) as target:
        yield target, ids[:: len(ids) // SAMPLE][:SAMPLE]
