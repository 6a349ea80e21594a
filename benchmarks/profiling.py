"""Profile of one operation: `python -m benchmarks profile "update state"`: the share of each layer, and the functions."""

import asyncio
import cProfile
import os
import pstats
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from benchmarks.load import KEY
from benchmarks.operations import Operation
from benchmarks.seed import Seeder
from benchmarks.suite import EVENTS_EACH, LOG_LEVEL, migrated_database

STEPS = 500
SHOWN = 60


class InProcess:
    """A client without a network: it calls the ASGI application in this process."""

    def __init__(self, application: Any, key: str = KEY) -> None:
        self.application, self.key = application, key

    async def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        version: int | None = None,
        token: int | None = None,
        permit: str | None = None,
    ) -> bytes:
        answer: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body}

        async def send(message: dict[str, Any]) -> None:
            answer.append(message)

        await self.application(_scope(method, f"/api{path}", self.key, version, token, permit), receive, send)
        start, *parts = answer
        content = b"".join(part["body"] for part in parts)
        if start["status"] >= 300:
            raise RuntimeError(f"the server answered {start['status']}: {content.decode()}")
        return content


def show(operation: Operation, vendor: str) -> None:
    """Print the functions in which one of the server's threads spends its CPU time, callees included, waits left out."""
    with tempfile.TemporaryDirectory(prefix="openintent-bench-") as folder:
        url = migrated_database(vendor, Path(folder))
        with Seeder(url) as seeder:
            intents = seeder.intents(1, events_each=EVENTS_EACH)
        os.environ.update(
            DATABASE_URL=url,
            OPENINTENT_DEV_MODE="true",
            OPENINTENT_LOG_LEVEL=LOG_LEVEL,
            OPENINTENT_URLCONF="benchmarks.urls",
            OPENINTENT_THREADS="1",
        )
        from config.asgi import application, bridge  # noqa: PLC0415  Reads the settings.

        profile = cProfile.Profile(time.thread_time)
        asyncio.run(_run(InProcess(application), operation, intents, bridge, profile))
        bridge.close()
    statistics = pstats.Stats(profile)
    print(f"{STEPS} steps\n\n{_layers(statistics)}")
    statistics.strip_dirs().sort_stats("cumulative").print_stats(SHOWN)


LAYERS = {
    "bridge from ASGI to WSGI": ["/core/serving/"],
    "Django: handler, request, response": ["/django/core/", "/django/http/", "/django/utils/", "/django/dispatch/", "/core/middleware", "/asgiref/"],
    "DRF and core.api": ["/rest_framework/", "/core/api/", "/django_filters/"],
    "authentication": ["/access/"],
    "ORM and transactions": ["/django/db/"],
    "rows by cached SQL": ["/core/db/"],
    "JSON and identifiers": ["/core/strict_json", "/core/encoding", "/core/ids", "/json/", "/uuid.py"],
    "verbs": ["/intents/", "/leasing/", "/costs/", "/governance/", "/portfolios/", "/plans/", "/subscriptions/", "/retries/", "/attachments/"],
    "database driver": ["sqlite3.", "psycopg", "SQLite", "pq."],
}  # fmt: skip
"""Layers by parts of the names of files, and of built-in functions."""
OTHERS = "others"


def _layers(statistics: Any) -> str:
    """Return a Markdown table of the share of CPU that each layer's own functions take, with the built-in ones that they call."""
    shares: Counter[str] = Counter()
    for (file, _, name), (_, _, own, _, callers) in statistics.stats.items():
        layer = _layer(name if file == "~" else file)
        if layer != OTHERS or file != "~":
            shares[layer] += own
        else:
            for (caller, *_), (_, _, part, _) in callers.items():
                shares[_layer(caller)] += part
    total = sum(shares.values())
    rows = [f"| {layer} | {own / total:.1%} | {own / STEPS * 1e3:.3f} |" for layer, own in shares.most_common()]
    return "\n".join(["| layer | share | CPU ms, profiled |", "| --- | --: | --: |", *rows])


def _layer(where: str) -> str:
    return next((layer for layer, parts in LAYERS.items() if any(part in where for part in parts)), OTHERS)


async def _run(http: InProcess, operation: Operation, intents: Sequence[str], bridge: Any, profile: cProfile.Profile) -> None:
    step = await operation(http, intents)
    await step()  # What is made once, is made now.
    wsgi = bridge.wsgi

    def profiled(*arguments: Any) -> Any:
        profile.enable()
        try:
            return wsgi(*arguments)
        finally:
            profile.disable()

    bridge.wsgi = profiled
    for _ in range(STEPS):
        await step()
    bridge.wsgi = wsgi


def _scope(method: str, address: str, key: str, version: int | None, token: int | None, permit: str | None) -> dict[str, Any]:
    path, _, query = address.partition("?")
    headers = [(b"host", b"localhost"), (b"x-api-key", key.encode()), (b"content-type", b"application/json")]
    if version is not None:
        headers.append((b"if-match", str(version).encode()))
    if token is not None:
        headers.append((b"x-fencing-token", str(token).encode()))
    if permit is not None:
        headers.append((b"x-permit", permit.encode()))
    return {
        "type": "http",
        "method": method,
        "path": unquote(path),
        "query_string": query.encode(),
        "headers": headers,
        "http_version": "1.1",
        "client": ("127.0.0.1", 0),
    }
