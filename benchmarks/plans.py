"""Plans: the seconds of one plan of many intents, and what reads take beside several clients with plans (rule G-8)."""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter, sleep
from urllib.parse import urlsplit

import orjson
import requests

from benchmarks import concurrent_reader
from benchmarks.load import KEY
from benchmarks.operations import INTENT, Http, Step
from benchmarks.suite import Scale, Target, Tell, migrated_database, serving

CLIENTS = 8
PAUSE = 0.5  # Seconds between two plans that are measured alone: on PostgreSQL the log of the one before is still being numbered.


@dataclass(slots=True)
class Plans:
    """Results of one database, in seconds."""

    database: str
    size: int
    alone: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)
    """Plans of CLIENTS clients at once."""
    elapsed: float = 0.0
    """Until all of these were answered."""
    reads: list[float] = field(default_factory=list)
    """GETs of an intent while they were created."""


def plan(size: int) -> bytes:
    """Return the body of a plan: a root with parts, each of which waits for the one before, has an agent and is in a portfolio."""
    parts = [
        {**INTENT, "ref": f"part {n}", "parent": "root", "depends_on": [f"part {n - 1}"] if n > 1 else [], "assign": "agent:dev"}
        for n in range(1, size)
    ]
    return orjson.dumps({"intents": [{**INTENT, "ref": "root"}, *parts], "portfolio": {"name": "Interviews"}})


async def create_plan(http: Http, mine: Sequence[str]) -> Step:
    body = plan(int(mine[0]))
    return lambda: http.send("POST", "/v1/intents/batch", body)


def measure(vendor: str, scale: Scale, folder: Path, pool: Executor, *, tell: Tell = print) -> Plans:
    url = migrated_database(vendor, folder)
    with serving(url, pool) as target:
        found = Plans(target.database, scale.plan_intents)
        headers = {"X-API-Key": KEY, "Content-Type": "application/json"}
        with requests.Session() as client:
            client.headers.update(headers)
            read = _post(client, target, "/intents", orjson.dumps(INTENT))["id"]
            body = plan(scale.plan_intents)
            for _ in range(1 + scale.plans_alone):
                sleep(PAUSE)
                begun = perf_counter()
                _post(client, target, "/intents/batch", body)
                found.alone.append(perf_counter() - begun)
            del found.alone[0]  # The first one of a process costs more than later ones.
        with concurrent_reader.reader(urlsplit(target.url).netloc) as reader:
            reader.begin(f"/api/v1/intents/{read}")
            few = replace(scale, steps=scale.plans_beside, seconds=600, warm_up=0)
            measured = target.measure(create_plan, [str(scale.plan_intents)], CLIENTS, few)
            found.reads = reader.end()
        found.beside, found.elapsed = measured.latencies, measured.seconds
    tell(f"{found.database}: {len(found.alone)} plans alone, {len(found.beside)} by {CLIENTS} clients, {len(found.reads)} reads")
    return found


def _post(client: requests.Session, target: Target, path: str, body: bytes) -> dict[str, str]:
    answer = client.post(f"{target.url}/api/v1{path}", body, timeout=60)
    assert answer.status_code == 201, answer.text
    created: dict[str, str] = orjson.loads(answer.content)
    return created
