"""The limit: the SQL of a verb in a plain program, without HTTP, without Django, without checks."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from time import perf_counter, process_time
from typing import Any
from uuid import UUID

import orjson

from benchmarks import sql
from benchmarks.operations import EVENT, INTENT
from benchmarks.sql import Database, SQLite
from core.ids import new_id

STATE_TEXT = orjson.dumps(INTENT["state"]).decode()
CONSTRAINTS_TEXT = orjson.dumps(INTENT["constraints"]).decode()
PAYLOAD_TEXT = orjson.dumps(EVENT["payload"]).decode()
WARM_UP = 20  # Transactions of each thread.

# Its writers poll for SQLite's lock otherwise, and some sleep while nobody writes: a queue is faster.
_writer = threading.Lock()


@dataclass(frozen=True, slots=True)
class RawJob:
    url: str
    name: str
    threads: int
    transactions: int
    seconds: float
    intents: Sequence[str]


@dataclass(frozen=True, slots=True)
class RawRound:
    transactions: int
    seconds: float
    cpu: float

    @property
    def cpu_per_transaction(self) -> float:
        return self.cpu / self.transactions


def create_intent(database: Database, _: UUID) -> None:
    pk, now = new_id(), datetime.now(UTC)
    at = database.instant(now)
    database.execute(
        _insert("intents_intent", sql.INTENT),
        [
            database.key(pk), INTENT["title"], INTENT["description"], "draft", STATE_TEXT, CONSTRAINTS_TEXT, None, 1, None, "[]",
            "[]", "dev-user", at, at, 1, at, False, 0, 0,
        ],
    )  # fmt: skip
    _insert_event(database, pk, 1, "intent_created", now)


def append_event(database: Database, pk: UUID) -> None:
    sequence = _lock(database, pk)["last_sequence"] + 1
    at = database.instant(datetime.now(UTC))
    database.execute(
        "UPDATE intents_intent SET last_sequence = %s, last_event_at = %s WHERE id = %s", [sequence, at, database.key(pk)]
    )
    _insert_event(database, pk, sequence, str(EVENT["event_type"]), datetime.now(UTC))


def update_state(database: Database, pk: UUID) -> None:
    intent, now = _lock(database, pk), datetime.now(UTC)
    database.execute(
        "UPDATE intents_intent SET state = %s, version = %s, updated_at = %s, last_sequence = %s, last_event_at = %s WHERE id = %s",
        [
            STATE_TEXT,
            intent["version"] + 1,
            database.instant(now),
            intent["last_sequence"] + 1,
            database.instant(now),
            database.key(pk),
        ],
    )
    _insert_event(database, pk, intent["last_sequence"] + 1, "state_patched", now)


TRANSACTIONS: dict[str, Callable[[Database, UUID], None]] = {
    "create intent": create_intent,
    "append event": append_event,
    "update state": update_state,
}


def run(job: RawJob) -> RawRound:
    start = threading.Barrier(job.threads + 1)
    with ThreadPoolExecutor(job.threads) as pool:
        running = [pool.submit(_work, job, number, start) for number in range(job.threads)]
        start.wait()
        cpu, begun = process_time(), perf_counter()
        done = sum(each.result() for each in running)
        return RawRound(done, perf_counter() - begun, process_time() - cpu)


def _work(job: RawJob, number: int, start: threading.Barrier) -> int:
    database = sql.connect(job.url)
    mine = [UUID(pk) for pk in job.intents[number :: job.threads]]
    transaction = TRANSACTIONS[job.name]
    try:
        _repeat(database, transaction, mine, WARM_UP, job.seconds)
        start.wait()
        return _repeat(database, transaction, mine, job.transactions // job.threads, job.seconds)
    except BaseException:
        start.abort()
        raise
    finally:
        database.close()


def _repeat(database: Database, transaction: Any, intents: Sequence[UUID], count: int, seconds: float) -> int:
    deadline = perf_counter() + seconds
    turn = _writer if isinstance(database, SQLite) else nullcontext()
    for number in range(count):
        if perf_counter() >= deadline:
            return number
        with turn, database.transaction():
            transaction(database, intents[number % len(intents)])
    return count


def _lock(database: Database, pk: UUID) -> dict[str, Any]:
    row = database.execute(_select(database.for_update), [database.key(pk)]).fetchone()
    return dict(zip(sql.INTENT, row, strict=True))


def _insert_event(database: Database, pk: UUID, sequence: int, event_type: str, now: datetime) -> None:
    database.execute(
        _insert("intents_event", sql.EVENT, database.next_position),
        [
            database.key(new_id()), database.key(pk), None, sequence, event_type, "dev-user", None, PAYLOAD_TEXT, None, None,
            database.instant(now),
        ],
    )  # fmt: skip


@cache
def _select(for_update: str) -> str:
    return f"SELECT {', '.join(sql.INTENT)} FROM intents_intent WHERE id = %s{for_update}"


@cache
def _insert(table: str, columns: Sequence[str], position: str = "") -> str:
    values = ", ".join(position if column == "position" else "%s" for column in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})"
