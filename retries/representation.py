"""Representation of retry policies and failures (protocol §3)."""

from typing import Any

from rest_framework import serializers

from core.api.representation import ResponseSerializer
from retries.models import RetryPolicy, Strategy


class RetryPolicyOut(ResponseSerializer):
    intent_id = serializers.UUIDField()
    strategy = serializers.ChoiceField(Strategy.choices)
    max_attempts = serializers.IntegerField()
    base_delay_seconds = serializers.FloatField()
    max_delay_seconds = serializers.FloatField()
    backoff_multiplier = serializers.FloatField()
    jitter = serializers.BooleanField()
    retryable_errors = serializers.ListField(child=serializers.CharField())
    fallback_agent_id = serializers.CharField(allow_null=True)
    failure_threshold = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


def policy_settings(policy: RetryPolicy) -> dict[str, Any]:
    """Return the settings of a policy by the names of their fields."""
    others = ("intent_id", "created_at", "updated_at")
    return {name: value for name, value in RetryPolicyOut.render(policy).items() if name not in others}


class FailureOut(ResponseSerializer):
    id = serializers.UUIDField()
    intent_id = serializers.UUIDField()
    agent_id = serializers.CharField()
    error_type = serializers.CharField()
    error_message = serializers.CharField(allow_null=True)
    attempt = serializers.IntegerField()
    will_retry = serializers.BooleanField()
    retry_at = serializers.DateTimeField(allow_null=True, help_text="When the server writes `retry_due`.")
    resolved_at = serializers.DateTimeField(allow_null=True, help_text="When the intent was completed.")
    metadata = serializers.DictField()
    created_at = serializers.DateTimeField()
