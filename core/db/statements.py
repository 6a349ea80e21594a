"""Statements: querysets that are compiled once and run with parameters.

The ORM builds and compiles a queryset anew at each use, 0.3 ms of CPU for each (docs/performance.md). A statement costs what
the database and its rows do. It is for the few look-ups of every write; all else are querysets.
"""

from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models.expressions import Expression

from core.db import sql_rows

M = TypeVar("M", bound=models.Model)


class Statement(Generic[M]):
    """A queryset over whole rows of a model, compiled at its first use.

    `queryset` is a function of the given values, as attributes: `Statement(lambda given: Lease.objects.filter(scope=given.scope))`.
    """

    def __init__(self, queryset: Callable[[Any], models.QuerySet[M]]) -> None:
        self._queryset = queryset
        self._compiled: dict[str, tuple[type[M], str, list[Any]]] = {}

    def objects(self, **values: Any) -> list[M]:
        """Run the statement with the values, and return its objects."""
        if not settings.FAST_PATHS:
            return [*self._queryset(SimpleNamespace(**values))]
        connection: Any = connections[DEFAULT_DB_ALIAS]
        if connection.vendor not in self._compiled:
            queryset = self._queryset(_Placeholders())
            sql, parameters = queryset.query.get_compiler(connection=connection).as_sql()
            if connection.vendor == "sqlite":
                sql %= ("?",) * len(parameters)
            self._compiled[connection.vendor] = cast(Any, (queryset.model, sql, list(parameters)))
        model, sql, parameters = self._compiled[connection.vendor]
        bound = []
        for each in parameters:  # As the database takes them.
            value = values[each.name] if isinstance(each, _Placeholder) else each
            if connection.vendor == "sqlite" and isinstance(value, UUID):
                value = value.hex
            elif connection.vendor == "sqlite" and isinstance(value, datetime):
                value = connection.ops.adapt_datetimefield_value(value)
            bound.append(value)
        return sql_rows.load_all(model, connection.run(sql, bound))


class _Placeholders:
    """The given values while a queryset is compiled: any attribute is a placeholder."""

    def __getattr__(self, name: str) -> "_Placeholder":
        return _Placeholder(name)


class _Placeholder(Expression):
    def __init__(self, name: str) -> None:
        super().__init__(output_field=models.Field())
        self.name = name

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return "%s", (self,)
