"""Serializers of API keys (protocol §1.1)."""

from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers

from access.models import MAX_NAME, Role
from core.agent_ids import AGENT_ID, INVALID_CHARACTERS, MAX_AGENT_ID, RESERVED_PATTERN, agent_id_problem
from core.api.fields import StrictCharField, StrictChoiceField, StrictDateTimeField
from core.api.serializers import StrictSerializer


class AgentId(StrictCharField):
    """Field of an agent id: not reserved, and without invisible characters (protocol §1.1)."""

    json_schema: ClassVar[dict[str, Any]] = {"not": {"pattern": RESERVED_PATTERN}}

    def __init__(self, max_length: int = MAX_AGENT_ID, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, pattern=rf"\A{AGENT_ID.pattern}\Z", pattern_message=INVALID_CHARACTERS, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data)
        problem = agent_id_problem(value)
        if problem and problem.code != "invalid":  # Validators check length and pattern, so that the schema shows them.
            raise serializers.ValidationError(*problem)
        return value


class CreateKey(StrictSerializer):
    example = {"name": "nightly report", "role": "agent", "agent_id": "agent:report"}

    name = AgentId(max_length=MAX_NAME, help_text="Actor of requests that name no agent.")
    role = StrictChoiceField(Role.choices)
    agent_id = AgentId(required=False, allow_null=True, help_text="Binds the key to this agent.")
    expires_at = StrictDateTimeField(required=False, allow_null=True)

    def validate_expires_at(self, value: Any) -> Any:
        if value is not None and value <= timezone.now():
            raise serializers.ValidationError("must be in the future", "in_the_past")
        return value
