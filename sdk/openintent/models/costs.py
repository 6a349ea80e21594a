"""Costs and their summaries (RFC-0009)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict

from ._base import AT, Model


class CostSummary(TypedDict):
    """What was spent, added up (C-2): money in USD; else the only `unit`; with several of them `total` is None.

    `by_unit` has every unit, each in itself, and `count` counts all costs.
    """

    unit: str | None
    total: Decimal | None
    by_type: dict[str, Decimal]
    by_agent: dict[str, Decimal]
    by_provider: dict[str, Decimal]
    by_model: dict[str, Decimal]
    by_unit: dict[str, Decimal]
    count: int


def _floats(value: Any) -> Any:
    """Decimals back into what JSON is elsewhere: only amounts are exact, and metadata is whatever was sent."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, list):
        return [_floats(each) for each in value]
    return {key: _floats(each) for key, each in value.items()} if isinstance(value, dict) else value


def _exact(value: Any) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


@dataclass(frozen=True, kw_only=True)
class Cost(Model):
    """Something that was spent on an intent. `amount` is exact (C-1)."""

    id: str
    intent_id: str
    agent_id: str
    cost_type: str
    amount: Decimal = field(metadata={"decode": _exact})
    unit: str
    recorded_at: datetime = field(metadata=AT)
    provider: str | None = None
    model: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict, metadata={"decode": _floats})


def cost_summary(data: Mapping[str, Any]) -> CostSummary:
    """Read a summary."""
    total = data["total"]
    return CostSummary(
        unit=data["unit"],
        total=None if total is None else _exact(total),
        by_type=_each(data["by_type"]),
        by_agent=_each(data["by_agent"]),
        by_provider=_each(data["by_provider"]),
        by_model=_each(data["by_model"]),
        by_unit=_each(data["by_unit"]),
        count=data["count"],
    )


def _each(amounts: Mapping[str, Any]) -> dict[str, Decimal]:
    return {name: _exact(amount) for name, amount in amounts.items()}
