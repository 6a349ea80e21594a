"""Latency of the console's pages for a signed-in user, until the last byte."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

import requests

from benchmarks.suite import Scale, Tell, migrated_database
from tests.browser.conftest import new_session
from tests.browser.console_pages import PAGES, example


@dataclass(slots=True)
class Console:
    """Seconds of the first visit to each page, and of those after it."""

    database: str
    intents: int
    first: dict[str, float] = field(default_factory=dict)
    later: dict[str, list[float]] = field(default_factory=dict)


def measure(vendor: str, scale: Scale, folder: Path, *, tell: Tell) -> Console:
    os.environ.setdefault("OPENINTENT_SECRET_KEY", "no secret, but the same for all processes here")  # It signs sessions.
    tell(f"console, {vendor}: {scale.console_intents:,} intents")
    measured = Console({"sqlite": "SQLite", "postgresql": "PostgreSQL"}[vendor], scale.console_intents)
    with example(migrated_database(vendor, folder), intents=scale.console_intents) as running, requests.Session() as operator:
        operator.cookies.set("openintent-session", new_session(running.server.database_url, "operator"))
        operator.get(f"{running.server.url}/admin/").raise_for_status()  # The first page of all loads the templates.
        for name, place in PAGES.items():
            if place.role == "operator":
                url = running.server.url + place.path(running)
                measured.first[name], *measured.later[name] = [_visit(operator, url) for _ in range(1 + scale.console_visits)]
    return measured


def _visit(operator: requests.Session, url: str) -> float:
    began = perf_counter()
    answer = operator.get(url, timeout=60)
    taken = perf_counter() - began
    assert answer.status_code in (200, 404), url
    assert "id_username" not in answer.text, url
    return taken
