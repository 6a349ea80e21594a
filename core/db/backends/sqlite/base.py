"""SQLite backend: Django's, with one queue for the writers of this process, and transactions that are committed together.

SQLite lets writers poll for its lock; under load some wait for seconds (4 s measured, 0.2 s with a queue).
One queue also avoids the WAL reset race of SQLite before 3.51.3.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any

from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError

QUEUE_TIMEOUT = 20.0  # Seconds. Longer than any sane transaction; then the caller gets a 503.

_MEMBER = "member_of_group"  # Name of the savepoint that is a transaction of a group.


class _Queue:
    """Lock that threads get in the order in which they ask. From a `threading.Lock`, one that asks again at once would take every turn."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._is_held = False
        self._waiting: deque[threading.Lock] = deque()

    def acquire(self, *, timeout: float) -> bool:
        """Return whether the lock was acquired within the time."""
        with self._mutex:
            if not self._is_held:
                self._is_held = True
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        if turn.acquire(timeout=timeout):
            return True
        with self._mutex:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return False
        return True  # It was the turn of this thread just now.

    def release(self) -> None:
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_held = False


_writer = _Queue()


class _Group:
    """Transactions that are committed together."""

    def __init__(self) -> None:
        self.on_commit: list[tuple[Any, Callable[[], Any], bool]] = []
        self.is_lost = False
        """Whether the database has rolled back all of them."""


_Wrapper: Any = base.DatabaseWrapper  # The types leave out the methods that a backend is made of.


class DatabaseWrapper(_Wrapper):
    _is_writer = False
    _group: _Group | None = None

    def get_new_connection(self, conn_params: Any) -> Any:
        """Create a missing file readable by its owner only. SQLite gives the -wal and -shm files the same mode."""
        if conn_params["database"].startswith("/"):
            with suppress(OSError):  # It exists, or SQLite raises the error.
                os.close(os.open(conn_params["database"], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        return super().get_new_connection(conn_params)

    def run(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Run the statement, in the open transaction if there is one, and return its rows.

        Parameters are `?`. It bypasses Django's cursor, which rewrites every statement's placeholders.
        """
        self.ensure_connection()
        with self.wrap_database_errors:
            return self.connection.execute(sql, parameters).fetchall()

    def read(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Run a statement as `run` does. Parameters are `%s`, as the ORM compiles them."""
        return self.run(_with_question_marks(sql, len(parameters)), parameters)

    def run_later(self, sql: str, parameters: Sequence[Any]) -> None:
        """Run the statement immediately: SQLite has no round trip to save."""
        self.run(sql, parameters)

    @contextmanager
    def commit_together(self) -> Iterator[Callable[[], bool]]:
        """Commit the transactions of the block by one commit at its end: one write to the disk in place of many.

        A transaction that is rolled back takes back its own writes alone. `on_commit` functions run after the commit. Yield a
        function that returns whether further transactions may begin. Raise OperationalError if nothing of the block was written.
        """
        group = self._group = _Group()
        try:
            yield lambda: not self._has_lost(group)
            self._group = None
            if self._has_lost(group):
                raise OperationalError("the database has rolled back all transactions with one of them")
            if self._is_writer:
                self._execute("COMMIT")
        except BaseException:
            self._group = None
            if self._is_writer:
                self._rollback()
            raise
        self._release_writer()
        self.run_on_commit = group.on_commit
        self.run_and_clear_commit_hooks()

    def _has_lost(self, group: _Group) -> bool:
        """Return whether the database has rolled back the group, as SQLite does with a transaction that finds the disk full."""
        return group.is_lost or (self._is_writer and not self.connection.in_transaction)

    def run_and_clear_commit_hooks(self) -> None:
        if self._group is None:
            return super().run_and_clear_commit_hooks()
        self._group.on_commit += [(savepoints, function, True) for savepoints, function, _ in self.run_on_commit]
        self.run_on_commit = []

    def _set_autocommit(self, autocommit: bool) -> None:
        if not (self._group and self._is_writer):  # sqlite3 would commit.
            super()._set_autocommit(autocommit)

    def _start_transaction_under_autocommit(self) -> None:
        if self._group and self._has_lost(self._group):
            raise OperationalError("the database has rolled back the transaction")
        if not self._is_writer:
            self._begin()
        if self._group:
            self._execute(f"SAVEPOINT {_MEMBER}")

    def _begin(self) -> None:
        if not _writer.acquire(timeout=QUEUE_TIMEOUT):
            raise OperationalError("database is locked: another transaction has been writing for too long")
        self._is_writer = True
        try:
            super()._start_transaction_under_autocommit()
        except BaseException:
            self._release_writer()
            raise

    def _commit(self) -> Any:
        if self._group:
            self._execute(f"RELEASE {_MEMBER}")
            return
        super()._commit()
        self._release_writer()

    def _rollback(self) -> Any:
        if self._group:
            if self.connection.in_transaction:
                self.connection.execute(f"ROLLBACK TO {_MEMBER}")
                self._execute(f"RELEASE {_MEMBER}")
            return
        try:
            super()._rollback()
        finally:
            self._release_writer()

    def _close(self) -> Any:
        if self._group and self._is_writer:
            self._group.is_lost = True
        try:
            super()._close()
        finally:
            self._release_writer()

    def _execute(self, sql: str) -> None:
        with self.wrap_database_errors:
            self.connection.execute(sql)

    def _release_writer(self) -> None:
        if self._is_writer:
            self._is_writer = False
            _writer.release()


@lru_cache(maxsize=1_000)
def _with_question_marks(sql: str, count: int) -> str:
    return sql % (("?",) * count)
