"""Backoff: the delay before the next attempt (rule R-1). Pure: randomness is passed in as `draw`."""

import math
from collections.abc import Callable
from typing import Protocol


class BackoffPolicy(Protocol):
    """The fields of a RetryPolicy that determine the delay."""

    strategy: str
    base_delay_seconds: float
    max_delay_seconds: float
    backoff_multiplier: float
    jitter: bool


def backoff_delay(policy: BackoffPolicy, attempt: int, draw: float) -> float:
    """Return the seconds between the failed `attempt`, counted from 1, and the next. Jitter takes 50–100 % of it by `draw` (0 to 1)."""
    seconds = min(_STRATEGIES[policy.strategy](policy, attempt), policy.max_delay_seconds)
    return seconds * (0.5 + draw / 2) if policy.jitter else seconds


def _exponential(policy: BackoffPolicy, attempt: int) -> float:
    if not policy.base_delay_seconds:
        return 0.0
    try:
        return policy.base_delay_seconds * policy.backoff_multiplier ** (attempt - 1)
    except OverflowError:
        return math.inf


_STRATEGIES: dict[str, Callable[[BackoffPolicy, int], float]] = {
    "none": lambda policy, attempt: 0.0,
    "fixed": lambda policy, attempt: policy.base_delay_seconds,
    "linear": lambda policy, attempt: policy.base_delay_seconds * attempt,
    "exponential": _exponential,
}
