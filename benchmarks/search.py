"""Search: seconds of `GET /intents?q=` and of the console's search, on a database with many intents and questions."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import requests

from benchmarks import sql
from benchmarks.load import KEY
from benchmarks.operations import INTENT
from benchmarks.seed import Seeder
from benchmarks.suite import Scale, Tell, migrated_database
from tests.browser.conftest import new_session
from tests.servers import Server

SEARCHES = {
    "one of all": "part 4242",
    "a thousandth": "part 42",
    "three letters, in all": "sum",
    "two words, in all": "summarise part",
    "none": "zebra",
    "the beginning of an id": "",
}
TIMES = 11
LIMIT = 0.1  # Seconds.


@dataclass(frozen=True, slots=True)
class Measured:
    database: str
    search: str
    where: str
    seconds: list[float]

    @property
    def is_quick(self) -> bool:
        return median(self.seconds) <= LIMIT


def measure(vendor: str, scale: Scale, folder: Path, *, tell: Tell = print) -> Iterator[Measured]:
    os.environ.setdefault("OPENINTENT_SECRET_KEY", "no secret, but the same for all processes here")  # It signs sessions.
    url = migrated_database(vendor, folder)
    tell(f"{vendor}: filling a database with {scale.growth_intents:,} intents, and a question on each")
    with Seeder(url) as seeder:
        ids = seeder.intents(scale.growth_intents, events_each=2)
    with Server(url) as server, requests.Session() as operator:
        operator.cookies.set("openintent-session", new_session(url, "operator"))
        _ask_on_each(url, server)
        for name, text in SEARCHES.items():
            query = text or ids[len(ids) // 2][:18]
            for where, path, headers in (
                ("API", "/api/v1/intents", {"X-API-Key": KEY}),
                ("console", "/admin/search/", {}),
            ):
                seconds = [_time(operator, f"{server.url}{path}", query, headers) for _ in range(1 + TIMES)]
                yield Measured(sql.version(url), name, where, seconds[1:])


def _time(client: requests.Session, url: str, query: str, headers: dict[str, str]) -> float:
    begun = perf_counter()
    answer = client.get(url, params={"q": query}, headers=headers, timeout=60)
    taken = perf_counter() - begun
    assert answer.status_code == 200, answer.text
    return taken


def _ask_on_each(url: str, server: Server) -> None:
    """Ask a question by the API, and copy it to each intent, under that intent's id."""
    headers = {"X-API-Key": KEY}
    made = requests.post(f"{server.api}/intents", json=INTENT, headers=headers, timeout=60).json()
    asked = requests.post(f"{server.api}/intents/{made['id']}/arbitrate", json={"reason": "?"}, headers=headers, timeout=60)
    assert asked.status_code == 201, asked.text
    database = sql.connect(url)
    names = [each[0] for each in database.execute("SELECT * FROM governance_arbitration").description]
    own = {"id": "i.id", "intent_id": "i.id", "reason": "'May I? ' || i.title"}
    values = ", ".join(own.get(name, f"a.{name}") for name in names)
    with database.transaction():
        database.execute(
            f"""INSERT INTO governance_arbitration ({", ".join(names)})
                SELECT {values} FROM intents_intent i, governance_arbitration a WHERE i.id <> a.intent_id ORDER BY i.id"""
        )
    database.settle()
    database.close()


def table(found: list[Measured]) -> str:
    rows = [
        f"| {each.database} | {each.where} | {each.search} | {median(each.seconds) * 1e3:.0f} ms | {max(each.seconds) * 1e3:.0f} ms |"
        for each in found
    ]
    slow = sum(not each.is_quick for each in found)
    return "\n".join(
        [
            "| Database | Search | For | Median | Slowest |",
            "|---|---|---|---|---|",
            *rows,
            "",
            f"{len(found) - slow} of {len(found)} medians within {LIMIT * 1e3:.0f} ms.",
        ]
    )
