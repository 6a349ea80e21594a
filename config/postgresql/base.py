"""Django's PostgreSQL backend, with shorter ways for what happens at every request.

- `run` hands a statement straight to libpq. The cursors of psycopg and Django on the way cost three times as much as the
  statement itself, and let go of the interpreter's lock more often.
- The health check costs no round trip. Django asks `SELECT 1` before the first query of every request. A connection that
  the server has closed has something to read on its socket (the end), an idle one has nothing: the kernel answers that in
  a microsecond.
"""

import select
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.db.backends.postgresql import base
from psycopg import errors
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult

_FINE = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)
_Wrapper: Any = base.DatabaseWrapper  # The types leave out the methods that a backend is made of.

_LOADERS: dict[int, Callable[[bytes], Any]] = {
    20: int,
    21: int,
    23: int,
    1184: lambda value: datetime.fromisoformat(value.decode()),  # The session's time zone is UTC.
}
"""By the type's number: bigint, smallint, integer, timestamptz. All others stay text, ids included."""


class DatabaseWrapper(_Wrapper):
    def run(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Run the statement, in the open transaction if there is one. Answers its rows.

        Parameters stand as `$1`, `$2` … and are None or have a text form that PostgreSQL reads.
        """
        self.close_if_health_check_failed()
        self.ensure_connection()
        with self.wrap_database_errors:
            if not self.autocommit and self.connection.pgconn.transaction_status == TransactionStatus.IDLE:
                self._checked(self.connection.pgconn.exec_(b"BEGIN"))
            encoded = [None if value is None else str(value).encode() for value in parameters]
            return _rows(self._checked(self.connection.pgconn.exec_params(sql.encode(), encoded)))

    def is_usable(self) -> bool:
        if self.connection is None or self.connection.closed:
            return False
        poll = select.poll()  # select.select cannot watch descriptors above 1,023.
        poll.register(self.connection.fileno(), select.POLLIN | select.POLLPRI)
        return not poll.poll(0)

    def _commit(self) -> None:
        if self.connection is not None and self.connection.pgconn.transaction_status == TransactionStatus.INTRANS:
            with self.wrap_database_errors:
                self._checked(self.connection.pgconn.exec_(b"COMMIT"))
        else:
            super()._commit()

    def _checked(self, result: PGresult) -> PGresult:
        if result.status in _FINE:
            return result
        error = errors.error_from_result(result, encoding=self.connection.info.encoding)
        if self.connection.closed:  # A connection that broke off leaves no code by which the error would say so.
            raise errors.OperationalError(str(error))
        raise error


def _rows(result: PGresult) -> list[tuple[Any, ...]]:
    loaders = [_LOADERS.get(result.ftype(column), bytes.decode) for column in range(result.nfields)]
    return [
        tuple(None if (value := result.get_value(row, column)) is None else load(value) for column, load in enumerate(loaders))
        for row in range(result.ntuples)
    ]
