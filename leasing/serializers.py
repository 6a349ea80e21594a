"""Bodies, in and out (protocol §3)."""

from datetime import timedelta
from typing import Any

from rest_framework import serializers

from access.serializers import AgentId
from core.api.fields import StrictCharField, StrictIntegerField
from core.api.serializers import StrictSerializer
from leasing.models import Status
from leasing.scopes import MAX_LENGTH, MESSAGE, PATTERN

SHORTEST, DEFAULT, LONGEST = 1, 300, 86_400
MAX_REASON = 2_000


class Seconds(StrictIntegerField):
    """How long a lease lasts (rule L-2)."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=SHORTEST, max_value=LONGEST, default=DEFAULT, **kwargs)


class Lasting(StrictSerializer):
    """What a lease is asked for with: `duration` is its `duration_seconds`."""

    duration_seconds = Seconds()
    agent_id = AgentId(required=False)

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        values = super().to_internal_value(data)
        duration = timedelta(seconds=values.pop("duration_seconds"))
        return {**values, "duration": duration}


class AcquireLease(Lasting):
    scope = StrictCharField(max_length=MAX_LENGTH, pattern=PATTERN, looks=MESSAGE)


class RenewLease(Lasting):
    pass


class RevokeLease(StrictSerializer):
    reason = StrictCharField(max_length=MAX_REASON, required=False, allow_null=True, allow_blank=True)


class LeaseOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    intent_id = serializers.UUIDField()
    agent_id = serializers.CharField()
    scope = serializers.CharField()
    status = serializers.ChoiceField(Status.choices)
    fencing_token = serializers.IntegerField()
    acquired_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    released_at = serializers.DateTimeField(allow_null=True)
