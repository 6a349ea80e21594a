"""Errors that pass, and how long to wait for that."""

import logging
import threading
from collections.abc import Callable
from random import random
from typing import TypeVar

from .errors import ConnectionFailedError, OpenIntentError, RateLimitError, ServerError

T = TypeVar("T")

PASSING = (ConnectionFailedError, ServerError, RateLimitError)
LONGEST = 15.0

log = logging.getLogger("openintent.agents")


class StoppedError(Exception):
    """The agent is stopped, and does not wait any more."""


def pause(tries: int, error: OpenIntentError | None = None) -> float:
    """Seconds to wait after so many tries: half a second, doubling up to 15, with jitter, on top of what the server asks for."""
    asked = (error and error.retry_after) or 0.0
    return asked + min(0.5 * 2.0 ** min(tries - 1, 10), LONGEST) * (0.5 + random() / 2)


def patiently(step: Callable[[], T], stopping: threading.Event) -> T:
    """Do it, as often as it takes until the server answers. Raises StoppedError, and what does not pass."""
    tries = 0
    while True:
        try:
            return step()
        except PASSING as error:
            tries += 1
            log.info("Once more in a moment: %s", error)
            if stopping.wait(pause(tries, error)):
                raise StoppedError from None
