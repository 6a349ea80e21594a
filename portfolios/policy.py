"""What a governance policy says about a portfolio's end (rule P-2). Pure: statuses and their numbers in, answers out."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from costs import budget_limits
from intents.models import Status


def is_binding(policy: Mapping[str, Any]) -> bool:
    """Return whether others rely on what it requires or limits: ending it early would be another way to change it (rule P-5)."""
    return bool(policy.get("require_all_completed")) or bool(budget_limits.portfolio_limits(policy))


def blocking_statuses(policy: Mapping[str, Any]) -> set[Status]:
    """The statuses of members that keep the portfolio from completing."""
    if not policy.get("require_all_completed"):
        return set()
    done = {Status.COMPLETED, *([Status.ABANDONED] if policy.get("allow_partial_completion") else [])}
    return set(Status) - done


def is_threshold_reached(policy: Mapping[str, Any], counts: Mapping[str, int]) -> bool:
    """Whether so many members of each status complete the portfolio by themselves. Exact: 66.67 is more than two of three."""
    total, threshold = sum(counts.values()), policy.get("auto_complete_threshold")
    if not total or threshold is None or any(counts.get(status) for status in blocking_statuses(policy)):
        return False
    return 100 * counts.get(Status.COMPLETED, 0) >= Decimal(str(threshold)) * total
