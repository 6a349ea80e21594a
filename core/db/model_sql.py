"""SQL of a model's rows, made once for each statement's shape."""

from functools import cache, lru_cache
from typing import Any, cast

from django.db import models

from core.db import EPOCH
from core.db.rows import reference


def columns(model: type[models.Model]) -> list[str]:
    return [f'"{field.column}"' for field in model._meta.concrete_fields]


@cache
def select(model: type[models.Model], vendor: str, lock: bool) -> str:
    epoch = f", {EPOCH}" if lock and vendor == "sqlite" else ""
    row = f'SELECT {", ".join(columns(model))}{epoch} FROM "{model._meta.db_table}" WHERE {columns(model)[0]} = {_placeholder(vendor)}'
    if not lock or vendor == "sqlite":
        return row
    return f"SELECT *, {EPOCH}, clock_timestamp() FROM ({row} FOR UPDATE) AS locked"  # The outer SELECT reads the time after locking.


@cache
def lock_key(model: type[models.Model]) -> str:
    """Return SQL that locks a row of PostgreSQL, and reads nothing of it."""
    return f'SELECT FROM "{model._meta.db_table}" WHERE {columns(model)[0]} = %s FOR UPDATE'


@cache
def select_with(model: type[models.Model], part: type[models.Model], vendor: str) -> str:
    """Return SQL of a row as `select` reads a locked one, followed by the row of `part` that refers to it and has the first key."""
    table, other, mark = model._meta.db_table, part._meta.db_table, _placeholder(vendor)
    own, parts = ([f'"{name}".{column}' for column in columns(each)] for name, each in ((table, model), (other, part)))
    times = [EPOCH] if vendor == "sqlite" else [EPOCH, "clock_timestamp()"]
    refers = f'"{other}"."{reference(part, model).column}" = {own[0]}'
    return (
        f'SELECT {", ".join([*own, *times, *parts])} FROM "{table}" '
        f'LEFT JOIN "{other}" ON {parts[0]} = {mark} AND {refers} WHERE {own[0]} = {mark}'
    )


@cache
def exists(model: type[models.Model], vendor: str) -> str:
    return f'SELECT 1 FROM "{model._meta.db_table}" WHERE {columns(model)[0]} = {_placeholder(vendor)}'


@lru_cache(maxsize=64)
def select_all(model: type[models.Model], count: int) -> str:
    key = columns(model)[0]
    marks = ", ".join("?" * count)
    return f'SELECT {", ".join(columns(model))}, {EPOCH} FROM "{model._meta.db_table}" WHERE {key} IN ({marks}) ORDER BY {key}'


@cache
def select_listed(model: type[models.Model], vendor: str) -> str:
    """Return SQL of the rows with the keys of one parameter: a JSON array on SQLite, an array on PostgreSQL."""
    keys = "IN (SELECT value FROM json_each(%s))" if vendor == "sqlite" else "= ANY(%s::uuid[])"
    return f'SELECT {", ".join(columns(model))} FROM "{model._meta.db_table}" WHERE {columns(model)[0]} {keys}'


@cache
def lock_all(model: type[models.Model]) -> str:
    key = columns(model)[0]
    rows = f'SELECT {", ".join(columns(model))} FROM "{model._meta.db_table}" WHERE {key} = ANY(%s::uuid[])'
    return f"SELECT *, {EPOCH}, clock_timestamp() FROM ({rows} ORDER BY {key} FOR UPDATE) AS locked"


@lru_cache(maxsize=64)
def insert_values(model: type[models.Model], vendor: str, count: int, skipped: int) -> str:
    names = columns(model)[skipped:]
    row = f"({', '.join([_placeholder(vendor)] * len(names))})"
    return f'INSERT INTO "{model._meta.db_table}" ({", ".join(names)}) VALUES {", ".join([row] * count)}'


@cache
def insert_json(model: type[models.Model], skipped: int) -> str:
    """Return SQL that inserts the rows of a JSON array. Neither side then handles each value as a literal."""
    table, names = model._meta.db_table, ", ".join(columns(model)[skipped:])
    return f'INSERT INTO "{table}" ({names}) SELECT {names} FROM json_populate_recordset(NULL::"{table}", %s)'


@cache
def update(model: type[models.Model], vendor: str, names: tuple[str, ...]) -> str:
    changes = ", ".join(f'"{cast(Any, model._meta.get_field(name)).column}" = {_placeholder(vendor)}' for name in names)
    return f'UPDATE "{model._meta.db_table}" SET {changes} WHERE {columns(model)[0]} = {_placeholder(vendor)}'


def _placeholder(vendor: str) -> str:
    return "?" if vendor == "sqlite" else "%s"
