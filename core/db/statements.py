"""Statements: querysets that are compiled once and run with parameters.

The ORM builds and compiles a queryset anew at each use, 0.3 ms of CPU for each (docs/performance.md). A statement costs what
the database and its rows do. It is for the few look-ups of every write; all else are querysets.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models.expressions import Expression

from core.db import sql_rows

M = TypeVar("M", bound=models.Model)


class Parameter(Expression):
    """A value in a statement's queryset that each run gives by its name."""

    def __init__(self, name: str) -> None:
        super().__init__(output_field=models.Field())
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return "%s", (self,)


class Statement(Generic[M]):
    """A queryset over whole rows of a model, compiled at its first use; `Parameter`s stand for values that differ."""

    def __init__(self, queryset: Callable[[], models.QuerySet[M]]) -> None:
        self._queryset = queryset
        self._compiled: dict[str, tuple[type[M], str, list[Any]]] = {}

    def objects(self, **values: Any) -> list[M]:
        """Run the statement with the values of its parameters, and return its objects."""
        connection: Any = connections[DEFAULT_DB_ALIAS]
        model, sql, parameters = self._compiled.get(connection.vendor) or self._compile(connection)
        return sql_rows.load_all(model, connection.run(sql, [*_bind(parameters, values, connection)]))

    def _compile(self, connection: Any) -> tuple[type[M], str, list[Any]]:
        queryset = self._queryset()
        sql, parameters = queryset.query.get_compiler(connection=connection).as_sql()
        if connection.vendor == "sqlite":
            sql %= ("?",) * len(parameters)
        self._compiled[connection.vendor] = cast(Any, (queryset.model, sql, list(parameters)))
        return self._compiled[connection.vendor]


def _bind(parameters: list[Any], values: dict[str, Any], connection: Any) -> Iterator[Any]:
    """Yield the parameters as the database takes them."""
    for each in parameters:
        value = values[each.name] if isinstance(each, Parameter) else each
        if connection.vendor == "sqlite" and isinstance(value, UUID):
            yield value.hex
        elif connection.vendor == "sqlite" and isinstance(value, datetime):
            yield connection.ops.adapt_datetimefield_value(value)
        else:
            yield value
