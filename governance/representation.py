"""Representation of arbitrations, decisions, permits and delegations (protocol §3, §9)."""

from rest_framework import serializers

from core.api.fields import JSONObjectField
from core.api.representation import ResponseSerializer
from governance.models import FallbackKind, PermitStatus, Status, Urgency


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
        "answer": None,
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
    answer = JSONObjectField(allow_null=True)
    decided_by = serializers.CharField()
    created_at = serializers.DateTimeField()


class ActionOut(ResponseSerializer):
    verb = serializers.CharField()
    target = serializers.CharField()
    params = JSONObjectField()
    effect_key = serializers.CharField(allow_null=True)


class VoteOut(ResponseSerializer):
    decided_by = serializers.CharField()
    decision = serializers.CharField()
    rationale = serializers.CharField(allow_null=True)
    counts = serializers.BooleanField(help_text="Whether it is about the version that the arbitration is bound to now.")
    created_at = serializers.DateTimeField()


class EscalationOut(ResponseSerializer):
    after_seconds = serializers.IntegerField()
    to = serializers.CharField()


class ToldOut(ResponseSerializer):
    to = serializers.CharField(allow_null=True, help_text="The person; null: whoever reads the channel.")
    channel_id = serializers.UUIDField()
    channel = serializers.CharField()
    kind = serializers.CharField()
    at = serializers.DateTimeField()


class InformationOut(ResponseSerializer):
    question = serializers.CharField()
    asked_by = serializers.CharField()
    asked_at = serializers.DateTimeField()
    answer = serializers.CharField(allow_null=True)
    answered_by = serializers.CharField(allow_null=True)
    answered_at = serializers.DateTimeField(allow_null=True)


class FallbackOut(ResponseSerializer):
    do = serializers.ChoiceField(FallbackKind.choices)
    decision = serializers.CharField(allow_null=True)
    answer = JSONObjectField(allow_null=True)


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
    action = ActionOut(allow_null=True)
    action_sha256 = serializers.CharField(allow_null=True, help_text="SHA-256 of the action's canonical JSON (RFC 8785).")
    bind_version = serializers.BooleanField()
    bind_paths = serializers.ListField(child=serializers.CharField())
    intent_version = serializers.IntegerField(allow_null=True, help_text="The version that those who decide were shown.")
    grants = serializers.ListField(child=serializers.CharField())
    permit_seconds = serializers.IntegerField(allow_null=True)
    quorum = serializers.IntegerField(allow_null=True)
    votes = VoteOut(source="known_votes", many=True)
    response_schema = JSONObjectField(allow_null=True)
    audience = serializers.ListField(child=serializers.CharField())
    urgency = serializers.ChoiceField(Urgency.choices)
    remind_after_seconds = serializers.ListField(child=serializers.IntegerField())
    escalation = EscalationOut(many=True)
    fallback = FallbackOut()
    told = ToldOut(many=True)
    assignee = serializers.CharField(allow_null=True, help_text="The person who looks after it, like user:grace.")
    information = InformationOut(many=True, help_text="What was asked back; the last one is open while it has no answer.")


class PermitOut(ResponseSerializer):
    # One that has ended is live until it is marked so (rule E-8).
    id = serializers.UUIDField()
    arbitration_id = serializers.UUIDField()
    decision_id = serializers.UUIDField()
    intent_id = serializers.UUIDField()
    agent_id = serializers.CharField()
    verb = serializers.CharField()
    target = serializers.CharField()
    action_sha256 = serializers.CharField()
    intent_version = serializers.IntegerField()
    status = serializers.ChoiceField(PermitStatus.choices)
    expires_at = serializers.DateTimeField()
    spent_at = serializers.DateTimeField(allow_null=True)
    outcome = serializers.CharField(allow_null=True, help_text="succeeded, failed or unknown; null: not recorded yet.")
    outcome_note = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()


class GateOut(ResponseSerializer):
    id = serializers.UUIDField()
    intent_id = serializers.UUIDField(allow_null=True)
    portfolio_id = serializers.UUIDField(allow_null=True)
    verb = serializers.CharField()
    when = JSONObjectField()
    quorum = serializers.IntegerField()
    deciders = serializers.ListField(child=serializers.CharField())
    permit_seconds = serializers.IntegerField(allow_null=True)
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()


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
