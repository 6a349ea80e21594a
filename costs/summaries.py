"""Cost summaries (rules C-2, C-4), from totals and not from the cost entries."""

from collections import Counter
from typing import Any

from django.db.models import QuerySet, Sum

from costs.amounts import CENTS_PER_UNIT, DECIMALS, DOLLAR_DECIMALS, TRILLIONTHS, json_amount
from costs.models import CostTotal

_KINDS = ("unit", "cost_type", "agent_id", "provider", "model")
_BREAKDOWNS = {"by_type": 1, "by_agent": 2, "by_provider": 3, "by_model": 4}


def summarize(totals: QuerySet[CostTotal]) -> dict[str, Any]:
    """Return `{unit, total, by_type, by_agent, by_provider, by_model, by_unit, count}`.

    The total and the breakdowns are of money, in USD; without money, of the only unit. Different units are never added.
    """
    sums = totals.order_by().values_list(*_KINDS).annotate(Sum("whole"), Sum("parts"), Sum("count"))
    rows = [(kinds, int(whole) * TRILLIONTHS + int(parts), int(count)) for *kinds, whole, parts, count in sums]
    by_unit: Counter[str] = Counter()
    for kinds, amount, _ in rows:
        by_unit[kinds[0]] += amount
    if not by_unit or by_unit.keys() & CENTS_PER_UNIT.keys():
        unit: str | None = "USD"
    else:
        unit = next(iter(by_unit)) if len(by_unit) == 1 else None
    units = CENTS_PER_UNIT if unit == "USD" else {unit: 1}
    counted = [(kinds, amount * CENTS_PER_UNIT.get(kinds[0], 1)) for kinds, amount, _ in rows if kinds[0] in units]
    decimals = DOLLAR_DECIMALS if unit in CENTS_PER_UNIT else DECIMALS
    breakdowns: dict[str, Counter[str]] = {name: Counter() for name in _BREAKDOWNS}
    for kinds, amount in counted:
        for name, index in _BREAKDOWNS.items():
            if kinds[index]:  # Costs that name none are left out.
                breakdowns[name][kinds[index]] += amount
    return {
        "unit": unit,
        "total": None if unit is None else json_amount(sum(amount for _, amount in counted), decimals),
        **{name: {key: json_amount(found[key], decimals) for key in sorted(found)} for name, found in breakdowns.items()},
        "by_unit": {name: json_amount(by_unit[name]) for name in sorted(by_unit)},
        "count": sum(count for _, _, count in rows),
    }
