"""What every verb and every reader needs of the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, cast
from zlib import crc32

from django.db import connection, transaction

atomic_verb = transaction.atomic(savepoint=False)
"""Decorates a verb: its writes happen together or not at all. Verbs may call verbs; the outermost one commits."""


def has_single_writer() -> bool:
    """Whether a transaction that writes is the only one that does (SQLite), so that no row needs a lock."""
    return not connection.features.has_select_for_update


def database_now() -> datetime:
    """The database's time at this instant: one clock for all processes that share it (rule L-2)."""
    if connection.vendor == "sqlite":  # It runs in this process, and is asked by no other.
        return datetime.now(UTC)
    return cast(Any, connection).run("SELECT clock_timestamp()", [])[0][0]


def acquire_advisory_lock(name: str, *, wait: bool = True) -> bool:
    """Hold a lock of that name until the transaction ends. Without `wait`, answers False where another has it."""
    if has_single_writer():
        return True
    function = "pg_advisory_xact_lock" if wait else "pg_try_advisory_xact_lock"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s, %s)", list(advisory_lock_key(name)))
        return wait or cursor.fetchone()[0]


def fetch_all(sql: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


@contextmanager
def rollback_point() -> Iterator[Any]:
    """A point in the transaction to go back to, letting go of the locks taken since: call what is yielded."""
    point = transaction.savepoint()
    yield lambda: transaction.savepoint_rollback(point)
    transaction.savepoint_commit(point)


def advisory_lock_key(name: str) -> tuple[int, int]:
    """The two numbers by which PostgreSQL knows the lock."""
    return 0x01D7, crc32(name.encode()) - 2**31
