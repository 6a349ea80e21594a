"""An intent's retry policy in sentences (rules R-1 to R-3)."""

from datetime import timedelta

from console.templatetags.console import MINUTE, in_short
from retries.backoff import backoff_delay
from retries.models import RetryPolicy, Strategy

FIRST = 3  # Delays that are named.
NAMED = 12  # Errors.


def in_words(policy: RetryPolicy) -> list[str]:
    return [_attempts(policy), *_errors(policy), *_fallback(policy)]


def _attempts(policy: RetryPolicy) -> str:
    count = policy.max_attempts
    if policy.strategy == Strategy.NONE or count == 1:
        return f"Up to {count} attempt{'s' if count > 1 else ''}. No automatic retries."
    delays = [_span(backoff_delay(policy, attempt, 1.0)) for attempt in range(1, count)]
    shortened = ", randomly shortened by up to half" if policy.jitter else ""
    return f"Up to {count} attempts, {_apart(delays)}{shortened} ({policy.strategy})."


def _apart(delays: list[str]) -> str:
    if len(set(delays)) == 1:
        return f"{delays[0]} apart"
    rest = [f"… up to {delays[-1]}"] if len(delays) > FIRST else []
    return f"retried after {', '.join([*delays[:FIRST], *rest])}"


def _span(seconds: float) -> str:
    return f"{seconds:.3g}s" if seconds < MINUTE else in_short(timedelta(seconds=seconds))


def _errors(policy: RetryPolicy) -> list[str]:
    if not (errors := policy.retryable_errors):
        return []
    more = [f"{len(errors) - NAMED} more"] if len(errors) > NAMED else []
    return [f"Only these errors are retried: {', '.join([*errors[:NAMED], *more])}."]


def _fallback(policy: RetryPolicy) -> list[str]:
    """When another agent takes over, as RetryPolicy.falls_back_after has it."""
    if not policy.fallback_agent_id:
        return []
    threshold = policy.failure_threshold
    if threshold is None:
        return [f"{policy.fallback_agent_id} takes over when no retries are left."]
    return [
        f"{policy.fallback_agent_id} takes over after {threshold} failure{'s' if threshold > 1 else ''}, "
        "or when no retries are left."
    ]
