"""Retry policies and failures."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..enums import RetryStrategy
from ..errors import InputValidationError
from ._values import (
    require_bool,
    require_mapping,
    require_number,
    require_one_of,
    require_text,
    validate_agent_id,
    validate_whole_number,
)

ERROR_TYPE_LENGTH = 200
ERROR_MESSAGE_LENGTH = 10_000
ATTEMPT = (1, 1_000_000)
RETRIES = (1, 100)
BASE_DELAY = (0, 86_400)
MAX_DELAY = (0, 604_800)
BACKOFF = (1, 100)
RETRYABLE_ERRORS = 100


def validate_retry_policy(**policy: Any) -> None:
    """Check the settings of a retry policy, as `set_retry_policy` takes them."""
    require_one_of(policy.get("strategy", RetryStrategy.NONE), "strategy", RetryStrategy)
    for name in policy.keys() & {"max_attempts", "failure_threshold"}:
        validate_whole_number(policy[name], name, *RETRIES)
    limits = {"base_delay_seconds": BASE_DELAY, "max_delay_seconds": MAX_DELAY, "backoff_multiplier": BACKOFF}
    for name in policy.keys() & limits.keys():
        require_number(policy[name], name, *limits[name])
    require_bool(policy.get("jitter", True), "jitter")
    errors = policy.get("retryable_errors", [])
    if isinstance(errors, str) or not isinstance(errors, Sequence) or len(errors) > RETRYABLE_ERRORS:
        raise InputValidationError(
            f"retryable_errors must be a list of at most {RETRYABLE_ERRORS} error types", field="retryable_errors"
        )
    for error_type in errors:
        require_text(error_type, "retryable_errors", ERROR_TYPE_LENGTH)
    if "fallback_agent_id" in policy:
        validate_agent_id(policy["fallback_agent_id"], "fallback_agent_id")
    if policy.get("failure_threshold") is not None and policy.get("fallback_agent_id") is None:
        raise InputValidationError(
            "failure_threshold has no effect without a fallback_agent_id, the agent that takes over after so many failures",
            field="failure_threshold",
        )
    if policy.get("max_delay_seconds", MAX_DELAY[1]) < policy.get("base_delay_seconds", 1):
        raise InputValidationError("max_delay_seconds cannot be less than base_delay_seconds", field="max_delay_seconds")


def validate_failure(
    error_type: str,
    error_message: str | None = None,
    *,
    attempt: int | None = None,
    will_retry: bool | None = None,
    metadata: Mapping[str, Any] | None = None,
    agent_id: str | None = None,
) -> None:
    """Check a failure to record: an error type of 1 to 200 characters, an attempt from 1."""
    require_text(error_type, "error_type", ERROR_TYPE_LENGTH)
    if error_message is not None:
        require_text(error_message, "error_message", ERROR_MESSAGE_LENGTH, empty=True)
    if attempt is not None:
        validate_whole_number(attempt, "attempt", *ATTEMPT)
    if will_retry is not None:
        require_bool(will_retry, "will_retry")
    if metadata is not None:
        require_mapping(metadata, "metadata")
    if agent_id is not None:
        validate_agent_id(agent_id)
