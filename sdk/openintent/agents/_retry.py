"""Retries of an agent's own requests, until the server answers or the agent stops."""

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from .._backoff import backoff
from ..errors import ConnectionFailedError, OpenIntentError, RateLimitError, ServerError

T = TypeVar("T")

TRANSIENT_ERRORS = (ConnectionFailedError, ServerError, RateLimitError)
MAX_DELAY = 15.0

log = logging.getLogger("openintent.agents")


class StoppedError(Exception):
    """The agent is stopping and no longer waits for the server."""


def retry_delay(tries: int, error: OpenIntentError | None = None) -> float:
    """Return the seconds to wait after so many tries: half a second, doubled up to 15, with jitter, plus the error's `retry_after`."""
    return ((error and error.retry_after) or 0.0) + backoff(tries, longest=MAX_DELAY)


def retry_until_stopped(step: Callable[[], T], stopping: threading.Event) -> T:
    """Return what `step` returns, repeating it after transient errors.

    Raise StoppedError once `stopping` is set, and any error that is not transient.
    """
    tries = 0
    while True:
        try:
            return step()
        except OpenIntentError as error:
            if not isinstance(error, TRANSIENT_ERRORS) and error.code != "request_in_progress":
                raise
            tries += 1
            log.info("Retrying soon: %s", error)
            if stopping.wait(retry_delay(tries, error)):
                raise StoppedError from None
        except RuntimeError:
            if stopping.is_set():  # The agent's client was closed meanwhile.
                raise StoppedError from None
            raise
