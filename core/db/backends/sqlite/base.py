"""SQLite backend: Django's, with one queue for the writers of this process.

SQLite lets writers poll for its lock; under load some wait for seconds (4 s measured, 0.2 s with a queue).
One queue also avoids the WAL reset race of SQLite before 3.51.3.
"""

import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError

QUEUE_TIMEOUT = 20.0  # Seconds. Longer than any sane transaction; then the caller gets a 503.

_writer = threading.Lock()


_Wrapper: Any = base.DatabaseWrapper  # The types leave out the methods that a backend is made of.


class DatabaseWrapper(_Wrapper):
    _is_writer = False

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

    def run_later(self, sql: str, parameters: Sequence[Any]) -> None:
        """Run the statement immediately: SQLite has no round trip to save."""
        self.run(sql, parameters)

    def _start_transaction_under_autocommit(self) -> None:
        if not _writer.acquire(timeout=QUEUE_TIMEOUT):
            raise OperationalError("database is locked: another transaction has been writing for too long")
        self._is_writer = True
        try:
            super()._start_transaction_under_autocommit()
        except BaseException:
            self._release_writer()
            raise

    def _commit(self) -> Any:
        super()._commit()
        self._release_writer()

    def _rollback(self) -> Any:
        try:
            super()._rollback()
        finally:
            self._release_writer()

    def _close(self) -> Any:
        try:
            super()._close()
        finally:
            self._release_writer()

    def _release_writer(self) -> None:
        if self._is_writer:
            self._is_writer = False
            _writer.release()
