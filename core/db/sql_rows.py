"""Rows, read and written by SQL that is made once, without the ORM's objects.

The ORM builds each statement anew and an object for each row: 0.3 ms for a statement, 40 µs for a row. On the paths that
every agent takes all day that is most of a request's cost (docs/performance.md has both figures). The SQL comes from the
models, so there is nothing to keep in step.
"""

from collections import namedtuple
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import Any, TypeVar, cast
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections, models
from orjson import loads

from core.db.fields import JSONTextField
from core.strict_json import text

M = TypeVar("M", bound=models.Model)

AT_ONCE = 128  # Rows that are measured, and read, at once.
ROW_BYTES = 500  # What a row is taken to have beside its long texts.
_BYTES = "bytes of texts"
INSERTED_AT_ONCE = 1_000  # Rows; SQLite takes 32,766 parameters at most, PostgreSQL 65,535.

Row = Any
"""A named tuple with a model's fields, each as the database has it: `core.encoding` writes either database's."""


@cache
def row_type(model: type[models.Model], names: tuple[str, ...] = ()) -> Any:
    return namedtuple(f"{model.__name__}Row", names or _attnames(model))


def fetch(queryset: models.QuerySet[Any], *names: str, longest: int | None = None, is_large: bool = False) -> list[Row]:
    """The queryset's rows, with all fields or with these; JSON of more than `longest` characters comes as None.

    Of rows that are large, more is not in memory than what they say: read as JSON within JSON, they take ten times that.
    """
    connection = _connection()
    if names:
        queryset = queryset.values_list(*names)
    try:
        sql, parameters = queryset.query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:
        return []
    model = cast(Any, queryset.model)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite" and not is_large:
            limit = "" if queryset.query.is_sliced else " LIMIT -1"  # Keeps SQLite from dropping the order.
            cursor.execute(_gathered(model, names, longest).format(sql + limit), parameters)
            found = loads(cursor.fetchone()[0])
        else:
            cursor.execute(sql if longest is None else _shortened(model, names, longest).format(sql), parameters)
            found = cursor.fetchall()
    return [*map(row_type(model, names)._make, found)]


def fetch_within(queryset: models.QuerySet[Any], size: int) -> tuple[list[Row], int, bool]:
    """Return the first rows of the sliced queryset that have `size` bytes of text together, what they have, and whether others are left.

    One row at least is returned. Long texts are not read before it is known that they fit: mostly none is, and one query does it all.
    """
    count = (queryset.query.high_mark or 0) - queryset.query.low_mark
    found = _fetch_measured(queryset, size // count)
    kept, used = _first_within([each for _, each in found], size)
    return _completed(queryset.model, found[:kept], size // count), used, kept < len(found)


def fetch_ids_within(model: type[models.Model], ids: Sequence[Any], size: int) -> tuple[dict[Any, Row], int]:
    """Return the rows with the first of these ids that have `size` bytes of text together, and how many ids that were.

    An id that comes again counts again. One at least is taken.
    """
    found: dict[Any, Row] = {}
    taken = 0
    while taken < len(ids) and (size > 0 or not taken):
        part = ids[taken : taken + (INSERTED_AT_ONCE if taken else AT_ONCE)]  # If the first are small, the others mostly are.
        short = max(size, 0) // len(part)
        measured = {row[0]: (row, each) for row, each in _fetch_measured(model._default_manager.filter(pk__in={*part}), short)}
        kept, used = _first_within([measured[each][1] for each in part], size, at_least=0 if taken else 1)
        found |= {row[0]: row for row in _completed(model, [measured[each] for each in {*part[:kept]}], short)}
        taken += kept
        size -= used
        if kept < len(part):
            break
    return found, taken


def _fetch_measured(queryset: models.QuerySet[Any], short: int) -> list[tuple[Row, int]]:
    """The rows, and how many bytes their texts have: of those that have more than `short`, the texts are None."""
    connection, model = _connection(), cast(Any, queryset.model)
    if not _large(model):
        return [(row, 0) for row in fetch(queryset)]
    try:
        sql, parameters = queryset.query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:
        return []
    head, from_, rest = sql.partition(" FROM ")
    measured = f'{head}, {_measure(model, connection.vendor)} AS "{_BYTES}"{from_}{rest}'
    columns = _short(model, short)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            # With a limit, each row is measured once, and not for each text.
            limit = "" if queryset.query.is_sliced else " LIMIT -1"
            cursor.execute(f"SELECT json_group_array(json_array({columns})) FROM ({measured}{limit})", parameters)
            found = loads(cursor.fetchone()[0])
        else:
            cursor.execute(f"SELECT {columns} FROM ({measured}) AS found", parameters)
            found = cursor.fetchall()
    make = row_type(model)._make
    return [(make(row[:-1]), row[-1]) for row in found]


def _completed(model: Any, measured: Sequence[tuple[Row, int]], short: int) -> list[Row]:
    """The measured rows, with their long texts."""
    pk = model._meta.pk.attname
    long = [getattr(row, pk) for row, size in measured if size > short]
    if not long:
        return [row for row, _ in measured]
    whole = {getattr(row, pk): row for row in fetch(model._default_manager.filter(pk__in=long), is_large=True)}
    return [whole.get(getattr(row, pk), row) for row, _ in measured]


def _first_within(sizes: Sequence[int], size: int, at_least: int = 1) -> tuple[int, int]:
    """How many of the first fit, and what they have together."""
    used = 0
    for number, each in enumerate(sizes):
        if used + each + ROW_BYTES > size and number >= at_least:
            return number, used
        used += each + ROW_BYTES
    return len(sizes), used


@cache
def _large(model: type[models.Model]) -> list[str]:
    """The columns that may have long texts."""
    return [cast(str, field.column) for field in model._meta.concrete_fields if isinstance(field, models.TextField)]


@cache
def _measure(model: type[models.Model], vendor: str) -> str:
    """The bytes of a row's texts, as SQL."""
    measure = "LENGTH(CAST({} AS BLOB))" if vendor == "sqlite" else "OCTET_LENGTH({})"
    qualified = [f'"{model._meta.db_table}"."{column}"' for column in _large(model)]
    return " + ".join(f"COALESCE({measure.format(column)}, 0)" for column in qualified)


@lru_cache(maxsize=1_000)
def _short(model: type[models.Model], short: int) -> str:
    """The columns of measured rows, NULL in the place of texts where a row has more than `short` bytes of them, and their bytes."""
    columns = [field.column for field in cast(Any, model)._meta.concrete_fields]
    large = _large(model)
    chosen = [f'CASE WHEN "{_BYTES}" <= {short} THEN "{each}" END' if each in large else f'"{each}"' for each in columns]
    return ", ".join([*chosen, f'"{_BYTES}"'])


@cache
def _gathered(model: type[models.Model], names: tuple[str, ...], longest: int | None) -> str:
    """All rows as one: sqlite3 lets go of the interpreter's lock at each, and under load waits to have it back."""
    return f"SELECT json_group_array(json_array({_chosen(model, names, longest)})) FROM ({{}})"


@cache
def _shortened(model: type[models.Model], names: tuple[str, ...], longest: int) -> str:
    return f"SELECT {_chosen(model, names, longest)} FROM ({{}}) AS found"


def _chosen(model: type[models.Model], names: tuple[str, ...], longest: int | None) -> str:
    fields: Any = [model._meta.get_field(name) for name in names] if names else model._meta.concrete_fields
    short = f'CASE WHEN length("{{0}}") <= {longest} THEN "{{0}}" END'  # PostgreSQL knows octets without unpacking them.
    if _connection().vendor != "sqlite":
        short = short.replace("length", "octet_length")
    may_be_long = [longest is not None and isinstance(field, JSONTextField) for field in fields]
    return ", ".join(
        short.format(field.column) if is_long else f'"{field.column}"' for field, is_long in zip(fields, may_be_long, strict=True)
    )


def get(model: type[models.Model], pk: UUID) -> Row | None:
    """The row, or None."""
    found = _select_one(_connection(), model, pk, lock=False)
    return found and row_type(model)._make(found)


def lock(model: type[M], pk: UUID) -> M | None:
    """The object, or None. Its row stays as it is until the transaction ends.

    Its attribute `locked_at` is the database's time once it was locked.
    """
    connection = _connection()
    found = _select_one(connection, model, pk, lock=True)
    if found is None:
        return None
    columns, at = (found, datetime.now(UTC)) if connection.vendor == "sqlite" else (found[:-1], found[-1])
    loaders = _loaders(model)
    values = [value if load is None or value is None else load(value) for value, load in zip(columns, loaders, strict=True)]
    instance = model.from_db(DEFAULT_DB_ALIAS, _attnames(model), values)
    cast(Any, instance).locked_at = at
    return instance


def record(instance: models.Model, names: tuple[str, ...], model: type[models.Model], new: Sequence[Row]) -> None:
    """Write these fields of the instance's row, and insert the new rows of `model`.

    New rows learn no automatic key from it: theirs is None, and stands first. PostgreSQL hears of it with the next
    statement or the commit, and refuses there.
    """
    update(instance, names)
    insert(model, new)


def update(instance: models.Model, names: tuple[str, ...]) -> None:
    """Write these fields of the instance's row."""
    connection = _connection()
    connection.run_later(_update(type(instance), connection.vendor, names), _changes(instance, names, connection.vendor))


def create(instance: models.Model) -> None:
    """Insert the instance's row, whose key it has already."""
    connection, model = _connection(), type(instance)
    values = [getattr(instance, name) for name in _attnames(model)]
    connection.run_later(_create(model, connection.vendor), _adapted(values, _adapters(model, connection.vendor)))


def insert(model: type[models.Model], new: Sequence[Row]) -> None:
    """Insert the rows. Their automatic key is None, and stands first."""
    connection = _connection()
    vendor, adapters = connection.vendor, _adapters(model, connection.vendor)[1:]
    for start in range(0, len(new), INSERTED_AT_ONCE):
        part = [_adapted(row[1:], adapters) for row in new[start : start + INSERTED_AT_ONCE]]
        connection.run_later(_insert(model, vendor, len(part)), [value for row in part for value in row])


def _connection() -> Any:
    return connections[DEFAULT_DB_ALIAS]  # django.db.connection looks this up at each of its attributes.


def _select_one(connection: Any, model: type[models.Model], pk: UUID, *, lock: bool) -> tuple[Any, ...] | None:
    found = connection.run(_select(model, connection.vendor, lock), [pk.hex if connection.vendor == "sqlite" else pk])
    return found[0] if found else None


def _adapted(values: Sequence[Any], adapters: Sequence[Callable[[Any], Any] | None]) -> list[Any]:
    return [value if adapt is None or value is None else adapt(value) for value, adapt in zip(values, adapters, strict=True)]


@cache
def _adapters(model: type[models.Model], vendor: str) -> list[Callable[[Any], Any] | None]:
    """How each field's value becomes a parameter; None: as it is."""
    return [_adapter(field, vendor) for field in model._meta.concrete_fields]


def _adapter(field: Any, vendor: str) -> Callable[[Any], Any] | None:
    target = field.target_field if field.is_relation else field
    if isinstance(target, JSONTextField):
        return lambda value: value if isinstance(value, str) else text(value)  # Text is JSON already: no value is a string.
    if vendor == "sqlite" and isinstance(target, models.UUIDField):
        return lambda value: value.hex
    if vendor == "sqlite" and isinstance(target, models.DateTimeField):
        return _connection().ops.adapt_datetimefield_value
    return None


@cache
def _loaders(model: type[models.Model]) -> list[Callable[[Any], Any] | None]:
    """How each field's value becomes Python's; None: as it is."""
    return [_loader(field) for field in model._meta.concrete_fields]


def _loader(field: Any) -> Callable[[Any], Any] | None:
    target = field.target_field if field.is_relation else field
    if isinstance(target, JSONTextField):
        return loads
    if isinstance(target, models.UUIDField):
        return UUID
    if isinstance(target, models.BooleanField):
        return bool
    if isinstance(target, models.DateTimeField):
        return lambda value: value.replace(tzinfo=UTC)
    return None


@cache
def _attnames(model: type[models.Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


def _columns(model: type[models.Model]) -> list[str]:
    return [f'"{field.column}"' for field in model._meta.concrete_fields]


def _column(model: type[models.Model], name: str) -> str:
    return f'"{cast(Any, model._meta.get_field(name)).column}"'


@cache
def _select(model: type[models.Model], vendor: str, lock: bool) -> str:
    row = f'SELECT {", ".join(_columns(model))} FROM "{model._meta.db_table}" WHERE {_key(model)} = {_place(vendor)}'
    if not lock or vendor == "sqlite":
        return row
    return f"SELECT *, clock_timestamp() FROM ({row} FOR UPDATE) AS locked"  # Around it: the time is read once it is locked.


@lru_cache(maxsize=64)
def _insert(model: type[models.Model], vendor: str, count: int) -> str:
    columns = _columns(model)[1:]
    row = f"({', '.join([_place(vendor)] * len(columns))})"
    return f'INSERT INTO "{model._meta.db_table}" ({", ".join(columns)}) VALUES {", ".join([row] * count)}'


@cache
def _create(model: type[models.Model], vendor: str) -> str:
    columns = _columns(model)
    places = ", ".join([_place(vendor)] * len(columns))
    return f'INSERT INTO "{model._meta.db_table}" ({", ".join(columns)}) VALUES ({places})'


@cache
def _update(model: type[models.Model], vendor: str, names: tuple[str, ...]) -> str:
    changes = ", ".join(f"{_column(model, name)} = {_place(vendor)}" for name in names)
    return f'UPDATE "{model._meta.db_table}" SET {changes} WHERE {_key(model)} = {_place(vendor)}'


def _changes(instance: models.Model, names: tuple[str, ...], vendor: str) -> list[Any]:
    """The parameters of `_update`."""
    model = type(instance)
    places, adapters = _places(model, names), _adapters(model, vendor)
    return _adapted([getattr(instance, _attnames(model)[place]) for place in places], [adapters[place] for place in places])


@cache
def _places(model: type[models.Model], names: tuple[str, ...]) -> list[int]:
    """Where these fields, and then the key, stand among the model's fields."""
    fields: list[Any] = list(model._meta.concrete_fields)
    return [fields.index(field) for field in (*(model._meta.get_field(name) for name in names), model._meta.pk)]


def _place(vendor: str) -> str:
    return "?" if vendor == "sqlite" else "%s"


def _key(model: type[models.Model]) -> str:
    return f'"{cast(Any, model._meta.pk).column}"'
