"""Audit log page, and its export as CSV and JSON lines. For operators."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from access.audit_log import record
from access.roles import actor_from_user, is_operator
from console.audit.entries import KINDS, PARAMETERS, SHOWN, AuditLine, AuditQuery, Cursor
from console.csv_export import csv_line, escape_formulas
from console.live_admin import PANELS_ONLY, reject_unknown_parameters, render_live
from core import strict_json
from core.encoding import identifier, instant

MAX_PEOPLE = 500  # Names that the filter proposes.
POLL_SECONDS = 30  # No stream tells of sign-ins.
FORMATS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl; charset=utf-8"}
COLUMNS = ("at", "actor", "action", "subject", "address", "details", "intent_id", "event_id")


@require_GET
def list_page(request: HttpRequest) -> HttpResponse:
    _require_operator(request)
    reject_unknown_parameters(request, PARAMETERS)
    query = AuditQuery.from_params(request.GET)
    lines, older = query.read(Cursor.parse(request.GET.get("before", "")), SHOWN)
    chosen = {name: str(value) for name, value in request.GET.items() if value and name not in ("before", PANELS_ONLY)}
    context = {
        "title": "Audit log",
        "lines": lines,
        "older_url": f"?{urlencode({**chosen, 'before': str(older)})}" if older else "",
        "is_newest": not request.GET.get("before"),
        "asked": query,
        "kinds": [(name, text) for name, (text, *_) in KINDS.items()],
        "people": [*User.objects.order_by("username").values_list("username", flat=True)[:MAX_PEOPLE]],
        "query": urlencode(chosen),
        "is_narrowed": bool(chosen),
        "above": "console/audit/filters.html",
    }
    return render_live(request, "console/audit/list.html", context, event_types="nothing", refresh_seconds=POLL_SECONDS)


@require_GET
def export(request: HttpRequest, form: str) -> HttpResponseBase:
    """Stream all lines of the filters, the newest first. The export itself is recorded."""
    _require_operator(request)
    reject_unknown_parameters(request, [name for name in PARAMETERS if name != "before"])
    query = AuditQuery.from_params(request.GET)
    actor = actor_from_user(request).id
    record("audit_exported", actor=actor, subject=actor, address=request.META["REMOTE_ADDR"], format=form)
    lines = _csv_lines(query) if form == "csv" else _json_lines(query)
    name = f"audit-{timezone.localdate()}.{form}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return StreamingHttpResponse(lines, content_type=FORMATS[form], headers=headers)


def _require_operator(request: HttpRequest) -> None:
    if not is_operator(request):
        raise PermissionDenied("You need the operator role for the audit log.")


def _csv_lines(query: AuditQuery) -> Iterator[str]:
    yield csv_line(COLUMNS)
    for lines in query.read_all():
        yield "".join(csv_line(escape_formulas(value or "") for value in _values(line).values()) for line in lines)


def _json_lines(query: AuditQuery) -> Iterator[bytes]:
    for lines in query.read_all():
        yield b"".join(strict_json.dumps(_values(line)) + b"\n" for line in lines)


def _values(line: AuditLine) -> dict[str, Any]:
    """Return the values of a line, by column."""
    event = line.event
    ids: Iterable[str | None] = (
        identifier(event.intent_id) if event and event.intent_id else None,
        identifier(event.uid) if event else None,
    )
    values = (instant(line.at), line.actor, line.action, line.subject, line.address, line.details, *ids)
    return dict(zip(COLUMNS, values, strict=True))
