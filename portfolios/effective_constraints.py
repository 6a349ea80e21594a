"""Effective constraints of an intent: its own, over those of its portfolios (rule P-3)."""

from typing import Any

import orjson

from core.db.sql_rows import Row
from portfolios.models import Membership, Status


def effective_constraints(intent: Row) -> dict[str, Any]:
    """Return the intent's own constraints, merged over those of its active portfolios.

    Of two portfolios with the same key, the membership of higher priority wins, then the older one.
    """
    memberships = Membership.objects.filter(intent_id=intent.id, portfolio__status=Status.ACTIVE).order_by("priority", "-id")
    effective: dict[str, Any] = {}
    for policy in memberships.values_list("portfolio__governance_policy", flat=True):
        effective.update(policy.get("shared_constraints", {}))
    return {**effective, **orjson.loads(intent.constraints)}
