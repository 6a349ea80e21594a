"""Representation of costs and their summaries (protocol §3)."""

from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from core.api.representation import ResponseSerializer
from costs.amounts import TRILLIONTHS, json_amount


@extend_schema_field({"type": "number", "minimum": 0})
class ExactNumber(serializers.Field[Any, Any, Any, Any]):
    """A number with all its digits."""


class CostOut(ResponseSerializer):
    example = {
        "id": "0199f3a2-7c45-7a08-8b1f-6c2d9e4f7a10",
        "intent_id": "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21",
        "agent_id": "agent:research",
        "cost_type": "api_call",
        "amount": 0.05,
        "unit": "USD",
        "provider": "openai",
        "model": "gpt-4",
        "metadata": {"tokens": 1500},
        "recorded_at": "2027-01-15T09:30:00.000000Z",
    }

    id = serializers.UUIDField()
    intent_id = serializers.UUIDField()
    agent_id = serializers.CharField()
    cost_type = serializers.CharField()
    amount = serializers.SerializerMethodField()
    unit = serializers.CharField()
    provider = serializers.CharField(allow_null=True)
    model = serializers.CharField(allow_null=True)
    metadata = serializers.DictField()
    recorded_at = serializers.DateTimeField()

    @extend_schema_field(ExactNumber)
    def get_amount(self, cost: Any) -> Any:
        return json_amount(cost.whole * TRILLIONTHS + cost.parts)


class CostSummaryOut(ResponseSerializer):
    unit = serializers.CharField(
        allow_null=True, help_text="USD if any cost is money; else the only unit; null if there are several."
    )
    total = ExactNumber(allow_null=True)
    by_type = serializers.DictField(child=ExactNumber())
    by_agent = serializers.DictField(child=ExactNumber())
    by_provider = serializers.DictField(child=ExactNumber(), help_text="Without costs that have no provider.")
    by_model = serializers.DictField(child=ExactNumber(), help_text="Without costs that have no model.")
    by_unit = serializers.DictField(child=ExactNumber(), help_text="Each unit separately.")
    count = serializers.IntegerField()


@extend_schema_serializer(many=False)
class CostPage(ResponseSerializer):
    costs = CostOut(many=True)
    summary = CostSummaryOut(help_text="Of all costs, regardless of page and filters.")
    next = serializers.CharField(allow_null=True, help_text="The cursor of the next page; null on the last one.")
