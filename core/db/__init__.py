"""Database helpers: atomic verbs, the database's clock, advisory locks."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from random import getrandbits
from typing import Any, cast
from zlib import crc32

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from core.errors import Unavailable

log = logging.getLogger("openintent.database")

EPOCH = "COALESCE((SELECT number FROM core_epoch), 0)"
"""SQL of the current epoch."""

atomic_verb = transaction.atomic(savepoint=False)
"""Decorator of a verb: all of its writes happen, or none. Verbs may call verbs; the outermost one commits."""


def has_single_writer() -> bool:
    """Return whether only one transaction writes at a time (SQLite), so that no row needs a lock."""
    return not connection.features.has_select_for_update


@contextmanager
def commit_together() -> Iterator[Callable[[], bool]]:
    """Commit the transactions of the block by one commit, on SQLite. Raise Unavailable if nothing of the block was written."""
    try:
        with cast(Any, connection).commit_together() as may_go_on:
            yield may_go_on
    except DatabaseError as error:
        log.error("transactions that were to be committed together are rolled back", exc_info=error)
        raise Unavailable() from error


def database_now() -> datetime:
    """Return the database's current time: one clock for all processes (rule L-2)."""
    if connection.vendor == "sqlite":  # It runs in this process.
        return datetime.now(UTC)
    return cast(datetime, run("SELECT clock_timestamp()", [])[0][0])


def current_epoch() -> int:
    """Return the number of the epoch: another one means that what is kept in memory has changed. 0: nothing ever did.

    Statements that lock a row return it as well (core.db.sql_rows).
    """
    found = run(f"SELECT {EPOCH}", [])
    return cast(int, found[0][0])


def clock_and_epoch() -> tuple[datetime, int]:
    """Return `database_now()` and `current_epoch()`, on PostgreSQL by one statement."""
    if connection.vendor == "sqlite":
        return database_now(), current_epoch()
    return cast(Any, run(f"SELECT clock_timestamp(), {EPOCH}", [])[0])


def start_epoch() -> None:
    """Begin another epoch with the commit. Numbers are random: one that was rolled back does not return with another meaning."""
    number = getrandbits(62) + 1
    with connection.cursor() as cursor:
        cursor.execute("UPDATE core_epoch SET number = %s", [number])
        if not cursor.rowcount:
            cursor.execute("INSERT INTO core_epoch (id, number) VALUES (1, %s)", [number])


def acquire_advisory_lock(name: str, *, wait: bool = True) -> bool:
    """Hold a named lock until the transaction ends. Without `wait`, return False if another transaction holds it."""
    if has_single_writer():
        return True
    function = "pg_advisory_xact_lock" if wait else "pg_try_advisory_xact_lock"
    [[acquired]] = run(f"SELECT {function}(%s, %s)", [*advisory_lock_key(name)])
    return wait or cast(bool, acquired)


def run(sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    """Run a statement without parameters, or one of PostgreSQL, and return its rows: ids as text, or as UUID without the fast paths."""
    return cast(Any, connection).run(sql, parameters) if settings.FAST_PATHS else fetch_all(sql, parameters)


def fetch_all(sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    """Run the SQL and return all rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


@contextmanager
def rollback_point() -> Iterator[Any]:
    """Set a savepoint and yield a function that rolls back to it, which also releases the locks taken since."""
    point = transaction.savepoint()
    yield lambda: transaction.savepoint_rollback(point)
    transaction.savepoint_commit(point)


def advisory_lock_key(name: str) -> tuple[int, int]:
    """Return the two integers that identify the lock in PostgreSQL."""
    return 0x01D7, crc32(name.encode()) - 2**31
