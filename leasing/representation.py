"""Representation of leases (protocol §3)."""

from rest_framework import serializers

from core.api.representation import ResponseSerializer
from leasing.models import Status


class LeaseOut(ResponseSerializer):
    # An overdue lease is active until it is marked expired (rule E-8).
    example = {
        "id": "0199f3a2-7c45-7a08-8b1f-6c2d9e4f7a10",
        "intent_id": "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21",
        "agent_id": "agent:research",
        "scope": "content.draft",
        "status": "active",
        "fencing_token": 1,
        "acquired_at": "2027-01-15T09:30:00.000000Z",
        "expires_at": "2027-01-15T09:35:00.000000Z",
        "released_at": None,
    }

    id = serializers.UUIDField()
    intent_id = serializers.UUIDField()
    agent_id = serializers.CharField()
    scope = serializers.CharField()
    status = serializers.ChoiceField(Status.choices)
    fencing_token = serializers.IntegerField()
    acquired_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    released_at = serializers.DateTimeField(allow_null=True)
