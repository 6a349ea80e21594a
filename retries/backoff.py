"""Backoff: the delay before the next attempt (rule R-1). Pure: randomness is passed in as `draw`."""

import math
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
    seconds = 0.0 if policy.strategy == "none" else policy.base_delay_seconds
    if policy.strategy == "linear":
        seconds *= attempt
    elif policy.strategy == "exponential" and seconds:
        try:
            seconds *= policy.backoff_multiplier ** (attempt - 1)
        except OverflowError:
            seconds = math.inf
    seconds = min(seconds, policy.max_delay_seconds)
    return seconds * (0.5 + draw / 2) if policy.jitter else seconds
