"""Representation of arbitrations, decisions and delegations (protocol §3)."""

from rest_framework import serializers

from core.api.fields import JSONObjectField
from core.api.representation import ResponseSerializer
from governance.models import Status


class ArbitrationOptionOut(ResponseSerializer):
    label = serializers.CharField()  # type: ignore[assignment]
    rationale = serializers.CharField(allow_null=True)


class EvidenceOut(ResponseSerializer):
    source = serializers.CharField()  # type: ignore[assignment]
    summary = serializers.CharField(allow_null=True)


class DecisionOut(ResponseSerializer):
    example = {
        "id": "0199f3a2-7c45-7a08-8b1f-6c2d9e4f7a10",
        "intent_id": "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21",
        "arbitration_id": "0199f3a2-7c49-7b11-9c30-8d4e6f5a2b32",
        "decision": "option_a",
        "rationale": "Option A better aligns with the business objectives",
        "decision_type": "arbitration",
        "evidence": [{"source": "cost report", "summary": "A costs half of B"}],
        "decided_by": "ada",
        "created_at": "2027-01-15T09:30:00.000000Z",
    }

    id = serializers.UUIDField()
    intent_id = serializers.UUIDField()
    arbitration_id = serializers.UUIDField(allow_null=True)
    decision = serializers.CharField()
    rationale = serializers.CharField(allow_null=True)
    decision_type = serializers.CharField()
    evidence = EvidenceOut(many=True)
    decided_by = serializers.CharField()
    created_at = serializers.DateTimeField()


class ArbitrationOut(ResponseSerializer):
    # An overdue one is pending until it is marked expired (rule E-8).
    id = serializers.UUIDField()
    intent_id = serializers.UUIDField()
    requester_id = serializers.CharField()
    reason = serializers.CharField()
    context = JSONObjectField()  # type: ignore[assignment]
    options = ArbitrationOptionOut(many=True)
    blocking = serializers.BooleanField()
    expires_at = serializers.DateTimeField(allow_null=True)
    status = serializers.ChoiceField(Status.choices)
    decision = DecisionOut(source="resolution", allow_null=True)
    created_at = serializers.DateTimeField()
    resolved_at = serializers.DateTimeField(allow_null=True, help_text="When it was decided or withdrawn.")


class DelegationScopeOut(ResponseSerializer):
    intents = serializers.ListField(child=serializers.UUIDField())
    portfolios = serializers.ListField(child=serializers.UUIDField())
    actions = serializers.ListField(child=serializers.CharField())


class DelegationOut(ResponseSerializer):
    id = serializers.UUIDField()
    delegator = serializers.CharField()
    delegate = serializers.CharField()
    scope = DelegationScopeOut()
    constraints = JSONObjectField()
    expires_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
