from typing import Any, ClassVar

from django.utils import timezone
from rest_framework import serializers

from access.models import MAX_NAME, ApiKey, Role
from core.agent_ids import AGENT_ID, LOOKS, MAX_AGENT_ID, RESERVED, agent_id_problem
from core.api.fields import StrictCharField, StrictChoiceField, StrictDateTimeField
from core.api.serializers import StrictSerializer
from core.encoding import instant


class AgentId(StrictCharField):
    """Who acts, or whom something is given to: free text without surprises, and never the server or a person (protocol §1.1)."""

    json_schema: ClassVar[dict[str, Any]] = {"not": {"pattern": RESERVED}}

    def __init__(self, max_length: int = MAX_AGENT_ID, **kwargs: Any) -> None:
        super().__init__(max_length=max_length, pattern=rf"\A{AGENT_ID.pattern}\Z", looks=LOOKS, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data)
        problem = agent_id_problem(value)
        if problem and problem.code != "invalid":  # Length and pattern are for the validators, which the schema shows.
            raise serializers.ValidationError(*problem)
        return value


class CreateKey(StrictSerializer):
    name = AgentId(max_length=MAX_NAME, help_text="Who acts, where nothing else says it.")
    role = StrictChoiceField(Role.choices)
    agent_id = AgentId(required=False, allow_null=True, help_text="Binds the key to this agent.")
    expires_at = StrictDateTimeField(required=False, allow_null=True)

    def validate_expires_at(self, value: Any) -> Any:
        if value is not None and value <= timezone.now():
            raise serializers.ValidationError("lies in the past", "in_the_past")
        return value


class KeyOut(serializers.Serializer[ApiKey]):
    id = serializers.UUIDField()
    name = serializers.CharField()
    role = serializers.ChoiceField(choices=Role.choices)
    agent_id = serializers.CharField(allow_null=True)
    prefix = serializers.CharField(help_text="The beginning of the key, to tell keys apart.")
    created_by = serializers.CharField()
    created_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField(allow_null=True)
    last_used_at = serializers.DateTimeField(allow_null=True)
    revoked_at = serializers.DateTimeField(allow_null=True)


class NewKeyOut(KeyOut):
    key = serializers.CharField(help_text="The key itself. This is the only time that it is shown.")


def key_body(row: ApiKey) -> dict[str, Any]:
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
