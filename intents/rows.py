"""Single rows, read and written by SQL that is made once.

The ORM builds each statement anew, at about 0.3 ms of CPU; on the paths that every agent takes all day that is most of
a request's cost (docs/performance.md has both figures). The SQL comes from the models, so there is nothing to keep in step.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, TypeVar, cast
from uuid import UUID

from django.db import connection, models

M = TypeVar("M", bound=models.Model)


def read(model: type[M], pk: UUID, *, lock: bool = False) -> M | None:
    """The row, or None. With `lock` it stays as it is until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(_select(model, connection.vendor, lock), [_key(pk)])
        row = cursor.fetchone()
    return None if row is None else _instance(model, row)


def insert(instances: Sequence[models.Model]) -> None:
    """Insert rows of one model, which learn no automatic key from it."""
    model = type(instances[0])
    parameters = [_parameters(instance, _insertable(model)) for instance in instances]
    with connection.cursor() as cursor:
        if len(parameters) == 1:
            cursor.execute(_insert(model), parameters[0])
        else:
            cursor.executemany(_insert(model), parameters)


def update(instance: models.Model, names: tuple[str, ...]) -> None:
    """Write these fields of the row."""
    fields = tuple(instance._meta.get_field(name) for name in names)
    with connection.cursor() as cursor:
        cursor.execute(_update(type(instance), names), [*_parameters(instance, fields), _key(instance.pk)])


def _instance(model: type[M], row: tuple[Any, ...]) -> M:
    values = list(row)
    for index, expression, converters in _converters(model, connection.vendor):
        for convert in converters:
            values[index] = convert(values[index], expression, connection)
    return model.from_db(connection.alias, [field.attname for field in model._meta.concrete_fields], values)


def _parameters(instance: models.Model, fields: Sequence[Any]) -> list[Any]:
    return [field.get_db_prep_save(getattr(instance, field.attname), connection) for field in fields]


def _key(pk: UUID) -> Any:
    return pk if connection.features.has_native_uuid_field else pk.hex


@cache
def _insertable(model: type[models.Model]) -> list[Any]:
    return [field for field in model._meta.concrete_fields if not isinstance(field, models.AutoField | models.BigAutoField)]


@cache
def _converters(model: type[models.Model], vendor: str) -> list[tuple[int, Any, list[Any]]]:
    compiler = model._default_manager.all().query.get_compiler(connection=connection)
    columns = [field.get_col(model._meta.db_table) for field in model._meta.concrete_fields]
    return [(index, column, converters) for index, (converters, column) in compiler.get_converters(columns).items()]


@cache
def _select(model: type[models.Model], vendor: str, lock: bool) -> str:
    columns = ", ".join(f'"{field.column}"' for field in model._meta.concrete_fields)
    tail = " FOR UPDATE" if lock and connection.features.has_select_for_update else ""
    return f'SELECT {columns} FROM "{model._meta.db_table}" WHERE "{_pk(model)}" = %s{tail}'


@cache
def _insert(model: type[models.Model]) -> str:
    columns = [f'"{field.column}"' for field in _insertable(model)]
    places = ", ".join(["%s"] * len(columns))
    return f'INSERT INTO "{model._meta.db_table}" ({", ".join(columns)}) VALUES ({places})'


@cache
def _update(model: type[models.Model], names: tuple[str, ...]) -> str:
    changes = ", ".join(f'"{_column(model, name)}" = %s' for name in names)
    return f'UPDATE "{model._meta.db_table}" SET {changes} WHERE "{_pk(model)}" = %s'


def _pk(model: type[models.Model]) -> str:
    return _column(model, model._meta.pk.name)


def _column(model: type[models.Model], name: str) -> str:
    return cast(str, cast(Any, model._meta.get_field(name)).column)
