"""Cost report page, and its export as CSV."""

from collections.abc import Iterator

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from access.models import Role
from access.roles import has_role
from console.costs.report import PARAMETERS, PERIODS, CostQuery, build_report, unit_spellings
from console.csv_export import csv_line, escape_formulas
from console.live_admin import PANELS_ONLY, reject_unknown_parameters, render_live
from core import strict_json
from core.db import database_now
from core.encoding import identifier, instant
from costs.amounts import format_amount
from intents.events import EventType
from portfolios.models import Portfolio

MAX_PORTFOLIOS = 200  # Portfolios in the form.
BATCH = 2_000  # Rows that are read with one query.
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


@require_GET
def report_page(request: HttpRequest) -> HttpResponse:
    if not has_role(request, Role.OBSERVER):
        raise PermissionDenied("You don't have a role in the console.")
    reject_unknown_parameters(request, PARAMETERS)
    query = CostQuery.from_params(request.GET, timezone.localdate(database_now()))
    context = {
        "title": "Costs",
        **build_report(query),
        "periods": [(name, text) for name, (text, _) in PERIODS.items()],
        "portfolios": []
        if PANELS_ONLY in request.GET
        else Portfolio.objects.order_by("-created_at").only("name")[:MAX_PORTFOLIOS],
        "query": urlencode({name: str(value) for name, value in request.GET.items() if name != PANELS_ONLY}),
        "above": "console/costs/filters.html",
    }
    return render_live(
        request, "console/costs/report.html", context, topic=query.topic, event_types=EventType.COST_RECORDED, min_seconds=PACE
    )


@require_GET
def export_csv(request: HttpRequest) -> HttpResponseBase:
    """Stream all entries of the report as CSV, in all units unless one is requested."""
    if not has_role(request, Role.OBSERVER):
        raise PermissionDenied("You don't have a role in the console.")
    reject_unknown_parameters(request, PARAMETERS)
    query = CostQuery.from_params(request.GET, timezone.localdate(database_now()))
    name = f"costs-{query.first or 'all'}-{query.last}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(_csv_lines(query), content_type="text/csv; charset=utf-8", headers=headers)


def _csv_lines(query: CostQuery) -> Iterator[str]:
    """Yield the lines batch by batch, each with a short query: a slow reader keeps nothing open."""
    yield csv_line(HEADINGS)
    costs = query.costs().select_related("intent").only(*_COLUMNS).order_by("pk")
    if query.unit:
        costs = costs.filter(unit__in=unit_spellings(query.unit))
    rows = [*costs[:BATCH]]
    while rows:
        lines = []
        for cost in rows:
            named = [cost.intent.title, cost.agent_id, cost.cost_type]
            source = [cost.unit, cost.provider or "", cost.model or "", strict_json.text(cost.metadata)]
            cells = [identifier(cost.pk), instant(cost.recorded_at), identifier(cost.intent_id), *map(escape_formulas, named)]
            lines.append(csv_line([*cells, format_amount(cost.amount), *map(escape_formulas, source)]))
        yield "".join(lines)
        rows = [*costs.filter(pk__gt=rows[-1].pk)[:BATCH]]


_COLUMNS = ("recorded_at", "agent_id", "cost_type", "whole", "parts", "unit", "provider", "model", "metadata", "intent__title")
