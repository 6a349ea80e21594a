"""Costs and their summaries (RFC-0009)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, TypedDict

from ._model import INSTANT, Model


class CostSummary(TypedDict):
    """Sums of costs (C-2): `total` is in USD if there is money, else in the only `unit`; with several units it is None.

    `by_unit` has the sum of each unit, and `count` is the number of costs.
    """

    unit: str | None
    total: Decimal | None
    by_type: dict[str, Decimal]
    by_agent: dict[str, Decimal]
    by_provider: dict[str, Decimal]
    by_model: dict[str, Decimal]
    by_unit: dict[str, Decimal]
    count: int


def _decode_floats(value: Any) -> Any:
    """Convert decimals in metadata back to floats: only amounts are exact."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, list):
        return [_decode_floats(each) for each in value]
    return {key: _decode_floats(each) for key, each in value.items()} if isinstance(value, dict) else value


def _decode_decimal(value: Any) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(str(value))


@dataclass(frozen=True, kw_only=True)
class Cost(Model):
    """A cost of an intent. `amount` is exact (C-1)."""

    id: str
    intent_id: str
    agent_id: str
    cost_type: str
    amount: Decimal = field(metadata={"decode": _decode_decimal})
    unit: str
    recorded_at: datetime = field(metadata=INSTANT)
    provider: str | None = None
    model: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict, metadata={"decode": _decode_floats})


def cost_summary(data: Mapping[str, Any]) -> CostSummary:
    """Decode a summary."""
    total = data["total"]
    return CostSummary(
        unit=data["unit"],
        total=None if total is None else _decode_decimal(total),
        by_type=_decode_amounts(data["by_type"]),
        by_agent=_decode_amounts(data["by_agent"]),
        by_provider=_decode_amounts(data["by_provider"]),
        by_model=_decode_amounts(data["by_model"]),
        by_unit=_decode_amounts(data["by_unit"]),
        count=data["count"],
    )


def _decode_amounts(amounts: Mapping[str, Any]) -> dict[str, Decimal]:
    return {name: _decode_decimal(amount) for name, amount in amounts.items()}
