"""Representation of portfolios and their members in responses (protocol §3)."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.fields import JSONObjectField
from core.api.representation import ResponseSerializer, nested
from intents.representation import AggregateStatusOut, IntentOut
from portfolios.models import Status


class PortfolioMemberOut(IntentOut):
    role = serializers.CharField()
    priority = serializers.IntegerField()

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Return the representation of an intent, which may be rendered already, and its membership."""
        intent, member = instance
        return {**nested(intent, IntentOut.render), "role": member.role, "priority": member.priority}


class PortfolioOut(ResponseSerializer):
    # The context has the rendered members (`intents`), the cursor of further ones (`intents_next`) and `aggregate_status`.
    id = serializers.UUIDField()
    version = serializers.IntegerField(min_value=1)
    name = serializers.CharField()
    description = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(Status.choices)
    governance_policy = JSONObjectField()
    metadata = JSONObjectField()
    intents = serializers.SerializerMethodField()
    intents_next = serializers.SerializerMethodField(
        help_text="If the members are too large for one response: the `cursor` of the next ones at `…/intents`. Else null.",
    )
    aggregate_status = serializers.SerializerMethodField()
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    @extend_schema_field(PortfolioMemberOut(many=True))
    def get_intents(self, portfolio: Any) -> Any:
        return self.context["intents"]

    def get_intents_next(self, portfolio: Any) -> str | None:
        return self.context["intents_next"]

    @extend_schema_field(AggregateStatusOut)
    def get_aggregate_status(self, portfolio: Any) -> Any:
        return self.context["aggregate_status"]
