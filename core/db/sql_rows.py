"""Rows read and written by cached SQL, without the ORM's objects.

The ORM builds each statement again, and an object for each row: 0.3 ms per statement, 40 µs per row. On the most frequent
paths that is most of a request's cost (docs/performance.md has both figures). The SQL comes from the
models, so there is nothing to keep in step.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from itertools import chain
from typing import Any, TypeVar, cast
from uuid import UUID

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections, models
from orjson import dumps, loads

from core.db import model_sql, orm_rows
from core.db.compiled_queries import compile_queryset
from core.db.fields import JSONTextField
from core.db.rows import LOCKED_AT_ONCE, ROW_BYTES, Row, as_rows, attnames, first_within, measured_row_type, row_type
from core.strict_json import text

__all__ = [
    "Row",
    "create",
    "exists",
    "fetch",
    "fetch_ids_within",
    "fetch_within",
    "get",
    "insert",
    "load_all",
    "lock",
    "lock_all",
    "lock_with",
    "record",
    "row_type",
    "update",
]

M = TypeVar("M", bound=models.Model)
P = TypeVar("P", bound=models.Model)

AT_ONCE = 128  # Rows measured, and read, per query.
_BYTES = "bytes of texts"
MANY = 20  # Rows from which on they are inserted as columns, and on PostgreSQL as one JSON text.
INSERTED_AT_ONCE = 1_000  # Rows of up to 32 columns; SQLite takes 32,766 parameters at most.

_LOADERS: dict[type[models.Field], Callable[[Any], Any]] = {
    JSONTextField: loads,
    models.UUIDField: UUID,
    models.BooleanField: bool,
    models.DateTimeField: lambda value: value.replace(tzinfo=UTC),
}


def fetch(queryset: models.QuerySet[Any], *names: str, longest: int | None = None, is_large: bool = False) -> list[Row]:
    """Return the queryset's rows, with all or the named fields; JSON of more than `longest` characters is None.

    `is_large` reads rows one by one: as JSON within JSON, large ones would take ten times their size in memory.
    """
    connection = _connection()
    if names:
        queryset = queryset.values_list(*names)
    try:
        sql, parameters = compile_queryset(queryset, connection)
    except EmptyResultSet:
        return []
    model = cast(Any, queryset.model)
    if connection.vendor == "sqlite" and not is_large:
        limit = "" if queryset.query.is_sliced else " LIMIT -1"  # Keeps SQLite from dropping the order.
        chosen = _selection_sql(model, names, longest, is_aggregated=True).format(sql + limit)
        found = loads(connection.read(chosen, parameters)[0][0])
    else:
        chosen = sql if longest is None else _selection_sql(model, names, longest, is_aggregated=False).format(sql)
        found = connection.read(chosen, parameters)
    return as_rows(row_type(model, names), found)


def fetch_within(queryset: models.QuerySet[Any], size: int) -> tuple[list[Row], int, bool]:
    """Return the first rows of the sliced queryset with `size` bytes of text, their bytes, and whether rows are left.

    At least one row is returned. Long texts are only read once they are known to fit; mostly there are none, and one query is enough.
    """
    count = (queryset.query.high_mark or 0) - queryset.query.low_mark
    short = size // count
    rows = _fetch_measured(queryset, short)
    sizes = [row[-1] for row in rows]
    if max(sizes, default=0) + ROW_BYTES <= short:
        return rows, sum(sizes) + ROW_BYTES * len(rows), False
    kept, used = first_within(sizes, size)
    return _with_long_texts(queryset.model, rows[:kept], short), used, kept < len(rows)


def fetch_ids_within(model: type[models.Model], ids: Sequence[str], size: int) -> tuple[dict[str, Row], int]:
    """Return the rows of the first ids with `size` bytes of text together, by id, and the number of these ids.

    Ids are as the database returns them. A repeated id counts again. At least one is taken.
    """
    connection = _connection()
    found: dict[str, Row] = {}
    taken = 0
    while taken < len(ids) and (size > 0 or not taken):
        part = ids[taken : taken + (INSERTED_AT_ONCE if taken else AT_ONCE)]  # If the first are small, the others mostly are.
        short = max(size, 0) // len(part)
        keys = dumps(part).decode() if connection.vendor == "sqlite" else f"{{{','.join(part)}}}"
        sql = model_sql.select_listed(model, connection.vendor)
        measured = {row[0]: row for row in _read_measured(connection, model, sql, [keys], short)}
        kept, used = first_within([measured[each][-1] for each in part], size, at_least=0 if taken else 1)
        chosen = _with_long_texts(model, [measured[each] for each in {*part[:kept]}], short)
        found |= {row[0]: row for row in chosen}
        taken += kept
        size -= used
        if kept < len(part):
            break
    return found, taken


def _fetch_measured(queryset: models.QuerySet[Any], short: int) -> list[Row]:
    """Return the rows, which end with the bytes of their texts; texts are None in rows with more than `short`."""
    connection, model = _connection(), cast(Any, queryset.model)
    if not _large(model):
        return as_rows(measured_row_type(model), [(*row, 0) for row in fetch(queryset)])
    try:
        sql, parameters = compile_queryset(queryset, connection)
    except EmptyResultSet:
        return []
    return _read_measured(connection, model, sql, parameters, short, is_limited=queryset.query.is_sliced)


def _read_measured(
    connection: Any, model: Any, sql: str, parameters: Sequence[Any], short: int, *, is_limited: bool = False
) -> list[Row]:
    """Return the rows of SQL that selects all columns of the model, measured."""
    head, from_, rest = sql.partition(" FROM ")
    measured = f'{head}, {_measure(model, connection.vendor)} AS "{_BYTES}"{from_}{rest}'
    columns = _short_columns(model, short)
    if connection.vendor == "sqlite":
        # With a limit, each row is measured once, and not for each text.
        limit = "" if is_limited else " LIMIT -1"
        whole = f"SELECT json_group_array(json_array({columns})) FROM ({measured}{limit})"
        found = loads(connection.read(whole, parameters)[0][0])
    else:
        found = connection.read(f"SELECT {columns} FROM ({measured}) AS found", parameters)
    return as_rows(measured_row_type(model), found)


def _with_long_texts(model: Any, rows: list[Row], short: int) -> list[Row]:
    """Return the measured rows, with their long texts read."""
    pk = model._meta.pk.attname
    long = [getattr(row, pk) for row in rows if row[-1] > short]
    if not long:
        return rows
    whole = {getattr(row, pk): row for row in fetch(model._default_manager.filter(pk__in=long), is_large=True)}
    return [whole.get(getattr(row, pk), row) for row in rows]


@cache
def _large(model: type[models.Model]) -> list[str]:
    """Return the columns that may have long texts."""
    return [cast(str, field.column) for field in model._meta.concrete_fields if isinstance(field, models.TextField)]


@cache
def _measure(model: type[models.Model], vendor: str) -> str:
    """Return the SQL expression of the bytes of a row's texts."""
    measure = "LENGTH(CAST({} AS BLOB))" if vendor == "sqlite" else "OCTET_LENGTH({})"
    qualified = [f'"{model._meta.db_table}"."{column}"' for column in _large(model)]
    return " + ".join(f"COALESCE({measure.format(column)}, 0)" for column in qualified)


@lru_cache(maxsize=1_000)
def _short_columns(model: type[models.Model], short: int) -> str:
    """Return the columns of measured rows, with NULL for texts if a row has more than `short` bytes of them, and the bytes."""
    columns = [field.column for field in cast(Any, model)._meta.concrete_fields]
    large = _large(model)
    chosen = [f'CASE WHEN "{_BYTES}" <= {short} THEN "{each}" END' if each in large else f'"{each}"' for each in columns]
    return ", ".join([*chosen, f'"{_BYTES}"'])


@cache
def _selection_sql(model: type[models.Model], names: tuple[str, ...], longest: int | None, is_aggregated: bool) -> str:
    """Return SQL of the columns of a subquery, with JSON of more than `longest` characters as NULL.

    Aggregated, all rows are one: sqlite3 releases the GIL for each row, and under load waits for it.
    """
    fields: Any = [model._meta.get_field(name) for name in names] if names else model._meta.concrete_fields
    short = f'CASE WHEN length("{{0}}") <= {longest} THEN "{{0}}" END'  # PostgreSQL knows the octets without decompressing.
    if _connection().vendor != "sqlite":
        short = short.replace("length", "octet_length")
    may_be_long = [longest is not None and isinstance(field, JSONTextField) for field in fields]
    columns = ", ".join(
        short.format(field.column) if is_long else f'"{field.column}"' for field, is_long in zip(fields, may_be_long, strict=True)
    )
    return (
        f"SELECT json_group_array(json_array({columns})) FROM ({{}})"
        if is_aggregated
        else f"SELECT {columns} FROM ({{}}) AS found"
    )


def get(model: type[models.Model], pk: UUID) -> Row | None:
    """Return the row, or None."""
    found = _select_one(_connection(), model, pk, lock=False)
    return found and row_type(model)._make(found)


def exists(model: type[models.Model], pk: UUID) -> bool:
    """Return whether there is a row with this key."""
    connection = _connection()
    return bool(connection.run(model_sql.exists(model, connection.vendor), [_key(connection, pk)]))


def lock(model: type[M], pk: UUID) -> M | None:
    """Lock the row until the transaction ends and return its object, or None.

    The attribute `locked_at` is the database's time after locking, `epoch` the current one (core.db).
    """
    connection = _connection()
    found = _select_one(connection, model, pk, lock=True)
    return _locked(model, [found], connection.vendor)[0] if found else None


def lock_with(model: type[M], pk: UUID, part: type[P], part_pk: UUID) -> tuple[M, P | None] | None:
    """Lock the row as `lock` does. Return its object with that of the row of `part` that has the other key and refers to it, if any.

    On PostgreSQL the lock and the reading are one message: the second statement sees what was committed until the first had the lock.
    """
    connection = _connection()
    if connection.vendor != "sqlite":
        connection.run_later(model_sql.lock_key(model), [pk])
    found = connection.run(
        model_sql.select_with(model, part, connection.vendor), [_key(connection, part_pk), _key(connection, pk)]
    )
    if not found:
        return None
    own, other = found[0][: -len(attnames(part))], found[0][-len(attnames(part)) :]
    [instance] = _locked(model, [own], connection.vendor)
    return instance, None if other[0] is None else load_all(part, [other])[0]


def lock_all(model: type[M], pks: Sequence[UUID]) -> list[M]:
    """Lock the rows that exist in the order of `pks`, which are sorted, and return their objects.

    The attribute `locked_at` is the database's time after the last one was locked, `epoch` the current one (core.db).
    """
    connection, found = _connection(), []
    for start in range(0, len(pks), LOCKED_AT_ONCE):
        part = pks[start : start + LOCKED_AT_ONCE]
        if connection.vendor == "sqlite":
            found += connection.run(model_sql.select_all(model, len(part)), [_key(connection, pk) for pk in part])
        else:
            found += connection.run(model_sql.lock_all(model), [f"{{{','.join(map(str, part))}}}"])
    return _locked(model, found, connection.vendor)


def load_all(model: type[M], rows: Sequence[tuple[Any, ...]]) -> list[M]:
    """Return the objects of rows as the database returns them, with all of the model's columns."""
    names, loaders = attnames(model), _loaders(model)
    return [model.from_db(DEFAULT_DB_ALIAS, names, _adapted(row, loaders)) for row in rows]


def record(instance: models.Model, names: tuple[str, ...], model: type[models.Model], new: Sequence[Row]) -> None:
    """Write these fields of the instance's row, and insert the new rows of `model`.

    The automatic key of new rows is None and the first field. PostgreSQL gets both with the next statement or the commit,
    which is where an error shows.
    """
    update(instance, names)
    insert(model, new)


def update(instance: models.Model, names: tuple[str, ...]) -> None:
    """Write these fields of the instance's row."""
    connection, model = _connection(), type(instance)
    indexes, adapters = _field_indexes(model, names), _adapters(model, connection.vendor)
    values = [getattr(instance, attnames(model)[index]) for index in indexes]
    connection.run_later(
        model_sql.update(model, connection.vendor, names), _adapted(values, [adapters[index] for index in indexes])
    )


def create(model: type[models.Model], instances: Sequence[models.Model]) -> None:
    """Insert the rows of instances of the model; their keys are set."""
    names = attnames(model)
    _insert(model, [[getattr(instance, name) for name in names] for instance in instances], has_key=True)


def insert(model: type[models.Model], new: Sequence[Row]) -> None:
    """Insert the rows. Their automatic key is None and the first field."""
    _insert(model, [row[1:] for row in new], has_key=False)


def _insert(model: type[models.Model], rows: Sequence[Sequence[Any]], *, has_key: bool) -> None:
    connection, skipped = _connection(), 0 if has_key else 1
    vendor, adapters = connection.vendor, _adapters(model, connection.vendor)[skipped:]
    for start in range(0, len(rows), INSERTED_AT_ONCE):
        part = rows[start : start + INSERTED_AT_ONCE]
        if len(part) < MANY:
            part = [_adapted(row, adapters) for row in part]
        else:  # By columns, most of which stay as they are.
            columns = zip(zip(*part, strict=True), adapters, strict=True)
            adapted = [values if adapt is None else _adapted_column(values, adapt) for values, adapt in columns]
            part = [*zip(*adapted, strict=True)]
        if vendor == "postgresql" and len(part) >= MANY:
            names = [column[1:-1] for column in model_sql.columns(model)[skipped:]]
            connection.run_later(
                model_sql.insert_json(model, skipped), [text([dict(zip(names, row, strict=True)) for row in part])]
            )
        else:
            connection.run_later(model_sql.insert_values(model, vendor, len(part), skipped), [*chain.from_iterable(part)])


def _connection() -> Any:
    return connections[DEFAULT_DB_ALIAS]  # django.db.connection looks this up at each of its attributes.


def _select_one(connection: Any, model: type[models.Model], pk: UUID, *, lock: bool) -> tuple[Any, ...] | None:
    found = connection.run(model_sql.select(model, connection.vendor, lock), [_key(connection, pk)])
    return found[0] if found else None


def _key(connection: Any, pk: UUID) -> Any:
    """Return the key as the database takes it."""
    return pk.hex if connection.vendor == "sqlite" else pk


def _locked(model: type[M], rows: Sequence[tuple[Any, ...]], vendor: str) -> list[M]:
    """Return the objects of locked rows. Each row ends with the epoch, and on PostgreSQL with the time at which it was locked."""
    is_timed = vendor != "sqlite"
    more = 2 if is_timed else 1
    found = load_all(model, [row[:-more] for row in rows])
    locked_at = max((row[-1] for row in rows), default=None) if is_timed else datetime.now(UTC)
    for instance in found:
        cast(Any, instance).locked_at = locked_at
        cast(Any, instance).epoch = rows[-1][-more]
    return found


def _adapted(values: Sequence[Any], adapters: Sequence[Callable[[Any], Any] | None]) -> list[Any]:
    return [value if adapt is None or value is None else adapt(value) for value, adapt in zip(values, adapters, strict=True)]


def _adapted_column(values: Sequence[Any], adapt: Callable[[Any], Any]) -> Sequence[Any]:
    """Return the values of a column of many rows, which often share one: the same object, since in JSON 1 and true are not."""
    if all(value is values[0] for value in values):
        return _adapted(values[:1], [adapt]) * len(values)
    return _adapted(values, [adapt] * len(values))


@cache
def _adapters(model: type[models.Model], vendor: str) -> list[Callable[[Any], Any] | None]:
    """Return one converter per field, from value to SQL parameter; None: unchanged."""
    adapters: list[Callable[[Any], Any] | None] = []
    for field in cast(Any, model)._meta.concrete_fields:
        target = field.target_field if field.is_relation else field
        if isinstance(target, JSONTextField):  # Text is JSON already: no value is a string.
            adapters.append(lambda value: value if isinstance(value, str) else text(value))
        elif vendor == "sqlite" and isinstance(target, models.UUIDField):
            adapters.append(lambda value: value if isinstance(value, str) else value.hex)
        elif vendor == "sqlite" and isinstance(target, models.DateTimeField):
            adapters.append(_instant_text)
        else:
            adapters.append(None)
    return adapters


@lru_cache(maxsize=64)
def _instant_text(value: datetime) -> str:
    """Return the instant as SQLite keeps it. The rows of a write mostly share theirs."""
    return cast(str, _connection().ops.adapt_datetimefield_value(value))


@cache
def _loaders(model: type[models.Model]) -> list[Callable[[Any], Any] | None]:
    """Return one converter per field, from database value to Python; None: unchanged."""
    targets = [field.target_field if field.is_relation else field for field in cast(Any, model)._meta.concrete_fields]
    return [next((load for kind, load in _LOADERS.items() if isinstance(target, kind)), None) for target in targets]


@cache
def _field_indexes(model: type[models.Model], names: tuple[str, ...]) -> list[int]:
    """Return the indexes of these fields, and of the key, among the model's fields."""
    fields: list[Any] = list(model._meta.concrete_fields)
    return [fields.index(field) for field in (*(model._meta.get_field(name) for name in names), model._meta.pk)]


if not settings.FAST_PATHS:
    globals().update({name: getattr(orm_rows, name) for name in orm_rows.__all__})
