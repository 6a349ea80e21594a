"""Rows, read and written by SQL that is made once, without the ORM's objects.

The ORM builds each statement anew and an object for each row: 0.3 ms for a statement, 40 µs for a row. On the paths that
every agent takes all day that is most of a request's cost (docs/performance.md has both figures). The SQL comes from the
models, so there is nothing to keep in step.
"""

from collections import namedtuple
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple, TypeVar, cast
from uuid import UUID

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections, models

from config.strictjson import JSONTextField, text

M = TypeVar("M", bound=models.Model)

Row = Any
"""A named tuple with a model's fields, each as the database has it: `config.wire` writes either database's."""


@cache
def row_type(model: type[models.Model]) -> Any:
    return namedtuple(f"{model.__name__}Row", [field.attname for field in model._meta.concrete_fields])


def fetch(queryset: models.QuerySet[Any]) -> list[Row]:
    """The queryset's rows."""
    connection = _connection()
    try:
        sql, parameters = queryset.query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:
        return []
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [*map(row_type(queryset.model)._make, cursor.fetchall())]


def get(model: type[models.Model], pk: UUID) -> Row | None:
    """The row, or None."""
    found = _select_one(model, pk, lock=False)
    return found and row_type(model)._make(found)


def lock(model: type[M], pk: UUID) -> M | None:
    """The object, or None. Its row stays as it is until the transaction ends."""
    found = _select_one(model, pk, lock=True)
    if found is None:
        return None
    values, connection = list(found), _connection()
    for index, column, converters in _converters(model, connection.vendor):
        for convert in converters:
            values[index] = convert(values[index], column, connection)
    return model.from_db(connection.alias, _attnames(model), values)


class Statement(NamedTuple):
    sql: str
    parameters: list[list[Any]]
    """One list for each time that the statement runs."""


def insert(model: type[models.Model], new: Sequence[Row]) -> Statement:
    """Inserts rows, which learn no automatic key from it: theirs is None, and stands first."""
    adapters = _adapters(model, _connection().vendor)[1:]
    return Statement(_insert(model), [_adapted(row[1:], adapters) for row in new])


def update(instance: models.Model, names: tuple[str, ...]) -> Statement:
    """Writes these fields of the row."""
    model = type(instance)
    sql, places = _update(model, names)
    adapters = _adapters(model, _connection().vendor)
    values = [getattr(instance, _attnames(model)[place]) for place in places]
    return Statement(sql, [_adapted(values, [adapters[place] for place in places])])


def execute(*statements: Statement) -> None:
    """Run the statements in order; on PostgreSQL in one round trip."""
    connection = _connection()
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for sql, parameters in statements:
                cursor.executemany(sql, parameters)
        else:
            sql = ";".join(";".join([each.sql] * len(each.parameters)) for each in statements)
            cursor.execute(sql, [value for each in statements for values in each.parameters for value in values])


def _connection() -> Any:
    return connections[DEFAULT_DB_ALIAS]  # django.db.connection looks this up at each of its attributes.


def _select_one(model: type[models.Model], pk: UUID, *, lock: bool) -> tuple[Any, ...] | None:
    connection = _connection()
    with connection.cursor() as cursor:
        cursor.execute(_select(model, connection.vendor, lock), [pk.hex if connection.vendor == "sqlite" else pk])
        return cast("tuple[Any, ...] | None", cursor.fetchone())


def _adapted(values: Sequence[Any], adapters: Sequence[Callable[[Any], Any] | None]) -> list[Any]:
    return [
        value if adapt is None or value is None else adapt(value) for value, adapt in zip(values, adapters, strict=True)
    ]


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
        return _connection().ops.adapt_datetimefield_value  # type: ignore[no-any-return]
    return None


@cache
def _converters(model: type[models.Model], vendor: str) -> list[tuple[int, Any, list[Any]]]:
    compiler = model._default_manager.all().query.get_compiler(connection=_connection())
    columns = [field.get_col(model._meta.db_table) for field in model._meta.concrete_fields]
    return [(index, column, converters) for index, (converters, column) in compiler.get_converters(columns).items()]


@cache
def _attnames(model: type[models.Model]) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


def _columns(model: type[models.Model]) -> list[str]:
    return [f'"{field.column}"' for field in model._meta.concrete_fields]


@cache
def _select(model: type[models.Model], vendor: str, lock: bool) -> str:
    tail = " FOR UPDATE" if lock and vendor != "sqlite" else ""
    return f'SELECT {", ".join(_columns(model))} FROM "{model._meta.db_table}" WHERE {_key(model)} = %s{tail}'


@cache
def _insert(model: type[models.Model]) -> str:
    columns = _columns(model)[1:]
    places = ", ".join(["%s"] * len(columns))
    return f'INSERT INTO "{model._meta.db_table}" ({", ".join(columns)}) VALUES ({places})'


@cache
def _update(model: type[models.Model], names: tuple[str, ...]) -> tuple[str, list[int]]:
    """The statement, and the places of its parameters among the model's fields: those that change, then the key."""
    fields = list(model._meta.concrete_fields)
    changed = [model._meta.get_field(name) for name in names]
    changes = ", ".join(f'"{cast(Any, field).column}" = %s' for field in changed)
    places = [fields.index(cast(Any, field)) for field in (*changed, model._meta.pk)]
    return f'UPDATE "{model._meta.db_table}" SET {changes} WHERE {_key(model)} = %s', places


def _key(model: type[models.Model]) -> str:
    return f'"{cast(Any, model._meta.pk).column}"'
