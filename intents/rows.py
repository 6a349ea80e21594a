"""Rows, read and written by SQL that is made once, without the ORM's objects.

The ORM builds each statement anew and an object for each row: 0.3 ms for a statement, 40 µs for a row. On the paths that
every agent takes all day that is most of a request's cost (docs/performance.md has both figures). The SQL comes from the
models, so there is nothing to keep in step.
"""

from collections import namedtuple
from collections.abc import Callable, Sequence
from datetime import UTC
from functools import cache, lru_cache
from typing import Any, TypeVar, cast
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections, models
from orjson import loads

from config.strictjson import JSONTextField, text

M = TypeVar("M", bound=models.Model)

INSERTED_AT_ONCE = 1_000  # Rows; PostgreSQL takes 65,535 parameters at most.

Row = Any
"""A named tuple with a model's fields, each as the database has it: `config.wire` writes either database's."""


@cache
def row_type(model: type[models.Model], names: tuple[str, ...] = ()) -> Any:
    return namedtuple(f"{model.__name__}Row", names or _attnames(model))


def fetch(queryset: models.QuerySet[Any], *names: str) -> list[Row]:
    """The queryset's rows, with all fields or with these."""
    connection = _connection()
    if names:
        queryset = queryset.values_list(*names)
    try:
        sql, parameters = queryset.query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:
        return []
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [*map(row_type(cast(Any, queryset.model), names)._make, cursor.fetchall())]


def get(model: type[models.Model], pk: UUID) -> Row | None:
    """The row, or None."""
    found = _select_one(model, pk, lock=False)
    return found and row_type(model)._make(found)


def lock(model: type[M], pk: UUID) -> M | None:
    """The object, or None. Its row stays as it is until the transaction ends."""
    found = _select_one(model, pk, lock=True)
    if found is None:
        return None
    loaders = _loaders(model)
    values = [value if load is None or value is None else load(value) for value, load in zip(found, loaders, strict=True)]
    return model.from_db(DEFAULT_DB_ALIAS, _attnames(model), values)


def insert(model: type[models.Model], new: Sequence[Row]) -> None:
    """Insert rows, which learn no automatic key from it: theirs is None, and stands first."""
    connection = _connection()
    adapters = _adapters(model, connection.vendor)[1:]
    values = [_adapted(row[1:], adapters) for row in new]
    if connection.vendor == "sqlite":
        connection.run(_insert(model, connection.vendor, 1), *values)
        return
    for start in range(0, len(values), INSERTED_AT_ONCE):  # One round trip for many rows.
        part = values[start : start + INSERTED_AT_ONCE]
        connection.run(_insert(model, connection.vendor, len(part)), [value for row in part for value in row])


def update(instance: models.Model, names: tuple[str, ...]) -> None:
    """Write these fields of the row."""
    connection, model = _connection(), type(instance)
    sql, places = _update(model, connection.vendor, names)
    adapters = _adapters(model, connection.vendor)
    values = [getattr(instance, _attnames(model)[place]) for place in places]
    connection.run(sql, _adapted(values, [adapters[place] for place in places]))


def _connection() -> Any:
    return connections[DEFAULT_DB_ALIAS]  # django.db.connection looks this up at each of its attributes.


def _select_one(model: type[models.Model], pk: UUID, *, lock: bool) -> tuple[Any, ...] | None:
    connection = _connection()
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
    if isinstance(target, models.DateTimeField):
        return lambda value: value.replace(tzinfo=UTC)
    return None


@cache
def _attnames(model: type[models.Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


def _columns(model: type[models.Model]) -> list[str]:
    return [f'"{field.column}"' for field in model._meta.concrete_fields]


@cache
def _select(model: type[models.Model], vendor: str, lock: bool) -> str:
    tail = " FOR UPDATE" if lock and vendor != "sqlite" else ""
    return f'SELECT {", ".join(_columns(model))} FROM "{model._meta.db_table}" WHERE {_key(model)} = {_place(vendor, 1)}{tail}'


@lru_cache(maxsize=64)
def _insert(model: type[models.Model], vendor: str, count: int) -> str:
    columns = _columns(model)[1:]
    places = [
        "(" + ", ".join(_place(vendor, row * len(columns) + number) for number in range(1, len(columns) + 1)) + ")"
        for row in range(count)
    ]
    return f'INSERT INTO "{model._meta.db_table}" ({", ".join(columns)}) VALUES {", ".join(places)}'


@cache
def _update(model: type[models.Model], vendor: str, names: tuple[str, ...]) -> tuple[str, list[int]]:
    """The statement, and the places of its parameters among the model's fields: those that change, then the key."""
    fields: list[Any] = list(model._meta.concrete_fields)
    changed: list[Any] = [model._meta.get_field(name) for name in names]
    changes = ", ".join(f'"{field.column}" = {_place(vendor, number)}' for number, field in enumerate(changed, start=1))
    where = f"{_key(model)} = {_place(vendor, len(changed) + 1)}"
    places = [fields.index(field) for field in (*changed, model._meta.pk)]
    return f'UPDATE "{model._meta.db_table}" SET {changes} WHERE {where}', places


def _place(vendor: str, number: int) -> str:
    return "?" if vendor == "sqlite" else f"${number}"


def _key(model: type[models.Model]) -> str:
    return f'"{cast(Any, model._meta.pk).column}"'
