"""Filters of lists, beside those that the theme makes of fields."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.core.exceptions import BadRequest
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from core.db import database_now
from core.ids import parse_id
from intents.models import Intent

ALL = "all"


def by(
    title: str,
    parameter: str,
    choices: Iterable[tuple[str, str]],
    chosen: Callable[[str, datetime], Q],
    *,
    default: str | None = None,
) -> type[SimpleListFilter]:
    """A filter `?parameter=value`; `chosen` says which rows have the value at an instant.

    With a `default`, that is the value where none is given, and `all` stands for every row. What is sent to an action is
    about rows that were seen, whatever they are meanwhile: there is no default then.
    """
    offered = [*choices, *([(ALL, "All")] if default else [])]

    class Filter(SimpleListFilter):
        parameter_name = parameter

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            self.default = None if request.method == "POST" else default
            return offered

        def value(self) -> str | None:
            return super().value() or self.default  # A form sends an empty one for all.

        def choices(self, changelist: Any) -> Iterator[Any]:
            if default is None:
                yield from super().choices(changelist)
                return
            for value, label in offered:
                query = changelist.get_query_string({parameter: value}, ["p"])
                yield {"selected": self.value() == value, "query_string": query, "display": label, "value": value}

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            value = self.value()
            if value is None or (default and value == ALL):
                return queryset
            if value not in dict(offered):
                raise BadRequest(f"Unknown {title}: {value[:60]!r}.")
            return queryset.filter(chosen(value, database_now()))

    Filter.title = title
    return Filter


def named(title: str, parameter: str, chosen: Callable[[str], Q]) -> type[SimpleListFilter]:
    """A filter `?parameter=value` for any value that somebody writes; an empty one chooses all."""

    class Filter(SimpleListFilter):
        parameter_name = parameter

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [("", title)]  # Without any, the filter would be passed over.

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            value = (self.value() or "").replace("\0", "").strip()
            return queryset.filter(chosen(value)) if value else queryset

    Filter.title = title
    return Filter


OF_INTENT = named("intent", "intent", lambda given: Q(intent=parse_id(given)))
"""What belongs to one intent."""


def intent_of(request: HttpRequest) -> Intent | None:
    """That by which OF_INTENT narrows a list."""
    chosen = parse_id(request.GET.get("intent", ""))
    return Intent.objects.filter(pk=chosen).only("title").first() if chosen else None
