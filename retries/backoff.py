"""How long to wait before the next attempt (rule R-1). Pure: chance comes in as `draw`."""

import math
from collections.abc import Callable
from typing import Protocol


class BackoffPolicy(Protocol):
    """What a delay is made of; a RetryPolicy has it."""

    strategy: str
    base_delay_seconds: float
    max_delay_seconds: float
    backoff_multiplier: float
    jitter: bool


def backoff_delay(pace: BackoffPolicy, attempt: int, draw: float) -> float:
    """Seconds between the failed `attempt`, counted from 1, and the next. With jitter, `draw` (0 to 1) is where in 50–100 %."""
    seconds = min(_GROWTH[pace.strategy](pace, attempt), pace.max_delay_seconds)
    return seconds * (0.5 + draw / 2) if pace.jitter else seconds


def _exponential(pace: BackoffPolicy, attempt: int) -> float:
    if not pace.base_delay_seconds:
        return 0.0
    try:
        return pace.base_delay_seconds * pace.backoff_multiplier ** (attempt - 1)
    except OverflowError:
        return math.inf


_GROWTH: dict[str, Callable[[BackoffPolicy, int], float]] = {
    "none": lambda pace, attempt: 0.0,
    "fixed": lambda pace, attempt: pace.base_delay_seconds,
    "linear": lambda pace, attempt: pace.base_delay_seconds * attempt,
    "exponential": _exponential,
}
