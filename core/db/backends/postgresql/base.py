"""PostgreSQL backend: Django's, with fast paths for frequent operations.

- `run` and `run_once` pass a statement directly to libpq. The cursors of psycopg and Django cost three times as much as the statement
  itself, and release the GIL more often.
- Statements are sent together: BEGIN with the first one, those of `run_later` with the next one or COMMIT. A write
  thus waits for the database twice: to lock and read, and to write and commit.
- The health check needs no round trip. Django sends `SELECT 1` before the first query of every request. A connection that
  the server has closed is readable (end of file), an idle one is not: the kernel reports that in a microsecond.
"""

import select
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.db.backends.postgresql import base
from psycopg import errors
from psycopg.pq import Escaping, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

_SUCCESS = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)
_Wrapper: Any = base.DatabaseWrapper  # The types leave out the methods that a backend is made of.

_LOADERS: dict[int, Callable[[bytes], Any]] = {
    16: lambda value: value == b"t",
    20: int,
    21: int,
    23: int,
    701: float,
    1184: lambda value: datetime.fromisoformat(value.decode()),  # The session's time zone is UTC.
}
"""By type OID: boolean, bigint, smallint, integer, double precision, timestamptz. All others stay text, ids included."""


class DatabaseWrapper(_Wrapper):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pending: list[bytes] = []
        self._loaders: dict[str, list[Callable[[bytes], Any]]] = {}

    def run(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Run the statement, in the open transaction if there is one, and return its rows.

        Parameters are `%s`, and None or values with a text form that PostgreSQL parses. For recurring statements:
        their column types are cached.
        """
        result = self._send(self._prepare(sql, parameters))
        if (loaders := self._loaders.get(sql)) is None:
            self._loaders[sql] = loaders = _loaders_of(result)
        return _rows_of(result, loaders)

    def run_once(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Run a statement as `run` does, but cache nothing: for statements of many forms."""
        result = self._send(self._prepare(sql, parameters))
        return _rows_of(result, _loaders_of(result))

    def run_later(self, sql: str, parameters: Sequence[Any]) -> None:
        """Run the statement; in a transaction it is sent with the next one, which also raises its errors."""
        self._pending.append(self._prepare(sql, parameters))
        if self.autocommit:
            self._send()

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        connection = super().get_new_connection(conn_params)
        connection.autocommit = True  # Transactions begin by what `_set_autocommit` leaves in `_pending`.
        return connection

    def is_usable(self) -> bool:
        if self.connection is None or self.connection.closed:
            return False
        poll = select.poll()  # select.select cannot watch descriptors above 1,023.
        poll.register(self.connection.fileno(), select.POLLIN | select.POLLPRI)
        return not poll.poll(0)

    def _prepare(self, sql: str, parameters: Sequence[Any]) -> bytes:
        """Return the statement with its parameters as literals, once the connection is usable."""
        self.close_if_health_check_failed()
        self.ensure_connection()
        escape = Escaping(self.connection.pgconn).escape_literal
        literals: list[Any] = []
        for value in parameters:
            if value is None:
                literals.append(b"NULL")
            elif isinstance(value, bool):
                literals.append(b"true" if value else b"false")
            elif isinstance(value, int):
                literals.append(b"%d" % value)
            else:
                literals.append(escape(str(value).encode()))
        return sql.encode() % tuple(literals)

    def _send(self, *statements: bytes) -> PGresult:
        """Send the pending and these statements as one message and return the result of the last one."""
        message = b";".join([*self._pending, *statements])
        self._pending.clear()
        with self.wrap_database_errors:
            result = self.connection.pgconn.exec_(message)
            if result.status not in _SUCCESS:
                error = errors.error_from_result(result, encoding=self.connection.info.encoding)
                # A broken connection leaves no SQLSTATE.
                raise errors.OperationalError(str(error)) if self.connection.closed else error
            return result

    def _cursor(self, name: str | None = None) -> Any:
        if self._pending:
            self._send()
        return super()._cursor(name)

    def _set_autocommit(self, autocommit: bool) -> None:
        self._pending = [] if autocommit else [b"BEGIN"]

    def _commit(self) -> None:
        if self._pending == [b"BEGIN"]:
            self._pending.clear()
        elif self._pending or self.connection.pgconn.transaction_status == TransactionStatus.INTRANS:
            self._send(b"COMMIT")
        else:
            super()._commit()

    def _rollback(self) -> None:
        self._pending.clear()
        super()._rollback()

    def _close(self) -> None:
        self._pending.clear()
        super()._close()


def _loaders_of(result: PGresult) -> list[Callable[[bytes], Any]]:
    return [_LOADERS.get(result.ftype(column), bytes.decode) for column in range(result.nfields)]


def _rows_of(result: PGresult, loaders: Sequence[Callable[[bytes], Any]]) -> list[tuple[Any, ...]]:
    get, columns = result.get_value, [*enumerate(loaders)]
    return [
        tuple([None if (value := get(row, column)) is None else load(value) for column, load in columns])
        for row in range(result.ntuples)
    ]
