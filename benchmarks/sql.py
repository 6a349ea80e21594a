"""The two databases without Django: for rows in bulk, and for the fastest transaction that a program can make."""

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg

from benchmarks import resource_usage
from core import env

INTENT = (
    "id", "title", "description", "status", "state", "constraints", "confidence", "version", "parent_intent_id", "depends_on",
    "agents", "created_by", "created_at", "updated_at", "last_sequence",
    "last_event_at", "on_hold", "last_fencing_token", "active_leases",
)  # fmt: skip
EVENT = (
    "uid", "intent_id", "portfolio_id", "sequence", "position", "event_type", "actor", "key_id", "payload", "trace_id",
    "parent_event_id", "created_at",
)  # fmt: skip
COST = (
    "id", "intent_id", "agent_id", "cost_type", "whole", "parts", "unit", "provider", "model", "metadata", "recorded_at",
)  # fmt: skip
SPENDING = ("intent_id", "unit", "cost_type", "agent_id", "provider", "model", "whole", "parts", "count")
PORTFOLIO = (
    "id", "name", "description", "status", "governance_policy", "metadata", "version", "created_by", "principal",
    "created_at", "updated_at",
)  # fmt: skip
MEMBER = ("portfolio_id", "intent_id", "role", "priority", "added_by", "principal", "by_role", "added_at")
EDGE = ("waiter_id", "awaited_id", "kind")


class PostgreSQL:
    for_update = " FOR UPDATE"
    next_position = "NULL"  # The sequencer's work, after the commit.

    def __init__(self, url: str) -> None:
        self.connection = psycopg.connect(url)
        self.cursor = self.connection.cursor()

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        return self.cursor.execute(sql, parameters)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        yield  # psycopg begins one with the first statement.
        self.connection.commit()

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        with self.transaction(), self.cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def settle(self) -> None:
        """Do now what the database would soon do by itself after so many new rows, in the middle of a measurement."""
        self.connection.autocommit = True
        self.execute("VACUUM ANALYZE")
        self.execute("CHECKPOINT")

    def close(self) -> None:
        self.connection.close()

    @staticmethod
    def key(pk: UUID) -> Any:
        return pk

    @staticmethod
    def instant(at: datetime) -> Any:
        return at


class SQLite:
    for_update = ""
    next_position = "(SELECT COALESCE(MAX(position), 0) + 1 FROM intents_event)"

    def __init__(self, url: str) -> None:
        os.environ["DATABASE_URL"] = url
        settings = env.database()  # The server's own: the same journal, the same durability.
        self.connection = sqlite3.connect(settings["NAME"], isolation_level=None, timeout=settings["OPTIONS"]["timeout"])
        self.connection.executescript(settings["OPTIONS"]["init_command"])

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Any:
        return self.connection.execute(sql.replace("%s", "?"), parameters)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        self.connection.execute("BEGIN IMMEDIATE")
        yield
        self.connection.execute("COMMIT")

    def insert(self, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        places = ", ".join("?" * len(columns))
        with self.transaction():
            self.connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", rows)

    def settle(self) -> None:
        """Move what was written from the journal to its place, or the next writer pays for it."""
        self.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        self.connection.close()

    @staticmethod
    def key(pk: UUID) -> Any:
        return pk.hex

    @staticmethod
    def instant(at: datetime) -> Any:
        return str(at.replace(tzinfo=None))


Database = PostgreSQL | SQLite


def connect(url: str) -> Database:
    return PostgreSQL(url) if url.startswith("postgres") else SQLite(url)


def server_process(url: str) -> int | None:
    """The PostgreSQL server's main process, or None: SQLite has none, and another machine's cannot be watched."""
    if not url.startswith("postgres"):
        return None
    database = PostgreSQL(url)
    [backend] = database.execute("SELECT pg_backend_pid()").fetchone()
    found = resource_usage.parent_of(backend)
    database.close()
    return found


def version(url: str) -> str:
    if not url.startswith("postgres"):
        return f"SQLite {sqlite3.sqlite_version}"
    database = PostgreSQL(url)
    [found] = database.execute("SHOW server_version").fetchone()
    database.close()
    return f"PostgreSQL {found}"
