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


class LeasePlaceOut(ResponseSerializer):
    example = {
        "id": "0199f3a2-7c45-7a08-8b1f-6c2d9e4f7a11",
        "position": 1,
        "waits_until": "2027-01-15T09:30:05.000000Z",
        "lease": None,
        "existing_lease": LeaseOut.example,
    }

    id = serializers.UUIDField(allow_null=True)
    position = serializers.IntegerField(min_value=0, help_text="1 is next. 0 with a `lease`.")
    waits_until = serializers.DateTimeField(allow_null=True, help_text="Ask again before this time, or lose the place.")
    lease = LeaseOut(allow_null=True, help_text="The lease, once it is granted.")
    existing_lease = LeaseOut(
        allow_null=True, help_text="A lease that is in the way; null if only agents that wait for more are."
    )
