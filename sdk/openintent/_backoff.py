"""Exponential backoff with jitter, for requests, streams, agents and adapters."""

from collections.abc import Callable
from math import inf
from random import random


def exponential_delay(failures: int, *, base: float = 0.5, longest: float = inf) -> float:
    """Return `base` seconds after the first failure, doubled with each further one, up to `longest`."""
    return min(base * 2.0 ** min(failures - 1, 16), longest)


def backoff(failures: int, *, base: float = 0.5, longest: float = inf, jitter: Callable[[], float] = random) -> float:
    """Return the seconds to wait after so many failures in a row: half to all of the exponential delay."""
    return exponential_delay(failures, base=base, longest=longest) * (0.5 + jitter() / 2)
