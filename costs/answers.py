"""Representation of costs in responses."""

from typing import Any

from core import encoding
from costs.amounts import TRILLIONTHS, json_amount


def cost_body(cost: Any) -> dict[str, Any]:
    """Return the body of a Cost or of its row."""
    return {
        "id": encoding.identifier(cost.id),
        "intent_id": encoding.identifier(cost.intent_id),
        "agent_id": cost.agent_id,
        "cost_type": cost.cost_type,
        "amount": json_amount(cost.whole * TRILLIONTHS + cost.parts),
        "unit": cost.unit,
        "provider": cost.provider,
        "model": cost.model,
        "metadata": encoding.json(cost.metadata),
        "recorded_at": encoding.instant(cost.recorded_at),
    }
