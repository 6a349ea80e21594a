"""Representation of retry policies and failures in responses."""

from typing import Any

from core.encoding import identifier, instant
from retries.models import Failure, RetryPolicy

SETTINGS = (
    "strategy",
    "max_attempts",
    "base_delay_seconds",
    "max_delay_seconds",
    "backoff_multiplier",
    "jitter",
    "retryable_errors",
    "fallback_agent_id",
    "failure_threshold",
)
"""The settings of a policy, each a field of RetryPolicy."""


def policy_settings(policy: RetryPolicy) -> dict[str, Any]:
    return {name: getattr(policy, name) for name in SETTINGS}


def policy_body(policy: RetryPolicy) -> dict[str, Any]:
    return {
        "intent_id": identifier(policy.intent_id),
        **policy_settings(policy),
        "created_at": instant(policy.created_at),
        "updated_at": instant(policy.updated_at),
    }


def failure_body(failure: Failure) -> dict[str, Any]:
    return {
        "id": identifier(failure.pk),
        "intent_id": identifier(failure.intent_id),
        "agent_id": failure.agent_id,
        "error_type": failure.error_type,
        "error_message": failure.error_message,
        "attempt": failure.attempt,
        "will_retry": failure.will_retry,
        "retry_at": instant(failure.retry_at),
        "resolved_at": instant(failure.resolved_at),
        "metadata": failure.metadata,
        "created_at": instant(failure.created_at),
    }
