"""Filters of lists, beside those that the theme makes of fields."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from config.db import clock


def by(
    title: str, parameter: str, choices: Iterable[tuple[str, str]], chosen: Callable[[str, datetime], Q]
) -> type[SimpleListFilter]:
    """A filter `?parameter=value`; `chosen` says which rows have the value at an instant."""
    offered = [*choices]

    class Filter(SimpleListFilter):
        parameter_name = parameter

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return offered

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            value = self.value()
            return queryset if value is None else queryset.filter(chosen(value, clock()))

    Filter.title = title
    return Filter
