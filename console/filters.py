"""List filters of the console, beside the theme's."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.contrib.admin import SimpleListFilter
from django.core.exceptions import BadRequest
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from access.roles import actor_from_user
from core.db import database_now
from core.ids import parse_id
from intents.models import Intent
from portfolios.models import Portfolio

ALL = "all"
MAX_PORTFOLIOS = 100  # Portfolios that a filter offers.
DAYS = (date(2000, 1, 1), date(8999, 12, 31))  # The first and the last that a filter by days takes.


def choice_filter(
    title: str,
    parameter: str,
    choices: Iterable[tuple[str, str]],
    chosen: Callable[[str, datetime], Q],
    *,
    default: str | None = None,
) -> type[SimpleListFilter]:
    """Return a filter `?parameter=value`. `chosen` returns the condition of a value at an instant.

    With a `default`, that is the value where none is given, and `all` matches every row. An action is about the rows that were
    selected, whatever they are meanwhile: it has no default, unless it is about all that match.
    """
    offered = [*choices, *([(ALL, "All")] if default else [])]

    class Filter(SimpleListFilter):
        parameter_name = parameter

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            names_rows = request.method == "POST" and request.POST.get("select_across") != "1"
            self.default = None if names_rows else default
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


class AssigneeFilter(SimpleListFilter):
    """Questions that are assigned to the person who looks, or to nobody."""

    title, parameter_name = "assignee", "assignee"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("me", "Assigned to me"), ("nobody", "Unassigned")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return assigned(request, queryset, self.value())


def assigned(request: HttpRequest, questions: QuerySet[Any], to: str | None) -> QuerySet[Any]:
    """Filter questions by a value of AssigneeFilter. Raise BadRequest for another one."""
    match to:
        case None | "":
            return questions
        case "me":
            return questions.filter(assignee=actor_from_user(request).principal)
        case "nobody":
            return questions.filter(assignee=None)
    raise BadRequest(f"Unknown assignee: {to[:60]!r}.")


def requested_choice(query: Mapping[str, str], name: str, choices: Collection[str], default: str) -> str:
    """Return the value of a parameter. Raise BadRequest for one that is no choice."""
    given = query.get(name) or default
    if given not in choices:
        raise BadRequest(f"Unknown {name}: {given[:60]!r}.")
    return given


def requested_day(query: Mapping[str, str], name: str) -> date | None:
    """Return the day of a parameter, within DAYS; None without one. Raise BadRequest for what is no date: ignored, it would narrow nothing."""
    given = query.get(name, "").strip()
    try:
        return min(max(date.fromisoformat(given), DAYS[0]), DAYS[1]) if given else None
    except ValueError:
        raise BadRequest(f"“{name.capitalize()}” is no date: {given[:60]!r}. Use one such as 2026-11-29.") from None


def text_filter(title: str, parameter: str, chosen: Callable[[str], Q]) -> type[SimpleListFilter]:
    """Return a filter `?parameter=value` for any text. An empty one matches all rows."""

    class Filter(SimpleListFilter):
        parameter_name = parameter

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [("", title)]  # Without any, the filter would be passed over.

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            value = (self.value() or "").replace("\0", "").strip()
            return queryset.filter(chosen(value)) if value else queryset

    Filter.title = title
    return Filter


INTENT_FILTER = text_filter("intent", "intent", lambda given: Q(intent=parse_id(given)))
"""Rows of one intent."""


def selected_intent(request: HttpRequest) -> Intent | None:
    """Return the intent of INTENT_FILTER, if there is one."""
    chosen = parse_id(request.GET.get("intent", ""))
    return Intent.objects.filter(pk=chosen).only("title").first() if chosen else None


def portfolio_choices(chosen: str) -> list[tuple[UUID, str]]:
    """Return ids and names of the newest portfolios, and of the one with the id `chosen`."""
    newest_first = Portfolio.objects.order_by("-created_at", "-pk").values_list("pk", "name")
    offered, pk = [*newest_first[:MAX_PORTFOLIOS]], parse_id(chosen)
    return offered if pk is None or pk in dict(offered) else [*offered, *newest_first.filter(pk=pk)]
