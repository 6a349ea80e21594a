"""SQL of a model's rows, made once for each statement's shape."""

from functools import cache, lru_cache
from typing import Any, cast

from django.db import models

from core.db import EPOCH


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
