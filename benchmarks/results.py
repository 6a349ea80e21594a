"""Results of a run, and figures derived from them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median

from benchmarks.baseline_sql import RawRound
from benchmarks.load import Round


def quantile(values: Iterable[float], share: float) -> float:
    """Return the quantile of the values."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]


@dataclass(frozen=True, slots=True)
class Measurement:
    """An operation by so many clients, over all rounds."""

    operation: str
    clients: int
    rounds: list[Round] = field(default_factory=list)

    @property
    def steps(self) -> int:
        return sum(len(each.latencies) for each in self.rounds)

    @property
    def per_second(self) -> float:
        return self.steps / sum(each.seconds for each in self.rounds)

    @property
    def cpu(self) -> float:
        """Seconds of the server's process for one step."""
        return sum(each.cpu for each in self.rounds) / self.steps

    @property
    def database_cpu(self) -> float | None:
        used = [each.database_cpu for each in self.rounds if each.database_cpu is not None]
        return sum(used) / self.steps if used else None

    @property
    def memory(self) -> int:
        return max(each.memory for each in self.rounds)

    def latency(self, share: float) -> float:
        """Seconds in which this share of the steps was done."""
        return quantile((latency for each in self.rounds for latency in each.latencies), share)


@dataclass(frozen=True, slots=True)
class RawMeasurement:
    """A transaction by so many threads, over all rounds."""

    name: str
    threads: int
    rounds: list[RawRound] = field(default_factory=list)

    @property
    def transactions(self) -> int:
        return sum(each.transactions for each in self.rounds)

    @property
    def per_second(self) -> float:
        return self.transactions / sum(each.seconds for each in self.rounds)

    @property
    def cpu(self) -> float:
        """Seconds of the program for one transaction."""
        return sum(each.cpu for each in self.rounds) / self.transactions


@dataclass(slots=True)
class Results:
    """Results of one database."""

    database: str
    vendor: str
    operations: list[Measurement] = field(default_factory=list)
    raw: list[RawMeasurement] = field(default_factory=list)
    trees: dict[int, list[Measurement]] = field(default_factory=dict)
    large: dict[int, list[Measurement]] = field(default_factory=dict)
    """Reads of what is made of so many rows."""

    def operation(self, name: str, clients: int) -> Measurement:
        return next(each for each in self.operations if (each.operation, each.clients) == (name, clients))

    def share(self, name: str, clients: int) -> float:
        """The operation's rate per CPU second, as a share of the raw transaction's: the median of all pairs of rounds."""
        pairs = zip(self.raw_transaction(name, clients).rounds, self.operation(name, clients).rounds, strict=True)
        return median(raw.cpu_per_transaction / served.cpu_per_step for raw, served in pairs)

    def raw_transaction(self, name: str, threads: int) -> RawMeasurement:
        return next(each for each in self.raw if (each.name, each.threads) == (name, threads))
