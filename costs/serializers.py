"""Request bodies of costs (protocol §3)."""

import re
from decimal import Decimal
from functools import partial
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from access.serializers import AgentId
from core.agent_ids import AGENT_ID
from core.api.fields import JSONObjectField, StrictCharField
from core.api.serializers import StrictSerializer
from costs.amounts import (
    DECIMALS,
    MAX_AMOUNT,
    MAX_TEXT_DECIMALS,
    decimal_from_float,
    normalize_unit,
    suggest_money_unit,
    to_trillionths,
)
from costs.models import COST_TYPE, SOURCE, UNIT

_DECIMAL = rf"{MAX_AMOUNT}(\.0{{1,{MAX_TEXT_DECIMALS}}})?|(0|[1-9][0-9]{{0,11}})(\.[0-9]{{1,{MAX_TEXT_DECIMALS}}})?"
_NUMBER = {"type": "number", "minimum": 0, "maximum": MAX_AMOUNT}


@extend_schema_field({"oneOf": [_NUMBER, {"type": "string", "pattern": f"^({_DECIMAL})$"}]})
class Amount(serializers.Field[Any, Any, Any, Any]):
    """A JSON number, or text that keeps every digit (rule C-1). Its value is in trillionths, rounded half-even."""

    default_error_messages = {
        "null": "cannot be null",
        "required": "is required",
        "invalid": f'must be a number, or a number as text with at most {MAX_TEXT_DECIMALS} decimals, like "0.05"',
        "min_value": "must be 0 or more",
        "max_value": f"must be {MAX_AMOUNT} or less",
        "inexact_number": f"would be rounded to 0: amounts have {DECIMALS} decimals. Add several up first",
    }

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, str):
            return self._to_trillionths(Decimal(data)) if re.fullmatch(_DECIMAL, data) else self.fail("invalid")
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        if data < 0:
            self.fail("min_value")
        if data > MAX_AMOUNT:
            self.fail("max_value")
        return self._to_trillionths(decimal_from_float(data) if isinstance(data, float) else Decimal(data))

    def _to_trillionths(self, number: Decimal) -> int:
        return to_trillionths(number) or (self.fail("inexact_number") if number else 0)


GroupName = partial(
    StrictCharField,
    pattern=rf"\A{AGENT_ID.pattern}\Z",
    pattern_message="cannot contain control characters, or begin or end with a space",
)
"""A name by which costs are grouped."""


class RecordCost(StrictSerializer):
    aliases = {"cost_metadata": "metadata"}
    example = {
        "cost_type": "api_call",
        "amount": 0.05,
        "unit": "USD",
        "provider": "openai",
        "metadata": {"model": "gpt-4", "tokens": 1500},
    }

    cost_type = GroupName(max_length=COST_TYPE)
    amount = Amount(help_text=f"Rounded half-even to {DECIMALS} decimals; text preserves more digits than a number.")
    unit = GroupName(max_length=UNIT, default="USD", help_text="USD and cents are money; any other unit is counted separately.")
    provider = GroupName(max_length=SOURCE, required=False, allow_null=True)
    model = GroupName(max_length=SOURCE, required=False, allow_null=True, help_text="Default: `metadata.model`, if it is text.")
    metadata = JSONObjectField(required=False)
    agent_id = AgentId(required=False, help_text="The spending agent, if neither the key nor X-Agent-ID names it.")

    def validate_unit(self, unit: str) -> str:
        if similar := suggest_money_unit(unit):
            raise serializers.ValidationError(f"is not counted as money; did you mean {similar}?", "unknown_money")
        return normalize_unit(unit)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs.get("model") is None:
            model = attrs.get("metadata", {}).get("model")
            attrs["model"] = model if isinstance(model, str) and 0 < len(model) <= SOURCE else None
        return attrs
