from typing import Any

from django.utils import timezone
from rest_framework import serializers

from access.callers import MAX_AGENT_ID
from access.models import MAX_NAME, ApiKey, Role
from config.api import Body
from config.fields import Text
from config.wire import instant


class CreateKey(Body):
    name = Text(max_length=MAX_NAME, trim_whitespace=True)
    role = serializers.ChoiceField(choices=Role.choices)
    agent_id = Text(max_length=MAX_AGENT_ID, required=False, allow_null=True, help_text="Binds the key to this agent.")
    expires_at = serializers.DateTimeField(required=False, allow_null=True)

    def validate_expires_at(self, value: Any) -> Any:
        if value is not None and value <= timezone.now():
            raise serializers.ValidationError("lies in the past")
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
