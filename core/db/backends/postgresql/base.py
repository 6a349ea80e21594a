"""PostgreSQL backend: Django's, with fast paths for frequent operations.

- `run` and `read` pass a statement directly to libpq. The cursors of psycopg and Django cost three times as much as the statement
  itself, and release the GIL more often.
- Statements are sent together: BEGIN with the first one, those of `run_later` with the next one or COMMIT. A write
  thus waits for the database twice: to lock and read, and to write and commit.
- The health check needs no round trip. Django sends `SELECT 1` before the first query of every request. libpq reads what has
  arrived, and finds the end of a connection that the server has closed, in a microsecond and without releasing the GIL.
"""

from collections.abc import Sequence
from typing import Any, cast

from django.db.backends.postgresql import base
from psycopg import errors, postgres
from psycopg.adapt import AdaptersMap, Loader, Transformer
from psycopg.pq import Escaping, ExecStatus, TransactionStatus
from psycopg.pq.abc import PGresult
from psycopg.types.bool import BoolLoader
from psycopg.types.datetime import TimestamptzLoader
from psycopg.types.numeric import FloatLoader, IntLoader
from psycopg.types.string import TextLoader

_SUCCESS = (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK)
_Wrapper: Any = base.DatabaseWrapper  # The types leave out the methods that a backend is made of.


def _adapters(loaders: dict[str, type[Loader]]) -> AdaptersMap:
    """Return the loaders of values by their type. All other types stay text, ids included."""
    adapters = AdaptersMap(types=postgres.types)
    adapters.register_loader(0, TextLoader)
    for name, loader in loaders.items():
        adapters.register_loader(name, loader)
    return adapters


_LOADERS: dict[str, type[Loader]] = {
    "bool": BoolLoader,
    "int8": IntLoader,
    "int2": IntLoader,
    "int4": IntLoader,
    "float8": FloatLoader,
}
_ADAPTERS = _adapters({**_LOADERS, "timestamptz": TimestamptzLoader})
_ADAPTERS_OF_TEXTS = _adapters(_LOADERS)


class DatabaseWrapper(_Wrapper):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pending: list[bytes] = []

    def run(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Run the statement, in the open transaction if there is one, and return its rows.

        Parameters are `%s`, and None or values with a text form that PostgreSQL parses.
        """
        return _rows_of(self._send(self._prepare(sql, parameters)), _ADAPTERS)

    def read(self, sql: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Run a statement as `run` does, and return its rows with instants as text (core.encoding)."""
        return _rows_of(self._send(self._prepare(sql, parameters)), _ADAPTERS_OF_TEXTS)

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
        try:
            self.connection.pgconn.consume_input()  # A server that ends the connection first sends why:
            self.connection.pgconn.consume_input()  # only what is read after that is the end.
        except errors.OperationalError:
            return False
        return True

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


def _rows_of(result: PGresult, adapters: AdaptersMap) -> list[tuple[Any, ...]]:
    transformer = Transformer(adapters)
    transformer.set_pgresult(result)
    return cast("list[tuple[Any, ...]]", transformer.load_rows(0, result.ntuples, tuple))
