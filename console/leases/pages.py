"""Lease pages: holder, remaining time and the holder's activity."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Subquery
from django.db.models.functions import Coalesce

from console.dashboard import SOON
from intents.events import EventType
from intents.models import Event
from leasing.models import Lease, LeaseWaiter, Status
from leasing.scopes import overlap, split_levels

EVENTS = 20
MAX_OTHERS = 10
MAX_LEASE_EVENTS = 2_000  # Events of leases that are looked through; somebody may renew every few seconds.

_LEASE_EVENTS = [
    EventType.LEASE_ACQUIRED,
    EventType.LEASE_RENEWED,
    EventType.LEASE_RELEASED,
    EventType.LEASE_EXPIRED,
    EventType.LEASE_REVOKED,
]


def list_rows(found: Sequence[Lease], now: datetime) -> list[dict[str, Any]]:
    """Return the rows of one page, each with the last activity of its holder on the intent."""
    seen = dict(_annotate_activity(Lease.objects.filter(pk__in=[lease.pk for lease in found])).values_list("pk", "seen_at"))
    return [{**_row(lease, now), "seen_at": seen.get(lease.pk)} for lease in found]


def lease_detail(found: Lease, now: datetime) -> dict[str, Any]:
    """Return one lease with its history, the activity of its holder, and other leases of its scope."""
    row = _row(found, now)
    of_leases = Event.objects.filter(
        intent_id=found.intent_id, event_type__in=_LEASE_EVENTS, created_at__gte=found.acquired_at
    ).order_by("-sequence")[:MAX_LEASE_EVENTS]
    own = [each for each in of_leases if each.payload["lease_id"] == str(found.pk)]  # The newest first.
    others = Lease.objects.filter(intent_id=found.intent_id, scope=found.scope)
    meanwhile = Event.objects.filter(intent_id=found.intent_id, actor=found.agent_id, created_at__gte=found.acquired_at)
    if row["ended_at"]:
        meanwhile = meanwhile.filter(created_at__lte=row["ended_at"])
    return {
        "row": {**row, "seen_at": _annotate_activity(Lease.objects.filter(pk=found.pk)).values_list("seen_at", flat=True).get()},
        "history": [each for each in own if each.event_type != EventType.LEASE_RENEWED],
        "renewals": [each for each in reversed(own) if each.event_type == EventType.LEASE_RENEWED],
        "ending": next((each for each in own if each.event_type not in _LEASE_EVENTS[:2]), None),
        "meanwhile": [*meanwhile.exclude(event_type__in=_LEASE_EVENTS).order_by("-sequence")[:EVENTS]],
        "waiting": _waiting(found, now),
        "others": [_row(each, now) for each in others.exclude(pk=found.pk).order_by("-pk")[:MAX_OTHERS]],
    }


def _row(lease: Lease, now: datetime) -> dict[str, Any]:
    status = str(lease.status)
    is_active = status == Status.ACTIVE
    return {
        "lease": lease,
        "status": status,
        "is_active": is_active,
        "is_soon": is_active and lease.expires_at <= now + SOON,
        "ended_at": None if is_active else lease.released_at or lease.expires_at,
    }


def _waiting(lease: Lease, now: datetime) -> list[str]:
    """Return the agents that wait for the scope, the first one first (rule L-9)."""
    if lease.status != Status.ACTIVE:
        return []
    levels = split_levels(lease.scope)
    queue = LeaseWaiter.objects.listening(now).filter(intent_id=lease.intent_id).order_by("pk")
    return [*dict.fromkeys(each.agent_id for each in queue if overlap(split_levels(each.scope), levels))]


def _annotate_activity(leases: Any) -> Any:
    """Annotate each lease with the time of its holder's newest event on the intent."""
    by_holder = Event.objects.filter(intent=OuterRef("intent"), actor=OuterRef("agent_id")).order_by("-sequence")
    return leases.annotate(seen_at=Coalesce(Subquery(by_holder.values("created_at")[:1]), "acquired_at"))
