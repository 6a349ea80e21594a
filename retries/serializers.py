"""Request bodies of retry policies and failures (protocol §3)."""

from functools import partial
from typing import Any

from rest_framework import serializers

from access.serializers import AgentId
from core.api.fields import (
    VISIBLE,
    JSONObjectField,
    StrictBooleanField,
    StrictCharField,
    StrictChoiceField,
    StrictFloatField,
    StrictIntegerField,
    StrictListField,
)
from core.api.serializers import StrictSerializer
from intents.serializers import ActorBody
from retries.models import MAX_ERROR_TYPE, Strategy

MAX_ATTEMPTS = 100
DAY, WEEK = 86_400, 604_800  # Seconds.
DEFAULT_MAX_DELAY = 300.0
MAX_MESSAGE = 10_000
MAX_ATTEMPT_NUMBER = 1_000_000


ErrorType = partial(StrictCharField, max_length=MAX_ERROR_TYPE, pattern=VISIBLE, pattern_message="cannot be empty")
"""A short name of the error: `timeout`, `rate_limit`."""


class SetRetryPolicy(ActorBody):
    aliases = {"max_retries": "max_attempts", "base_delay_ms": "base_delay_seconds", "max_delay_ms": "max_delay_seconds"}
    example = {
        "max_attempts": 5,
        "base_delay_seconds": 1.0,
        "max_delay_seconds": 60.0,
        "backoff_multiplier": 2.0,
        "retryable_errors": ["timeout", "rate_limit", "temporary_failure"],
        "fallback_agent_id": "agent:backup",
    }

    strategy = StrictChoiceField(Strategy.choices, default=Strategy.EXPONENTIAL.value)
    max_attempts = StrictIntegerField(min_value=1, max_value=MAX_ATTEMPTS, default=3)
    base_delay_seconds = StrictFloatField(min_value=0, max_value=DAY, default=1.0)
    max_delay_seconds = StrictFloatField(
        min_value=0,
        max_value=WEEK,
        required=False,
        help_text="At least base_delay_seconds. Default: 300, or base_delay_seconds if that is more.",
    )
    backoff_multiplier = StrictFloatField(min_value=1, max_value=100, default=2.0)
    jitter = StrictBooleanField(default=True)
    retryable_errors = StrictListField(
        child=ErrorType(), max_length=100, default=list, help_text="Empty: every error is retryable."
    )
    fallback_agent_id = AgentId(allow_null=True, default=None, help_text="The agent that takes over from a failed one.")
    failure_threshold = StrictIntegerField(
        min_value=1,
        max_value=MAX_ATTEMPTS,
        allow_null=True,
        default=None,
        help_text="Number of failures of an agent after which the fallback takes over, at the latest after all attempts. "
        "Null: when its retries are exhausted. With the strategy none, after the first failure.",
    )

    def _resolve_aliases(self, data: dict[str, Any], errors: dict[str, Any]) -> dict[str, Any]:
        in_seconds = {name: _seconds(value) if name.endswith("_ms") else value for name, value in data.items()}
        return super()._resolve_aliases(in_seconds, errors)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        base = attrs["base_delay_seconds"]
        if attrs.setdefault("max_delay_seconds", max(base, DEFAULT_MAX_DELAY)) < base:
            raise serializers.ValidationError({"max_delay_seconds": "cannot be less than base_delay_seconds"}, "below_base_delay")
        if attrs["failure_threshold"] is not None and attrs["fallback_agent_id"] is None:
            message = "has no effect without a fallback_agent_id"
            raise serializers.ValidationError({"failure_threshold": message}, "no_fallback")
        return attrs


def _seconds(milliseconds: Any) -> Any:
    """Return the seconds of a number; anything else as it is, for the field to refuse."""
    is_number = isinstance(milliseconds, int | float) and not isinstance(milliseconds, bool)
    return milliseconds / 1000 if is_number and abs(milliseconds) <= WEEK * 1000 else milliseconds


class RecordFailure(StrictSerializer):
    aliases = {"error_code": "error_type", "attempt_number": "attempt"}
    example = {"error_type": "rate_limit", "error_message": "API rate limit exceeded", "attempt": 1, "will_retry": True}

    error_type = ErrorType()
    error_message = StrictCharField(max_length=MAX_MESSAGE, required=False, allow_null=True, allow_blank=True)
    attempt = StrictIntegerField(
        min_value=1,
        max_value=MAX_ATTEMPT_NUMBER,
        required=False,
        allow_null=True,
        help_text="Null, or less than the next number: one more than the last.",
    )
    will_retry = StrictBooleanField(required=False, allow_null=True, help_text="Null: by the policy.")
    metadata = JSONObjectField(required=False)
    agent_id = AgentId(required=False, help_text="The agent that failed, if neither the key nor X-Agent-ID names it.")
