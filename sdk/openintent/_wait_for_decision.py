"""Waiting for a decision, without I/O (protocol A-6)."""

import logging
from collections.abc import Callable
from dataclasses import replace
from random import random
from time import monotonic
from typing import Any

from ._backoff import backoff
from ._call import Call
from ._parameters import Id, as_id
from ._request_flow import RequestFlow, ServerContext, is_transient, request_flow
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

log = logging.getLogger("openintent")

WAIT = 30
"""Seconds for which the server is asked to hold its response: less than a proxy's timeout, which often is 60."""

MAX_PAUSE = 30.0
EARLY_RESPONSE = 1.0
"""Seconds: a held response that comes sooner means that the server is stopping and answers all who wait."""


def decision_flow(
    read: Callable[[int], Call[Arbitration]], intent_id: Id, timeout: float | None, server: ServerContext
) -> RequestFlow[Arbitration]:
    """Poll until there is a decision, and return the arbitration. Transient errors, such as a restart of the server, are retried.

    `read` returns the call that reads the arbitration, held by the server for so many seconds.

    Raise UndecidedError if there will be no decision, DecisionTimeoutError if there is none after `timeout` seconds.
    """
    once = replace(server, retries=replace(server.retries, max_tries=1))  # Retries happen here, within the timeout.
    deadline = _Deadline(timeout)
    intent = as_id(intent_id).lower()
    is_said = False
    failures, pause, wait = 0, 0.0, 0  # The first response is not held: errors show at once.
    while True:
        expected = monotonic() + pause
        try:
            found = yield from request_flow(read(wait), once, pause)
        except OpenIntentError as error:
            is_down = isinstance(error, ServerError) and is_transient(error.status_code or 0)
            if not (is_down or isinstance(error, (ConnectionFailedError, RateLimitError))):
                raise
            failures += 1
            pause = (error.retry_after or 0.0) + backoff(failures, longest=MAX_PAUSE)
            deadline.check(f"the arbitration could not be read within {timeout} s ({error})", None)
        else:
            failures = 0
            if found.intent_id.lower() != intent:
                raise NotFoundError(f"The intent {as_id(intent_id)} has no arbitration {found.id}.", code="not_found")
            if found.status == ArbitrationStatus.RESOLVED:
                return found
            if found.status != ArbitrationStatus.PENDING:
                raise UndecidedError(
                    f"There will be no decision on {found.id}: it is {found.status}.",
                    arbitration=found,
                    code=f"arbitration_{found.status}",
                )
            if not is_said:
                page = f"{server.root}/admin/governance/arbitration/{found.id}/change/"
                log.info("Waiting for a decision on %r: %s", found.reason, page)
                is_said = True
            deadline.check(f"the arbitration {found.id} is still pending after {timeout} s", found)
            pause = 0.5 + random() if wait and monotonic() - expected < EARLY_RESPONSE else 0.0
        wait = int(max(0.0, min(WAIT, deadline.left - pause)))
        pause = pause if wait else deadline.left


def answer_flow(
    request: Call[Arbitration], read: Callable[..., Call[Arbitration]], timeout: float | None, server: ServerContext
) -> RequestFlow[Any]:
    """Send the request, wait for the decision, and return its answer, or its text if the question has no schema.

    `read` returns the call that reads the arbitration with this id, held by the server for `wait` seconds.
    """
    asked = yield from request_flow(request, server)
    found = yield from decision_flow(lambda wait: read(asked.id, wait=wait), asked.intent_id, timeout, server)
    if found.decision is None:
        raise UndecidedError(f"The decision on {found.id} is missing.", arbitration=found, code="arbitration_resolved")
    return answer_of(found)


def answer_of(asked: Arbitration) -> Any:
    """Return the answer to a question, or the decision's text if it has no schema; None if it is not decided."""
    if asked.decision is None:
        return None
    return asked.decision.decision if asked.response_schema is None else asked.decision.answer


class _Deadline:
    def __init__(self, timeout: float | None) -> None:
        if timeout is not None and not timeout >= 0:
            raise InputValidationError("timeout must be a number of seconds, or None", field="timeout")
        self._until = float("inf") if timeout is None else monotonic() + timeout

    @property
    def left(self) -> float:
        return max(0.0, self._until - monotonic())

    def check(self, message: str, arbitration: Arbitration | None) -> None:
        """Raise DecisionTimeoutError if the time is over."""
        if not self.left:
            raise DecisionTimeoutError(message, arbitration=arbitration, code="decision_timeout")
