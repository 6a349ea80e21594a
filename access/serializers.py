"""Serializers of API keys (protocol §1.1)."""

from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers

from access.models import MAX_NAME, ApiKey, Role
from core.agent_ids import AGENT_ID, INVALID_CHARACTERS, MAX_AGENT_ID, RESERVED_PATTERN, agent_id_problem
from core.api.fields import StrictCharField, StrictChoiceField, StrictDateTimeField
from core.api.serializers import StrictSerializer
from core.encoding import instant


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
    name = AgentId(max_length=MAX_NAME, help_text="Actor of requests that name no agent.")
    role = StrictChoiceField(Role.choices)
    agent_id = AgentId(required=False, allow_null=True, help_text="Binds the key to this agent.")
    expires_at = StrictDateTimeField(required=False, allow_null=True)

    def validate_expires_at(self, value: Any) -> Any:
        if value is not None and value <= timezone.now():
            raise serializers.ValidationError("must be in the future", "in_the_past")
        return value


class KeyOut(serializers.Serializer[ApiKey]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices)
    agent_id = serializers.CharField(allow_null=True)
    prefix = serializers.CharField(help_text="First characters of the key, to tell keys apart.")
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)


class NewKeyOut(KeyOut):
    key = serializers.CharField(help_text="The key itself, shown only once.")


def key_body(row: ApiKey) -> dict[str, Any]:
    """Represent a key, without its secret."""
    return {
        "id": str(row.id),
        "name": row.name,
        "role": row.role,
        "agent_id": row.agent_id,
        "prefix": row.prefix,
        "created_by": row.created_by,
        "created_at": instant(row.created_at),
        "expires_at": instant(row.expires_at),
        "last_used_at": instant(row.last_used_at),
        "revoked_at": instant(row.revoked_at),
    }
