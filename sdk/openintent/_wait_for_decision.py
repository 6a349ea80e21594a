"""Waiting for a decision, short of I/O (protocol A-6)."""

from collections.abc import Generator
from dataclasses import replace
from random import random
from time import monotonic

from ._endpoint import Call
from ._request_flow import Attempt, Conversation, Outcome, Peer, T, conversation
from .enums import ArbitrationStatus
from .errors import (
    ConnectionFailedError,
    DecisionTimeoutError,
    InputValidationError,
    NotFoundError,
    OpenIntentError,
    RateLimitError,
    ServerError,
    UndecidedError,
)
from .models import Arbitration
from .resources._helpers import Id, as_id
from .resources.governance import GovernanceCalls

WAIT = 30
"""Seconds for which the server is asked to keep its answer back: less than a proxy's patience, which often is 60."""

LONGEST_PAUSE = 30.0
TOO_SOON = 1.0
"""An answer that was to be kept back and came within so many seconds: the server stops, and says so to all who wait."""


def deciding(intent_id: Id, arbitration_id: Id, timeout: float | None, peer: Peer) -> Conversation[Arbitration]:
    """Ask until there is a decision. What may pass, a restart of the server, say, is waited for."""
    once = replace(peer, retries=replace(peer.retries, tries=1))  # Here are the retries, with the time in view.
    clock = _Clock(timeout)
    intent = as_id(intent_id)
    failures, pause, wait = 0, 0.0, 0  # The first answer is not kept back: what is wrong, is wrong at once.
    while True:
        asked = monotonic() + pause
        try:
            found = yield from _after(pause, GovernanceCalls.get_arbitration(None, arbitration_id, wait=wait), once)
        except OpenIntentError as error:
            failures += 1
            pause = _pause(error, failures)
            clock.check(f"nothing could be learnt of the arbitration {arbitration_id} in {timeout} s ({error})", None)
        else:
            failures = 0
            _require_of(intent, found)
            if found.status == ArbitrationStatus.RESOLVED:
                return found
            _require_open(found)
            clock.check(f"the arbitration {arbitration_id} is not decided after {timeout} s", found)
            pause = 0.5 + random() if wait and monotonic() - asked < TOO_SOON else 0.0
        wait = int(max(0.0, min(WAIT, clock.left - pause)))
        pause = pause if wait else clock.left


class _Clock:
    def __init__(self, timeout: float | None) -> None:
        if timeout is not None and not timeout >= 0:
            raise InputValidationError("timeout must be a number of seconds, or None", field="timeout")
        self._until = float("inf") if timeout is None else monotonic() + timeout

    @property
    def left(self) -> float:
        return max(0.0, self._until - monotonic())

    def check(self, message: str, arbitration: Arbitration | None) -> None:
        if not self.left:
            raise DecisionTimeoutError(message, arbitration=arbitration, code="decision_timeout")


def _after(pause: float, call: Call[T], peer: Peer) -> Generator[Attempt, Outcome, T]:
    """A call that takes one attempt, and begins with a pause."""
    steps = conversation(call, peer)
    outcome = yield replace(next(steps), pause=pause)
    try:
        steps.send(outcome)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("one attempt, one answer")


def _pause(error: OpenIntentError, failures: int) -> float:
    """Seconds to wait after an error that may pass; any other is raised."""
    may_pass = isinstance(error, (ConnectionFailedError, RateLimitError)) or (
        isinstance(error, ServerError) and error.status_code in (502, 503, 504)
    )
    if not may_pass:
        raise error
    return (error.retry_after or 0.0) + min(0.5 * 2.0 ** min(failures - 1, 10), LONGEST_PAUSE) * (0.5 + random() / 2)


def _require_of(intent_id: str, arbitration: Arbitration) -> None:
    if arbitration.intent_id.lower() != intent_id.lower():
        raise NotFoundError(f"The intent {intent_id} has no arbitration {arbitration.id}.", code="not_found")


def _require_open(arbitration: Arbitration) -> None:
    if arbitration.status != ArbitrationStatus.PENDING:
        raise UndecidedError(
            f"There will be no decision on {arbitration.id}: it is {arbitration.status}.",
            arbitration=arbitration,
            code=f"arbitration_{arbitration.status}",
        )
