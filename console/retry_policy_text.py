"""An intent's retry policy in sentences (rules R-1 to R-3)."""

from datetime import timedelta

from console.templatetags.console import MINUTE, format_duration
from retries.backoff import backoff_delay
from retries.models import RetryPolicy, Strategy

MAX_DELAYS = 3  # Delays that are named.
MAX_ERRORS = 12  # Errors.


def describe_policy(policy: RetryPolicy) -> list[str]:
    count = policy.max_attempts
    if policy.strategy == Strategy.NONE or count == 1:
        said = [f"Up to {count} attempt{'s' if count > 1 else ''}. No automatic retries."]
    else:
        seconds = [backoff_delay(policy, attempt, 1.0) for attempt in range(1, count)]
        delays = [f"{each:.3g}s" if each < MINUTE else format_duration(timedelta(seconds=each)) for each in seconds]
        rest = [f"… up to {delays[-1]}"] if len(delays) > MAX_DELAYS else []
        is_constant = len(set(delays)) == 1
        retried = f"{delays[0]} apart" if is_constant else f"retried after {', '.join([*delays[:MAX_DELAYS], *rest])}"
        shortened = ", randomly shortened by up to half" if policy.jitter else ""
        said = [f"Up to {count} attempts, {retried}{shortened} ({policy.strategy})."]
    if errors := policy.retryable_errors:
        more = [f"{len(errors) - MAX_ERRORS} more"] if len(errors) > MAX_ERRORS else []
        said.append(f"Only these errors are retried: {', '.join([*errors[:MAX_ERRORS], *more])}.")
    if policy.fallback_agent_id:  # As RetryPolicy.falls_back_after determines.
        failures = policy.failure_threshold
        early = f"after {failures} failure{'s' if failures > 1 else ''}, or " if failures is not None else ""
        said.append(f"{policy.fallback_agent_id} takes over {early}when no retries are left.")
    return said
