"""Attempts at an assignment, from the start to the completed intent or the recorded failure."""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import replace
from time import monotonic
from typing import Any, NoReturn, TypeVar

from ..client import OpenIntentClient
from ..enums import IntentStatus
from ..errors import ConflictError, LeaseConflictError
from ..models import Intent
from ._assignment import Assignment, AssignmentCancelledError
from ._assignment_lease import AssignmentLease
from ._assignment_state import AssignmentState, with_result_mark
from ._queries import get_own_patches, is_assigned, is_final
from ._results import as_done
from ._retry import TRANSIENT_ERRORS, retry_delay

T = TypeVar("T")

MAX_CONFLICT = 600.0
"""Seconds for which a result waits for another agent's lease. Two results may wait for each other."""

CONFLICT_PAUSE = 2.0
MESSAGE_LENGTH = 10_000
TYPE_LENGTH = 200

log = logging.getLogger("openintent.agents")


class Attempt:
    """Handles an assignment under the lease `held`. All its writes carry that lease's token.

    `handle` runs the agent's handler and returns its result.
    """

    def __init__(
        self, assignment: Assignment, state: AssignmentState, held: AssignmentLease, handle: Callable[[Assignment], object]
    ) -> None:
        self.assignment = assignment
        self.held = held
        self._intent = assignment.intent
        self._known: Intent | None = assignment.intent
        self._state = state
        self._agent = state.agent_id
        self._handle = handle
        self._failure_key = f"{held.lease.id}/failure"
        self._question = assignment.question.id if assignment.question else None
        self._is_marked = state.has_result(self._question)
        self._may_be_marked = False
        held.on_lost(assignment._cancel)

    def run(self) -> bool:
        """Handle the assignment. Return whether the intent must be processed again soon.

        That is so if it is handled but cannot be completed yet, as a child or a decision is open, and if the handler ended because
        its lease had expired.
        """

        def activate() -> Intent:
            intent = self._latest()
            if is_final(intent) or intent.status == IntentStatus.BLOCKED:
                self._cancel_and_raise(f"the intent is {intent.status}")
            if intent.status == IntentStatus.ACTIVE:
                return intent
            return self._client.set_status(intent.id, intent.version, IntentStatus.ACTIVE)

        try:
            if self._is_marked:
                return self._complete(None)
            self._known = self.assignment.intent = self._retry(activate)
            began = monotonic()
            log.info("%s starts %r (%s), attempt %d", self._agent, self._intent.title, self._intent.id, self.assignment.attempt)
            try:
                done = as_done(self._handle(self.assignment))
                if self._waits_for_answers():
                    done = replace(done, complete=False)
                patches = done.as_patches()
                if patches or not done.complete:
                    self._write_result(patches, completes=done.complete)
                is_waiting = done.complete and self._complete(done.reason)
            except BaseException as error:
                if isinstance(error, (CancelledError, AssignmentCancelledError)):
                    self.assignment.raise_if_cancelled()
                if self._is_about_lost_lease(error):
                    log.info("%s starts %r again: its lease had expired", self._agent, self._intent.title)
                    return True
                self._record_failure(error)
                self.assignment._cancel("it has failed")  # A handler that was given up may still run.
                return False
            log.info("%s finished %r after %.1f s", self._agent, self._intent.title, monotonic() - began)
            return is_waiting
        except AssignmentCancelledError as cancelled:
            log.info("%s stops working on %r: %s", self._agent, self._intent.title, cancelled)
            return False

    def cancel(self, reason: str) -> None:
        """Cancel the handler and release the lease."""
        self.assignment._cancel(reason)
        self.held.release()

    def _waits_for_answers(self) -> bool:
        """Return whether the intent is to stay open for a question: one that waits, or whose answer is to be handled."""
        return self.assignment._has_asked or bool(self._state.open or {*self._state.answered} - {self._question})

    def _write_result(self, patches: Sequence[Mapping[str, Any]], *, completes: bool) -> None:
        """Write the patches once, together with the mark of this assignment."""

        def write() -> None:
            intent = self._writable_intent()
            if self._may_be_marked:  # A request whose response was lost may have written the result.
                known = replace(self._state)
                known.apply(get_own_patches(self._client, intent.id, known))
                if known.has_result(self._question):
                    return
            self._may_be_marked = True
            changes = with_result_mark(patches, self._state.assignment, completes=completes, question=self._question)
            self._known = self._client.update_state(intent.id, intent.version, patches=changes)

        self._retry(write)
        self._is_marked = True

    def _complete(self, reason: str | None) -> bool:
        """Complete the intent. Return whether that must wait; the result is marked then, so that it is not lost."""

        def complete() -> bool:
            intent = self._latest()
            if is_final(intent):
                return True
            if intent.status == IntentStatus.BLOCKED:
                return False
            try:
                self._client.set_status(intent.id, intent.version, IntentStatus.COMPLETED, reason=reason)
            except ConflictError as error:
                if error.code != "completion_gate":
                    raise
                return False
            return True

        is_completed = self._retry(complete)
        if not is_completed and not self._is_marked:
            self._write_result([], completes=True)
        return not is_completed

    def _is_about_lost_lease(self, error: BaseException) -> bool:
        """Return whether a write of the handler was refused because the assignment's own lease was lost meanwhile."""
        if not (isinstance(error, LeaseConflictError) and error.code in ("lease_lost", "lease_expired")):
            return False
        return not self._retry(self.held.renew) or self.held.lease.id != self.assignment.lease.id

    def _record_failure(self, error: BaseException) -> None:
        """Record the failure, and set the intent's status: pending until the next attempt, or blocked."""
        name = type(error).__name__
        kind = (_text(lambda: getattr(error, "error_type", None) or name, name).strip() or name)[:TYPE_LENGTH]
        message = _text(lambda: error, "")[:MESSAGE_LENGTH]
        self._known = None  # Its agents may have changed meanwhile.
        failure = self._retry(
            lambda: self._client.record_failure(self._intent.id, kind, message, idempotency_key=self._failure_key)
        )
        outcome = f"next attempt at {failure.retry_at:%H:%M:%S} UTC" if failure.retry_at else "no automatic retry"
        log.warning("%s failed at %r: %s", self._agent, self._intent.title, outcome, exc_info=error)

        def set_status() -> None:
            set_status_after_failure(self._client, self._latest(), self._agent, kind, message, failure.retry_at)

        self._retry(set_status)

    @property
    def _client(self) -> OpenIntentClient:
        """The client whose writes carry the lease's token; once the agent itself has closed the intent, there is no lease."""
        return self.held.client if self.held.is_closed else self.assignment.client

    def _latest(self) -> Intent:
        """Return the intent, read at most a moment ago: a write to an old version is refused, and retried with a new one."""
        self._known = self._known or self._client.get_intent(self._intent.id)
        return self._known

    def _writable_intent(self) -> Intent:
        """Return the intent if it is open, or was closed by the agent itself: then its result is still written."""
        intent = self._latest()
        if is_final(intent) and not (self.held.renew() and self.held.is_closed):
            self._cancel_and_raise(f"the intent is {intent.status} already")
        return intent

    def _cancel_and_raise(self, reason: str) -> NoReturn:
        self.assignment._cancel(reason)
        raise AssignmentCancelledError(reason, code="assignment_cancelled")

    def _retry(self, step: Callable[[], T]) -> T:
        """Return what `step` returns, repeating it while the lease is held: after transient errors and version conflicts, and while
        another agent's lease conflicts, for a limited time."""
        tries, began = 0, monotonic()
        while True:
            self.assignment.raise_if_cancelled()
            try:
                return step()
            except (ConflictError, LeaseConflictError, *TRANSIENT_ERRORS) as error:
                tries += 1
                self._known = None
                if isinstance(error, TRANSIENT_ERRORS) or error.code == "request_in_progress":
                    log.info("%s retries: %s", self._agent, error)
                    self.assignment.wait(retry_delay(tries, error))
                elif error.code in ("lease_lost", "lease_expired"):
                    try:
                        self.held.renew()
                    except TRANSIENT_ERRORS as transient:
                        self.assignment.wait(retry_delay(1, transient))
                elif error.code == "lease_conflict" and monotonic() - began < MAX_CONFLICT:
                    log.info("%s waits to write its result: %s", self._agent, error)
                    self.assignment.wait(min(retry_delay(tries), CONFLICT_PAUSE))
                elif error.code != "version_conflict":
                    raise


def set_status_after_failure(
    client: OpenIntentClient, intent: Intent, agent_id: str, kind: str, message: str, retry_at: object
) -> None:
    """Set an intent `pending` until the next attempt, or else `blocked`. Idempotent.

    One that a question has blocked already is put on hold as well, so that the answer does not resume the work.
    """
    status = IntentStatus.PENDING if retry_at else IntentStatus.BLOCKED
    if intent.status in (IntentStatus.ACTIVE, status) and is_assigned(intent, agent_id):
        client.set_status(intent.id, intent.version, status, reason=f"{agent_id} failed: {kind}: {message}"[:TYPE_LENGTH])


def _text(of: Callable[[], object], default: str) -> str:
    """Return the text of an object without the characters that the server rejects; the default if it cannot be made."""
    try:
        return str(of()).replace("\x00", "").encode("utf-8", "replace").decode()
    except BaseException:
        return default
