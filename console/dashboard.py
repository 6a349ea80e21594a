"""Dashboard: pending decisions, leases that expire soon, blocked intents, spending, webhooks, latest events.

A fixed number of queries.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import Case, Count, F, Q, Sum, When
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode

from access.models import Role
from access.roles import has_role
from console.budget_usage import list_crossed_budgets
from console.event_log.pages import with_portfolio_names
from console.permits.pages import unknown_outcomes
from console.reader_zone import midnight
from core.db import database_now
from core.ids import first_id_at
from costs.amounts import CENTS_PER_UNIT, DOLLAR_DECIMALS, TRILLIONTHS
from costs.models import Cost
from governance.models import Arbitration
from intents.models import Edge, EdgeKind, Event, Intent, Status
from leasing.models import Lease
from subscriptions.models import Delivery, DeliveryStatus, Subscription
from subscriptions.models import Status as SubscriptionStatus

SHOWN = 6  # Rows of a panel; the number above it leads to all.
EVENTS = 14
SOON = timedelta(minutes=5)
URGENT = timedelta(minutes=20)


def index_context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Return the context of the theme's index page; without a role, one that explains how to get one."""
    return {
        **context,
        "title": "Home",
        **(dashboard_context(database_now()) if has_role(request, Role.OBSERVER) else {"questions": None}),
    }


def panels(request: HttpRequest) -> HttpResponse:
    """Render the panels alone, for live updates."""
    if not has_role(request, Role.OBSERVER):
        raise PermissionDenied("You don't have a role in the console.")
    return TemplateResponse(
        request, "console/dashboard/panels.html", dashboard_context(database_now()), headers={"Cache-Control": "no-store"}
    )


def dashboard_context(now: datetime) -> dict[str, Any]:
    statuses = dict(Intent.objects.order_by().values_list("status").annotate(Count("pk")))
    pending = Arbitration.objects.pending().select_related("intent")
    is_urgent = Case(When(expires_at__lte=now + URGENT, then=True), default=False)
    ordered = pending.annotate(is_urgent=is_urgent).by_deadline()
    ending = Lease.objects.held().filter(expires_at__lte=now + SOON).select_related("intent").order_by("expires_at")
    blocked = Intent.objects.filter(status=Status.BLOCKED).defer("state", "constraints").order_by("-updated_at", "-pk")[:SHOWN]
    blockers = list_blockers({intent.pk for intent in blocked}, now)
    return {
        "now": now,
        "is_empty": not statuses,
        "questions": Panel([*ordered[:SHOWN]], pending.count(), _list_url("governance_arbitration", state="pending")),
        "leases": Panel([*ending[:SHOWN]], ending.count(), _list_url("leasing_lease", state="soon")),
        "blocked": Panel(
            [(intent, blockers.get(intent.pk, [])) for intent in blocked],
            statuses.get(Status.BLOCKED, 0),
            _list_url("intents_intent", status__exact=Status.BLOCKED),
        ),
        "active": statuses.get(Status.ACTIVE, 0),
        "active_url": _list_url("intents_intent", status__exact=Status.ACTIVE),
        "spending": _costs(now),
        "webhooks": _webhooks(now),
        "unknown_outcomes": unknown_outcomes().count(),
        "events": [*with_portfolio_names(Event.objects.select_related("intent").defer("payload")).order_by("-row")[:EVENTS]],
        "log_url": _list_url("intents_event"),
    }


@dataclass(frozen=True, slots=True)
class Panel:
    """The first rows of a list, with their total number and the URL of the list."""

    rows: list[Any]
    count: int
    url: str


def _list_url(model: str, **query: str) -> str:
    return reverse(f"admin:{model}_changelist") + ("?" + urlencode(query) if query else "")


def list_blockers(ids: set[UUID], now: datetime) -> dict[UUID, list[tuple[str, str]]]:
    """Return for each intent what blocks it, as (text, URL)."""
    found: dict[UUID, list[tuple[str, str]]] = defaultdict(list)
    for asked in Arbitration.objects.pending().filter(intent_id__in=ids, blocking=True).order_by("pk"):
        found[asked.intent_id].append(
            (f"pending decision: {asked.reason}", reverse("admin:governance_arbitration_change", args=[asked.pk]))
        )
    edges = Edge.objects.filter(waiter_id__in=ids, kind=EdgeKind.DEPENDENCY).exclude(awaited__status=Status.COMPLETED)
    for waiter_id, awaited_id, title in edges.order_by("pk").values_list("waiter_id", "awaited_id", "awaited__title"):
        found[waiter_id].append((title, reverse("admin:intents_intent_change", args=[awaited_id])))
    return found


def _costs(now: datetime) -> dict[str, Any]:
    """Return the spending of the reader's day, and the budgets that are crossed or nearly so."""
    today = Cost.objects.filter(pk__gte=first_id_at(midnight(now)), unit__in=CENTS_PER_UNIT).order_by()
    sums = today.values_list("unit").annotate(Sum("whole"), Sum("parts"))
    spent = sum((int(whole) * TRILLIONTHS + int(parts)) * CENTS_PER_UNIT[unit] for unit, whole, parts in sums)
    budgets = list_crossed_budgets()
    return {
        "today": Decimal(spent).scaleb(-DOLLAR_DECIMALS),
        "budgets": budgets[:SHOWN],
        "count": len(budgets),
        "exceeded": sum(each.is_exceeded for each in budgets),
        "url": reverse("admin:console_costs") + "?period=today",
    }


def _webhooks(now: datetime) -> dict[str, Any]:
    is_failing = Q(failing_since__isnull=False) | Q(status=SubscriptionStatus.DISABLED)
    failing = Subscription.objects.not_removed().filter(is_failing)
    retrying, dead = Q(status=DeliveryStatus.PENDING, attempts__gt=0), Q(status=DeliveryStatus.DEAD)
    recent = dead & Q(ended_at__gte=now - timedelta(days=1))
    counts = Delivery.objects.filter(Q(status=DeliveryStatus.PENDING) | recent).aggregate(
        retrying=Count("pk", filter=retrying), dead=Count("pk", filter=recent)
    )
    return {
        "rows": [
            *failing.select_related("intent", "portfolio").order_by(F("failing_since").desc(nulls_last=True), "-pk")[:SHOWN]
        ],
        "count": failing.count(),
        "url": _list_url("subscriptions_subscription", state="failing"),
        **counts,
        "retrying_url": _list_url("subscriptions_delivery", state="retrying"),
        "dead_url": _list_url("subscriptions_delivery", state="dead_today"),
    }
