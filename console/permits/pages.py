"""Permit pages: the act in full, who granted it, and what came of it. Fixed numbers of queries."""

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from console.acts import SHOWN_DIGEST, describe_act
from governance.models import Permit, PermitOutcome, PermitStatus

UNKNOWN = "unknown"
TABS = [
    (PermitStatus.LIVE.value, "Live"),
    (UNKNOWN, "Unknown outcome"),
    (PermitStatus.SPENT.value, "Spent"),
    ("ended", "Ended unspent"),
]


def state_filter(state: str, _: datetime | None = None) -> Q:
    spent = Q(status=PermitStatus.SPENT)
    return {
        PermitStatus.LIVE.value: Q(status=PermitStatus.LIVE),
        UNKNOWN: spent & Q(outcome=PermitOutcome.UNKNOWN),
        PermitStatus.SPENT.value: spent,
    }.get(state, ~spent & ~Q(status=PermitStatus.LIVE))


def unknown_outcomes() -> QuerySet[Permit]:
    """Return the permits whose act may have been done: nobody has said what came of it."""
    found: QuerySet[Permit] = Permit.objects.filter(state_filter(UNKNOWN))
    return found.select_related("intent").defer("intent__state", "intent__constraints").order_by("-pk")


def permit_row(permit: Permit) -> dict[str, Any]:
    """Return a permit with its digest as it is shown, and whether its outcome may still be recorded."""
    is_spent = permit.status == PermitStatus.SPENT
    return {
        "permit": permit,
        "digest": permit.action_sha256[:SHOWN_DIGEST],
        "is_live": permit.status == PermitStatus.LIVE,
        "may_settle": is_spent and permit.outcome in (None, PermitOutcome.UNKNOWN),
    }


def permit_detail(permit: Permit) -> dict[str, Any]:
    asked = permit.arbitration
    return {
        **permit_row(permit),
        "asked": asked,
        "act": describe_act(asked),
        "votes": asked.known_votes,
        "decision": permit.decision,
    }
