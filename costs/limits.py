"""What budgets say (rule C-3). They stand in free JSON: whatever cannot be read as a limit limits nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

DEFAULT_THRESHOLD = Decimal(80)
PER_AGENT, PER_CALL = "max_per_agent_cents", "max_per_call_cents"
_IN_CENTS = ("max_total_cents", PER_AGENT, PER_CALL)


@dataclass(frozen=True, slots=True)
class Limit:
    """`kind` is the key that it stands under; `threshold` the percentage of it that raises an alert."""

    kind: str
    usd: Decimal
    threshold: Decimal


def of_intent(constraints: Any) -> list[Limit]:
    return [*_limits(constraints)] if isinstance(constraints, dict) else []


def of_portfolio(governance_policy: Any) -> list[Limit]:
    """Its shared constraints; a budget that is a plain number is one in USD."""
    shared = governance_policy.get("shared_constraints") if isinstance(governance_policy, dict) else None
    if not isinstance(shared, dict):
        return []
    return [*_limits(shared), *_limit("budget", shared.get("budget"), DEFAULT_THRESHOLD)]


def _limits(constraints: dict[str, Any]) -> Iterator[Limit]:
    given = constraints.get("budget")
    budget = given if isinstance(given, dict) else {}
    threshold = _threshold(budget.get("alert_threshold_percent"))
    yield from _limit("max_cost", constraints.get("max_cost"), threshold)
    for kind in _IN_CENTS:
        yield from _limit(kind, budget.get(kind), threshold, exponent=-2)


def _limit(kind: str, given: Any, threshold: Decimal, *, exponent: int = 0) -> Iterator[Limit]:
    number = _number(given)
    if number is not None:
        yield Limit(kind, number.scaleb(exponent), threshold)


def _threshold(given: Any) -> Decimal:
    number = _number(given)
    return number if number is not None and 0 < number <= 100 else DEFAULT_THRESHOLD


def _number(given: Any) -> Decimal | None:
    if isinstance(given, bool) or not isinstance(given, int | float) or given < 0:
        return None
    return Decimal(repr(given))
