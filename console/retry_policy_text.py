"""An intent's retry policy in sentences (rules R-1 to R-3)."""

from datetime import timedelta

from console.templatetags.console import MINUTE, format_duration
from retries.backoff import backoff_delay
from retries.models import RetryPolicy, Strategy

MAX_DELAYS = 3  # Delays that are named.
MAX_ERRORS = 12  # Errors.


def describe_policy(policy: RetryPolicy) -> list[str]:
    return [_describe_attempts(policy), *_describe_errors(policy), *_describe_fallback(policy)]


def _describe_attempts(policy: RetryPolicy) -> str:
    count = policy.max_attempts
    if policy.strategy == Strategy.NONE or count == 1:
        return f"Up to {count} attempt{'s' if count > 1 else ''}. No automatic retries."
    seconds = [backoff_delay(policy, attempt, 1.0) for attempt in range(1, count)]
    delays = [f"{each:.3g}s" if each < MINUTE else format_duration(timedelta(seconds=each)) for each in seconds]
    shortened = ", randomly shortened by up to half" if policy.jitter else ""
    return f"Up to {count} attempts, {_describe_delays(delays)}{shortened} ({policy.strategy})."


def _describe_delays(delays: list[str]) -> str:
    if len(set(delays)) == 1:
        return f"{delays[0]} apart"
    rest = [f"… up to {delays[-1]}"] if len(delays) > MAX_DELAYS else []
    return f"retried after {', '.join([*delays[:MAX_DELAYS], *rest])}"


def _describe_errors(policy: RetryPolicy) -> list[str]:
    if not (errors := policy.retryable_errors):
        return []
    more = [f"{len(errors) - MAX_ERRORS} more"] if len(errors) > MAX_ERRORS else []
    return [f"Only these errors are retried: {', '.join([*errors[:MAX_ERRORS], *more])}."]


def _describe_fallback(policy: RetryPolicy) -> list[str]:
    """Return when the fallback agent takes over (RetryPolicy.falls_back_after)."""
    if not policy.fallback_agent_id:
        return []
    threshold = policy.failure_threshold
    if threshold is None:
        return [f"{policy.fallback_agent_id} takes over when no retries are left."]
    return [
        f"{policy.fallback_agent_id} takes over after {threshold} failure{'s' if threshold > 1 else ''}, "
        "or when no retries are left."
    ]
