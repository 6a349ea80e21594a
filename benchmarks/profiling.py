"""Profile of one operation: `python -m benchmarks profile "update state"`."""

import asyncio
import cProfile
import os
import pstats
import tempfile
import time
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

    def __init__(self, application: Any) -> None:
        self.application = application

    async def send(self, method: str, path: str, body: bytes = b"", version: int | None = None) -> bytes:
        answer: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body}

        async def send(message: dict[str, Any]) -> None:
            answer.append(message)

        await self.application(_scope(method, f"/api{path}", version), receive, send)
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
    statistics = pstats.Stats(profile).strip_dirs().sort_stats("cumulative")
    print(f"{STEPS} steps")
    statistics.print_stats(SHOWN)


async def _run(http: InProcess, operation: Operation, intents: Sequence[str], bridge: Any, profile: cProfile.Profile) -> None:
    step = await operation(http, intents)
    await step()  # What is made once, is made now.
    await bridge.threads.run(profile.enable)
    for _ in range(STEPS):
        await step()
    await bridge.threads.run(profile.disable)


def _scope(method: str, address: str, version: int | None) -> dict[str, Any]:
    path, _, query = address.partition("?")
    headers = [(b"host", b"localhost"), (b"x-api-key", KEY.encode()), (b"content-type", b"application/json")]
    if version is not None:
        headers.append((b"if-match", str(version).encode()))
    return {
        "type": "http",
        "method": method,
        "path": unquote(path),
        "query_string": query.encode(),
        "headers": headers,
        "http_version": "1.1",
        "client": ("127.0.0.1", 0),
    }
