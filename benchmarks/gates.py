"""Cost of gates: CPU of the thread that serves state writes, in turns within one process, so that what else the machine does meets all.

A write that no gate binds is compared with the same code without the look-up: the check does nothing, and the statement that locks the
row brings no epoch along. A gated write spends its permit; asking for that and granting it are not counted, and come before the
write that it is compared with as well: after other requests the processor's caches hold less of a write's code.
"""

import asyncio
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any
from unittest import mock

import orjson

from benchmarks.operations import INTENT
from benchmarks.profiling import InProcess
from benchmarks.suite import LOG_LEVEL, migrated_database

STEPS, PAIRS = 40, 24
AGENT = "agent-research-key"
OTHER_GATES = 20


@dataclass(frozen=True, slots=True)
class Comparison:
    """CPU seconds of two kinds of write, measured in turns."""

    what: str
    base: str
    pairs: Sequence[tuple[float, float]]


class Writer:
    """An agent that writes to the state of one intent, an operator who grants it that, and the CPU seconds that each write took."""

    def __init__(self, agent: InProcess, operator: InProcess, intent: dict[str, Any], spent: list[float]) -> None:
        self.agent, self.operator, self.spent = agent, operator, spent
        self.id, self.version = intent["id"], intent["version"]

    async def write(self, permit: str | None = None) -> None:
        await self.agent.send("POST", f"/v1/intents/{self.id}/state", orjson.dumps(self.body), self.version, permit=permit)
        self.version += 1

    @property
    def body(self) -> dict[str, Any]:
        return {"patches": [{"op": "set", "path": "progress", "value": self.version % 100}]}

    async def write_after_grant(self, *, spends: bool) -> None:
        """Ask for a permit, have it granted, and write with it or without."""
        action = {"verb": "update_state", "target": self.id, "params": self.body}
        asked = await post(self.agent, f"intents/{self.id}/arbitrate", {"reason": "May I?", "action": action})
        await post(self.operator, f"intents/{self.id}/decisions", {"decision": "approve", "arbitration_id": asked["id"]})
        found = orjson.loads(await self.agent.send("GET", f"/v1/intents/{self.id}/permits?status=live"))
        await self.write(found["permits"][0]["id"] if spends else None)

    async def cpu(self, steps: int, *, spends: bool | None = None) -> float:
        """Return the mean CPU seconds of a write: of one after a grant, if `spends` says whether it spends that."""
        self.spent.clear()
        for _ in range(steps):
            await (self.write() if spends is None else self.write_after_grant(spends=spends))
        return sum(self.spent) / len(self.spent)


async def post(http: InProcess, path: str, body: dict[str, Any]) -> Any:
    return orjson.loads(await http.send("POST", f"/v1/{path}", orjson.dumps(body)))


@contextmanager
def without_gates() -> Iterator[None]:
    """Run the code of writes as if there were no gates."""
    from core.db import model_sql  # noqa: PLC0415  Reads the settings.
    from intents import write_lock  # noqa: PLC0415

    def forget() -> None:
        for statement in (model_sql.select, model_sql.select_all, model_sql.lock_all):
            statement.cache_clear()

    with mock.patch.multiple(write_lock, require_permitted=_nothing), mock.patch.multiple(model_sql, EPOCH="0"):
        forget()
        yield
    forget()


def _nothing(*_: Any, **__: Any) -> None:
    pass


def measure(vendor: str, folder: Path, *, is_quick: bool) -> list[Comparison]:
    url = migrated_database(vendor, folder)
    os.environ.update(
        DATABASE_URL=url,
        OPENINTENT_DEV_MODE="true",
        OPENINTENT_LOG_LEVEL=LOG_LEVEL,
        OPENINTENT_THREADS="1",
        OPENINTENT_WORKER="false",
    )
    from config.asgi import application, bridge  # noqa: PLC0415  Reads the settings.

    spent: list[float] = []
    wsgi = bridge.wsgi

    def timed(environ: dict[str, Any], start: Any) -> Any:
        began = time.thread_time()
        try:
            return wsgi(environ, start)
        finally:
            if environ["PATH_INFO"].endswith("/state"):
                spent.append(time.thread_time() - began)

    bridge.wsgi = timed
    try:
        steps, pairs = (3, 2) if is_quick else (STEPS, PAIRS)
        agent, operator = InProcess(application, AGENT), InProcess(application)
        return asyncio.run(_compare(agent, operator, spent, steps, pairs))
    finally:
        bridge.close()


async def _compare(agent: InProcess, operator: InProcess, spent: list[float], steps: int, pairs: int) -> list[Comparison]:
    free, gated = [Writer(agent, operator, await post(agent, "intents", INTENT), spent) for _ in range(2)]
    await free.cpu(steps)
    lookups = []
    for _ in range(pairs):
        with without_gates():
            await free.cpu(1)  # Its statements are made anew.
            before = await free.cpu(steps)
        await free.cpu(1)
        lookups.append((before, await free.cpu(steps)))
    for _ in range(OTHER_GATES):
        other = await post(agent, "intents", INTENT)
        await post(operator, "gates", {"verb": "update_state", "intent_id": other["id"]})
    await post(operator, "gates", {"verb": "update_state", "intent_id": gated.id})
    await gated.cpu(1, spends=True)
    few = max(steps // 4, 1)
    beside = [(await free.cpu(few, spends=False), await gated.cpu(few, spends=True)) for _ in range(pairs)]
    return [
        Comparison("no gates", "without the look-up", lookups),
        Comparison("gated, with its permit", f"one that none of {OTHER_GATES + 1} gates binds", beside),
    ]


def table(found: Sequence[Comparison]) -> str:
    lines = ["| State write | compared with | CPU, ms | ratio, median of the pairs |", "| --- | --- | --: | --: |"]
    for each in found:
        first, second = (median(side) * 1e3 for side in zip(*each.pairs, strict=True))
        ratio = median(after / before for before, after in each.pairs)
        lines.append(f"| {each.what} | {each.base} | {first:.3f} → {second:.3f} | {ratio:.3f} |")
    return "\n".join(lines)
