"""Django's SQLite backend, with one queue for the writers of this process.

SQLite lets writers poll for its lock; under load some wait for seconds (4 s measured, 0.2 s with a queue).
One queue also keeps clear of the WAL reset race of SQLite before 3.51.3.
"""

import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError

QUEUE_TIMEOUT = 20.0  # Seconds. Longer than any sane transaction; the caller then gets a 503, not silence.

_writer = threading.Lock()


_Wrapper: Any = base.DatabaseWrapper  # The types leave out the methods that a backend is made of.


class DatabaseWrapper(_Wrapper):
    _is_writer = False

    def get_new_connection(self, conn_params: Any) -> Any:
        """Make a missing file for the server's user alone. What SQLite puts beside it (-wal, -shm) has the file's mode."""
        if conn_params["database"].startswith("/"):
            with suppress(OSError):  # It exists, or SQLite says what is wrong.
                os.close(os.open(conn_params["database"], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        return super().get_new_connection(conn_params)

    def run(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Run the statement, in the open transaction if there is one. Answers its rows.

        Parameters stand as `?`. Straight to the driver: Django's cursor rewrites every statement's placeholders.
        """
        self.ensure_connection()
        with self.wrap_database_errors:
            return self.connection.execute(sql, parameters).fetchall()

    def run_later(self, sql: str, parameters: Sequence[Any]) -> None:
        """Run the statement, now: there is no way to the database that would be worth saving."""
        self.run(sql, parameters)

    def _start_transaction_under_autocommit(self) -> None:
        if not _writer.acquire(timeout=QUEUE_TIMEOUT):
            raise OperationalError("database is locked: another transaction has been writing for too long")
        self._is_writer = True
        try:
            super()._start_transaction_under_autocommit()
        except BaseException:
            self._let_next_write()
            raise

    def _commit(self) -> Any:
        super()._commit()
        self._let_next_write()

    def _rollback(self) -> Any:
        try:
            super()._rollback()
        finally:
            self._let_next_write()

    def _close(self) -> Any:
        try:
            super()._close()
        finally:
            self._let_next_write()

    def _let_next_write(self) -> None:
        if self._is_writer:
            self._is_writer = False
            _writer.release()
