"""The page of costs, and their export."""

import csv
import re
import unicodedata
from collections.abc import Iterator
from io import StringIO
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from access.models import Role
from access.roles import has_role
from console.costs.report import PERIODS, TAKEN, Asked, gather, spellings
from console.live_admin import AGAIN, answer, refuse_unknown
from core import strict_json
from core.db import database_now
from core.encoding import identifier, instant
from costs.amounts import format_amount
from costs.models import Cost
from intents.events import EventType
from portfolios.models import Portfolio

OFFERED = 200  # Portfolios in the form.
AT_ONCE = 2_000  # Rows that are read with one query.
PACE = 10  # Seconds between two looks, while costs come in.
HEADINGS = [
    "id",
    "recorded_at",
    "intent_id",
    "intent",
    "agent_id",
    "cost_type",
    "amount",
    "unit",
    "provider",
    "model",
    "metadata",
]
FORMULA = ("=", "+", "-", "@")
"""With what a spreadsheet takes a cell for a formula."""

_CELLS = re.compile(r"([;\t\r\n])")  # A spreadsheet set up for another country begins a cell at each semicolon.


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    if not has_role(request, Role.OBSERVER):
        raise PermissionDenied("You don't have a role in the console.")
    refuse_unknown(request, TAKEN)
    asked = Asked.of(request.GET, database_now().date())
    context = {
        "title": "Costs",
        **gather(asked),
        "periods": [(name, text) for name, (text, _) in PERIODS.items()],
        "portfolios": [] if AGAIN in request.GET else Portfolio.objects.order_by("-created_at").only("name")[:OFFERED],
        "query": urlencode({name: str(value) for name, value in request.GET.items() if name != AGAIN}),
        "above": "console/costs/filters.html",
    }
    return answer(request, "console/costs/report.html", context, follow=asked.topic, only=EventType.COST_RECORDED, pace=PACE)


@require_GET
def export(request: HttpRequest) -> HttpResponseBase:
    """All costs that the page adds up, of every unit unless one is asked for, as CSV."""
    if not has_role(request, Role.OBSERVER):
        raise PermissionDenied("You don't have a role in the console.")
    refuse_unknown(request, TAKEN)
    asked = Asked.of(request.GET, database_now().date())
    name = f"costs-{asked.first or 'all'}-{asked.last}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(_lines(asked), content_type="text/csv; charset=utf-8", headers=headers)


def _lines(asked: Asked) -> Iterator[str]:
    """Batch by batch, each with a short query of its own: a slow reader holds nothing open."""
    yield _line(HEADINGS)
    costs = asked.costs().select_related("intent").only(*_NEEDED).order_by("pk")
    if asked.unit:
        costs = costs.filter(unit__in=spellings(asked.unit))
    rows = [*costs[:AT_ONCE]]
    while rows:
        yield "".join(_line(_cells(cost)) for cost in rows)
        rows = [*costs.filter(pk__gt=rows[-1].pk)[:AT_ONCE]]


_NEEDED = ("recorded_at", "agent_id", "cost_type", "whole", "parts", "unit", "provider", "model", "metadata", "intent__title")


def _cells(cost: Cost) -> list[Any]:
    named = [cost.intent.title, cost.agent_id, cost.cost_type]
    source = [cost.unit, cost.provider or "", cost.model or "", strict_json.text(cost.metadata)]
    return [
        identifier(cost.pk),
        instant(cost.recorded_at),
        identifier(cost.intent_id),
        *map(harmless, named),
        format_amount(cost.amount),
        *map(harmless, source),
    ]


def harmless(text: str) -> str:
    """The text as a spreadsheet shows it, and does not compute it."""
    first, *rest = _CELLS.split(text)
    written = first + "".join(f"'{cell}" if _is_formula(cell) else cell for cell in rest)
    begins_hidden = not text.startswith(" ") and any(map(_is_passed_over, text[:1]))
    return f"'{written}" if _is_formula(text) or begins_hidden else written


def _is_formula(cell: str) -> bool:
    first = next((each for each in cell if not _is_passed_over(each)), "")
    return bool(first) and unicodedata.normalize("NFKC", first)[0] in FORMULA  # Full-width forms are the same to some.


def _is_passed_over(character: str) -> bool:
    """Whether it shows nothing: a control or format character, a mark without a letter, a blank."""
    return unicodedata.category(character)[0] in "CMZ"


def _line(cells: list[Any]) -> str:
    written = StringIO()
    csv.writer(written).writerow(cells)
    return written.getvalue()
