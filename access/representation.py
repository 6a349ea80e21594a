"""Representation of API keys (protocol §3)."""

from rest_framework import serializers

from access.models import ApiKey, Role
from core.api.representation import ResponseSerializer


class ApiKeyOut(ResponseSerializer):
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


class NewApiKeyOut(ApiKeyOut):
    key = serializers.SerializerMethodField(help_text="The key itself, shown only once.")

    def get_key(self, row: ApiKey) -> str:
        return str(self.context["key"])
