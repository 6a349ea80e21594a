"""Fan-out: delivery of one event to many followers, or of one event to each."""

from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import sql, stream_clients
from benchmarks.stream_clients import FollowJob, FollowRound
from benchmarks.suite import LOG_LEVEL, Scale, Tell, migrated_database
from tests.servers import Server

RATE = 20.0  # Events a second.


@dataclass(frozen=True, slots=True)
class Fanout:
    """Results of one database."""

    database: str
    rounds: list[FollowRound] = field(default_factory=list)


def measure(vendor: str, scale: Scale, folder: Path, pool: Executor, *, tell: Tell = print) -> Fanout:
    """One server process; SSE."""
    url = migrated_database(vendor, folder)
    fanout = Fanout(sql.version(url))
    for followers in scale.followers:
        for is_spread in (False, True):
            with Server(url, OPENINTENT_LOG_LEVEL=LOG_LEVEL, OPENINTENT_MAX_STREAMS_PER_KEY=str(followers + 100)) as server:
                job = FollowJob(
                    server.url,
                    server.process.pid,
                    followers,
                    is_spread,
                    RATE,
                    paced_events=scale.paced_events,
                    full_events=scale.full_events,
                    reading=scale.reading,
                )
                found = pool.submit(stream_clients.run, job).result()
            fanout.rounds.append(found)
            tell(f"{followers} followers of {'as many intents' if is_spread else 'one intent'}: {_told(found)}")
    return fanout


def _told(found: FollowRound) -> str:
    paced, full = found.paced, found.full
    return (
        f"p99 {paced.from_send[0.99] * 1e3:.0f} ms at {RATE:.0f}/s, {full.deliveries / full.seconds:,.0f} deliveries/s at full rate, "
        f"{paced.lost + full.lost} lost, {found.memory / 2**10:.0f} KiB each"
    )
