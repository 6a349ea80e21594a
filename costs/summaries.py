"""Adding up (rules C-2, C-4), from the sums that are kept and not from the single costs."""

from collections import Counter
from typing import Any
from uuid import UUID

from django.db.models import QuerySet, Sum

from costs import rollups
from costs.amounts import CENTS_PER_UNIT, DECIMALS, DOLLAR_DECIMALS, TRILLIONTHS, json_amount
from costs.models import CostTotal

_KINDS = ("unit", "cost_type", "agent_id", "provider", "model")
_BREAKDOWNS = {"by_type": 1, "by_agent": 2, "by_provider": 3, "by_model": 4}


def summarize_intent(intent_id: UUID) -> dict[str, Any]:
    return _summary(CostTotal.objects.filter(intent_id=intent_id))


def summarize_tree(intent_id: UUID) -> dict[str, Any]:
    return _summary(rollups.tree_totals(intent_id))


def summarize_portfolio(portfolio_id: UUID) -> dict[str, Any]:
    return _summary(rollups.portfolio_totals(portfolio_id))


def _summary(counted: QuerySet[CostTotal]) -> dict[str, Any]:
    """`{unit, total, by_type, by_agent, by_provider, by_model, by_unit, count}`.

    Money is added up in USD and is what the breakdowns show; else the only unit is; several others are never added.
    """
    sums = counted.order_by().values_list(*_KINDS).annotate(Sum("whole"), Sum("parts"), Sum("count"))
    rows = [(kinds, int(whole) * TRILLIONTHS + int(parts), int(count)) for *kinds, whole, parts, count in sums]
    by_unit: Counter[str] = Counter()
    for kinds, amount, _ in rows:
        by_unit[kinds[0]] += amount
    unit = _unit(set(by_unit))
    shown = [(kinds, amount * CENTS_PER_UNIT.get(kinds[0], 1)) for kinds, amount, _ in rows if _belongs(kinds[0], unit)]
    decimals = DOLLAR_DECIMALS if unit in CENTS_PER_UNIT else DECIMALS
    return {
        "unit": unit,
        "total": None if unit is None else json_amount(sum(amount for _, amount in shown), decimals),
        **{name: _breakdown(shown, place, decimals) for name, place in _BREAKDOWNS.items()},
        "by_unit": {name: json_amount(by_unit[name]) for name in sorted(by_unit)},
        "count": sum(count for _, _, count in rows),
    }


def _unit(units: set[str]) -> str | None:
    if not units or units & CENTS_PER_UNIT.keys():
        return "USD"
    return units.pop() if len(units) == 1 else None


def _belongs(unit: str, shown: str | None) -> bool:
    return unit in CENTS_PER_UNIT if shown == "USD" else unit == shown


def _breakdown(shown: list[tuple[list[str], int]], place: int, decimals: int) -> dict[str, Any]:
    """By the kind at that place; what has none there is left out."""
    found: Counter[str] = Counter()
    for kinds, amount in shown:
        if kinds[place]:
            found[kinds[place]] += amount
    return {name: json_amount(found[name], decimals) for name in sorted(found)}
