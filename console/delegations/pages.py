"""Delegation pages: scope, state and decisions of each."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from governance.models import Decision, Delegation
from intents.models import Intent
from portfolios.models import Portfolio

DECISIONS = 20


def delegation_state(delegation: Delegation, now: datetime) -> str:
    if delegation.revoked_at:
        return "revoked"
    return "expired" if delegation.expires_at and delegation.expires_at <= now else "live"


def list_rows(found: Sequence[Delegation], now: datetime) -> list[dict[str, Any]]:
    """Return the rows of one page, each with the names of the intents and portfolios of its scope."""
    intents = _names_by_id(Intent.objects, "title", (pk for each in found for pk in each.scope["intents"]))
    portfolios = _names_by_id(Portfolio.objects, "name", (pk for each in found for pk in each.scope["portfolios"]))
    return [
        {
            "delegation": each,
            "state": delegation_state(each, now),
            "intents": [(pk, intents[pk]) for pk in each.scope["intents"] if pk in intents],
            "portfolios": [(pk, portfolios[pk]) for pk in each.scope["portfolios"] if pk in portfolios],
            "actions": ", ".join(each.scope["actions"]) or "do anything its delegator can",
        }
        for each in found
    ]


def delegation_detail(found: Delegation, now: datetime) -> dict[str, Any]:
    """Return one delegation with the decisions its delegate made since it was granted."""
    made = Decision.objects.filter(decided_by=found.delegate, created_at__gte=found.created_at)
    if ended := found.revoked_at or found.expires_at:
        made = made.filter(created_at__lte=ended)
    shown = made.select_related("intent").defer("intent__state", "intent__constraints").order_by("-pk")
    return {"row": list_rows([found], now)[0], "decisions": [*shown[:DECISIONS]]}


def _names_by_id(objects: Any, name: str, ids: Any) -> dict[str, str]:
    wanted = {UUID(pk) for pk in ids}
    return {str(pk): title for pk, title in objects.filter(pk__in=wanted).values_list("pk", name)}
