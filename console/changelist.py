"""Lists of the console: tabs, search, rows made for reading, pages, live updates."""

from typing import Any

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import F, QuerySet
from django.db.models.expressions import OrderBy
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.text import capfirst

from console.live_admin import PANELS_ONLY, LiveAdmin, render_live
from console.saved_views import pages as saved_views
from console.sort_order import PARAMETER as ORDERING
from console.sort_order import Column, build_headings, requested_ordering

SELECTION_SCRIPT = "console/arbitration.js"
"""The script that counts selected rows, and has the keyboard shortcuts of a question's page."""

MAX_COUNT = 10_000


class CappedPaginator(Paginator):
    """Counts up to MAX_COUNT rows. Beyond, people narrow the list."""

    @cached_property
    def is_capped(self) -> bool:
        return self._counted > MAX_COUNT

    @cached_property
    def _counted(self) -> int:
        objects: Any = self.object_list
        return int(objects.order_by()[: MAX_COUNT + 1].count())

    @cached_property
    def count(self) -> int:
        return min(self._counted, MAX_COUNT)

    def validate_number(self, number: Any) -> int:
        """Return the nearest existing page: a live list shrinks, and its last page goes."""
        return max(1, min(int(number), self.num_pages))


class SortedChangeList(ChangeList):
    """A list of a ListAdmin with `columns`, in the order of its URL."""

    def get_filters_params(self, params: Any = None) -> Any:
        """Leave out the order, which is kept in the links of the list as a filter is."""
        return {name: values for name, values in super().get_filters_params(params).items() if name != ORDERING}

    def get_queryset(self, request: HttpRequest, exclude_parameters: Any = None) -> QuerySet[Any]:
        """Return the rows. Those of an order without an index are the first MAX_COUNT of the default order, and one to tell of more."""
        found: QuerySet[Any] = super().get_queryset(request, exclude_parameters)
        list_admin: Any = self.model_admin
        if list_admin.requested_ordering(request)[1].is_indexed:
            return found
        first = found.order_by(*list_admin.ordering)[: MAX_COUNT + 1]
        return self.root_queryset.filter(pk__in=first.values("pk")).order_by(*found.query.order_by)


class ListAdmin(LiveAdmin):
    """An admin whose list renders `list_template`, with the context of `list_context`. The choices of its first filter are tabs.

    `filters_template` has fields beside the search, one for each of the filters `filter_fields`.
    """

    paginator = CappedPaginator
    list_template: str
    filters_template = ""
    filter_fields: tuple[str, ...] = ()
    search_label = "Search"
    title = ""
    """The heading of the list, if it is not the plural name of the model."""

    columns: tuple[Column, ...] = ()
    """The columns, if the list is a table that can be sorted by some of them, and then by its ids."""

    default_ordering = ""
    """The name of the column by which the list is sorted at first; `ordering` says the same to Django."""

    list_event_types = ""
    list_refresh_seconds = 60

    def list_context(self, request: HttpRequest, found: list[Any]) -> dict[str, Any]:
        """Return the context of the template beside `cl`, for the rows `found` of one page."""
        return {}

    def tab_counts(self, request: HttpRequest, query: str) -> dict[str, int]:
        """Return the number of rows behind a tab that match the search, by the filter's value, where counting is fast."""
        return {}

    def known_parameters(self, request: HttpRequest) -> set[str]:
        return super().known_parameters(request) | ({ORDERING} if self.columns else set())

    def requested_ordering(self, request: HttpRequest) -> tuple[str, Column]:
        """Raise BadRequest for an unknown one."""
        return requested_ordering(request, self.columns, self.default_ordering)

    def get_ordering(self, request: HttpRequest) -> Any:
        if not self.columns:
            return super().get_ordering(request)
        chosen, column = self.requested_ordering(request)
        return [
            OrderBy(each, descending=chosen.startswith("-"))
            for each in (F(column.name) if column.by is None else column.by, F("pk"))
        ]

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return SortedChangeList if self.columns else super().get_changelist(request, **kwargs)

    @property
    def heading(self) -> str:
        return self.title or capfirst(str(self.opts.verbose_name_plural))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        is_plain = not request.GET and request.method == "GET" and self.has_view_permission(request)
        views = saved_views.views_of(request) if is_plain else None
        if views and (default := saved_views.redirect_to_default(request, views, self.known_parameters(request))):
            return default
        given = request.GET
        known = given.copy()
        known.pop(PANELS_ONLY, None)  # Django refuses parameters that it does not know.
        request.GET = known  # type: ignore[assignment]
        response = super().changelist_view(request, extra_context)
        request.GET = given
        context = getattr(response, "context_data", None) or {}
        if "cl" not in context:
            return response
        cl = context["cl"]
        cl.full_result_count = cl.result_count  # Or the heading offers to show all.
        counts = self.tab_counts(request, cl.query)
        tabs = [
            {**choice, "count": counts.get(choice.get("value"))} for each in cl.filter_specs[:1] for choice in each.choices(cl)
        ]
        return render_live(
            request,
            "console/changelist.html",
            {
                **context,
                "title": self.heading,
                "tabs": tabs,
                "pages": _page_links(cl),
                "list_template": self.list_template,
                "search_label": self.search_label,
                "filters_template": self.filters_template,
                "filter_fields": ("q", "p", *self.filter_fields),
                "script": SELECTION_SCRIPT,
                **self._sorting_context(request, cl),
                "above": "console/saved_views/bar.html",
                **saved_views.bar(request, views),
                **self.list_context(request, [*cl.result_list]),
            },
            event_types=self.list_event_types,
            refresh_seconds=self.list_refresh_seconds,
        )

    def _sorting_context(self, request: HttpRequest, cl: Any) -> dict[str, Any]:
        if not self.columns:
            return {}
        chosen, column = self.requested_ordering(request)
        is_cut = not column.is_indexed and cl.paginator.is_capped
        headings = build_headings(self.columns, chosen, lambda ordering: cl.get_query_string({ORDERING: ordering}, ["p"]))
        return {"headings": headings, "sorted_count": MAX_COUNT if is_cut else None}


def _page_links(cl: Any) -> dict[str, Any] | None:
    """Return the page's number and the links to its neighbors. None: it is the only one."""
    count = cl.paginator.num_pages
    if count <= 1:
        return None
    number = cl.paginator.validate_number(cl.page_num)
    around = {"previous": number - 1 if number > 1 else None, "next": number + 1 if number < count else None}
    links = {name: cl.get_query_string({"p": to}) for name, to in around.items() if to}
    total = f"more than {MAX_COUNT:,}" if getattr(cl.paginator, "is_capped", False) else f"{cl.result_count:,}"
    return {"number": number, "count": count, "total": total, **links}
