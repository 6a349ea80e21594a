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
        self._client: OpenIntentClient = assignment.client
        self._intent = assignment.intent
        self._known: Intent | None = assignment.intent
        self._state = state
        self._agent = state.agent_id
        self._handle = handle
        self._failure_key = f"{held.lease.id}/failure"
        self._is_marked = state.is_handled
        self._may_be_marked = False
        held.on_lost(assignment._cancel)

    def run(self) -> bool:
        """Handle the assignment. Return whether the intent is handled but cannot be completed yet: a child or a decision is open."""

        def activate() -> Intent:
            intent = self._open_intent()
            if intent.status == IntentStatus.BLOCKED:
                self._cancel_and_raise("the intent is blocked")
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
                patches = done.as_patches()
                if patches or not done.complete:
                    self._write_result(patches, completes=done.complete)
                is_waiting = done.complete and self._complete(done.reason)
            except BaseException as error:
                if isinstance(error, (CancelledError, AssignmentCancelledError)):
                    self.assignment.raise_if_cancelled()
                self._record_failure(error)
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

    def _write_result(self, patches: Sequence[Mapping[str, Any]], *, completes: bool) -> None:
        """Write the patches once, together with the mark of this assignment."""

        def write() -> None:
            intent = self._open_intent()
            if self._may_be_marked:  # A request whose response was lost may have written the result.
                known = replace(self._state)
                known.apply(get_own_patches(self._client, intent.id, known))
                if known.is_handled:
                    return
            self._may_be_marked = True
            changes = with_result_mark(patches, self._state.assignment, completes=completes)
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

    def _record_failure(self, error: BaseException) -> None:
        """Record the failure, and set the intent's status: pending until the next attempt, or blocked."""
        kind = (_clean_text(str(getattr(error, "error_type", ""))).strip() or type(error).__name__)[:TYPE_LENGTH]
        message = _clean_text(str(error))[:MESSAGE_LENGTH]
        self._known = None  # Its agents may have changed meanwhile.
        failure = self._retry(
            lambda: self._client.record_failure(self._intent.id, kind, message, idempotency_key=self._failure_key)
        )
        outcome = f"next attempt at {failure.retry_at:%H:%M:%S} UTC" if failure.retry_at else "no automatic retry"
        log.warning("%s failed at %r: %s", self._agent, self._intent.title, outcome, exc_info=error)

        def set_status() -> None:
            intent = self._latest()
            if intent.status == IntentStatus.ACTIVE and is_assigned(intent, self._agent):
                status = IntentStatus.PENDING if failure.retry_at else IntentStatus.BLOCKED
                reason = f"{self._agent} failed: {kind}: {message}"[:TYPE_LENGTH]
                self._client.set_status(intent.id, intent.version, status, reason=reason)

        self._retry(set_status)

    def _latest(self) -> Intent:
        """Return the intent, read at most a moment ago: a write to an old version is refused, and retried with a new one."""
        self._known = self._known or self._client.get_intent(self._intent.id)
        return self._known

    def _open_intent(self) -> Intent:
        intent = self._latest()
        if is_final(intent):
            self._cancel_and_raise(f"the intent is {intent.status} already")
        return intent

    def _cancel_and_raise(self, reason: str) -> NoReturn:
        self.assignment._cancel(reason)
        raise AssignmentCancelledError(reason, code="assignment_cancelled")

    def _retry(self, step: Callable[[], T]) -> T:
        """Return what `step` returns, repeating it after transient errors and version conflicts while the lease is held."""
        tries = 0
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
                elif error.code != "version_conflict":
                    raise


def _clean_text(text: str) -> str:
    """Return the text without the characters that the server rejects."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
