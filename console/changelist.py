"""Lists whose rows are written for reading, not as a table: tabs, search, rows, pages; kept true as an object's panels are."""

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property
from django.utils.text import capfirst

from console.live_admin import AGAIN, PanelsAdmin, answer

CHOOSING = "console/arbitration.js"
"""The script that counts what is chosen, and knows the keys of a question's page."""

COUNTED = 10_000


class Bounded(Paginator):
    """Counts no further than COUNTED, however many there are. Whoever looks for something beyond narrows the list."""

    @cached_property
    def is_more(self) -> bool:
        return self._counted > COUNTED

    @cached_property
    def _counted(self) -> int:
        objects: Any = self.object_list
        return int(objects.order_by()[: COUNTED + 1].count())

    @cached_property
    def count(self) -> int:
        return min(self._counted, COUNTED)

    def validate_number(self, number: Any) -> int:
        """The nearest page that there is: rows of a live list go, and with them its last page."""
        return max(1, min(int(number), self.num_pages))


class RowsAdmin(PanelsAdmin):
    """A list's rows are in `rows_template`, for which `rows` adds what they need. The first filter's choices are its tabs.

    `fields_template` has fields that go with the search, one for each of the filters `own_fields`.
    """

    paginator = Bounded
    rows_template: str
    fields_template = ""
    own_fields: tuple[str, ...] = ()
    search_label = "Search"
    title = ""
    """The list's heading, where it is not the model's plural name."""

    list_only = ""
    list_every = 60

    def rows(self, request: HttpRequest, found: list[Any]) -> dict[str, Any]:
        """What the template takes beside `cl`; the `found` are those of one page."""
        return {}

    def counts(self) -> dict[str, int]:
        """How many there are behind a tab, by the filter's value. Not for those that would be counted slowly."""
        return {}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        given = request.GET
        known = given.copy()
        known.pop(AGAIN, None)  # Django refuses parameters that it does not know.
        request.GET = known  # type: ignore[assignment]
        response = super().changelist_view(request, extra_context)
        request.GET = given
        context = getattr(response, "context_data", None) or {}
        if "cl" not in context:
            return response
        cl = context["cl"]
        cl.full_result_count = cl.result_count  # Or the heading offers to show all.
        return answer(
            request,
            "console/changelist.html",
            {
                **context,
                "title": self.title or capfirst(self.opts.verbose_name_plural),
                "tabs": _tabs(cl, self.counts()),
                "pages": _pages(cl),
                "rows_template": self.rows_template,
                "search_label": self.search_label,
                "fields_template": self.fields_template,
                "own_fields": ("q", "p", *self.own_fields),
                "script": CHOOSING,
                **self.rows(request, [*cl.result_list]),
            },
            only=self.list_only,
            every=self.list_every,
        )


def _tabs(cl: Any, counts: dict[str, int]) -> list[dict[str, Any]]:
    if not cl.filter_specs:
        return []
    return [{**choice, "count": counts.get(choice.get("value"))} for choice in cl.filter_specs[0].choices(cl)]


def _pages(cl: Any) -> dict[str, Any] | None:
    """Where this page stands among the others; None where it is the only one."""
    count = cl.paginator.num_pages
    if count <= 1:
        return None
    number = cl.paginator.validate_number(cl.page_num)
    around = {"previous": number - 1 if number > 1 else None, "next": number + 1 if number < count else None}
    links = {name: cl.get_query_string({"p": to}) for name, to in around.items() if to}
    total = f"more than {COUNTED:,}" if getattr(cl.paginator, "is_more", False) else f"{cl.result_count:,}"
    return {"number": number, "count": count, "total": total, **links}
