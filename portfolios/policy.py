"""Governance policy: when a portfolio completes, and whether it binds others (rules P-2, P-5). Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from costs import budget_limits
from intents.models import Status


def is_binding(policy: Mapping[str, Any]) -> bool:
    """Return whether the policy has requirements or limits: ending the portfolio early would evade them (rule P-5)."""
    return bool(policy.get("require_all_completed")) or bool(budget_limits.portfolio_limits(policy))


def blocking_statuses(policy: Mapping[str, Any]) -> set[Status]:
    """Return the statuses of members that prevent the portfolio from completing."""
    if not policy.get("require_all_completed"):
        return set()
    done = {Status.COMPLETED, *([Status.ABANDONED] if policy.get("allow_partial_completion") else [])}
    return set(Status) - done


def is_threshold_reached(policy: Mapping[str, Any], counts: Mapping[str, int]) -> bool:
    """Return whether these numbers of members by status reach the threshold. Exact: 66.67 is more than two of three."""
    total, threshold = sum(counts.values()), policy.get("auto_complete_threshold")
    if not total or threshold is None or any(counts.get(status) for status in blocking_statuses(policy)):
        return False
    return 100 * counts.get(Status.COMPLETED, 0) >= Decimal(str(threshold)) * total
