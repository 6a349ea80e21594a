"""One attempt at an assignment, from its beginning to the completed intent or the recorded failure."""

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from dataclasses import replace
from time import monotonic
from typing import Any, NoReturn, TypeVar

from .._backoff import PASSING, pause
from ..client import OpenIntentClient
from ..enums import IntentStatus
from ..errors import ConflictError, LeaseConflictError
from ..models import Failure, Intent
from ._assignment import Assignment, AssignmentCancelledError
from ._assignment_lease import Hold
from ._assignment_state import Standing, marked
from ._queries import is_assigned, is_final, patches_since
from ._results import Done, as_done

T = TypeVar("T")

MESSAGE_LENGTH = 10_000
TYPE_LENGTH = 200

log = logging.getLogger("openintent.agents")


class Attempt:
    """Handles an assignment while `hold` lasts. All that it writes carries that lease's token.

    `handle` runs the agent's handler and returns what that returns.
    """

    def __init__(self, assignment: Assignment, standing: Standing, hold: Hold, handle: Callable[[Assignment], object]) -> None:
        self.assignment = assignment
        self.hold = hold
        self._client: OpenIntentClient = assignment.client
        self._intent = assignment.intent
        self._known: Intent | None = assignment.intent
        self._standing = standing
        self._handle = handle
        self._key = f"{hold.lease.id}/failure"
        self._is_marked = standing.is_handled
        self._may_be_marked = False
        hold.on_lost(assignment._cancel)

    def run(self) -> bool:
        """Answers whether the intent is handled, but waits for its children, or for a decision, to be completed."""
        try:
            if self._is_marked:
                return self._complete(None)
            self._begin()
            return self._work()
        except AssignmentCancelledError as cancelled:
            log.info("%s lets go of %r: %s", self._agent, self._intent.title, cancelled)
            return False

    def cancel(self, reason: str) -> None:
        """Take it from its handler, and give the lease back."""
        self.assignment._cancel(reason)
        self.hold.release()

    @property
    def _agent(self) -> str:
        return self._standing.agent_id

    def _work(self) -> bool:
        began = monotonic()
        log.info("%s begins %r (%s), attempt %d", self._agent, self._intent.title, self._intent.id, self.assignment.attempt)
        try:
            waits = self._settle(as_done(self._handle(self.assignment)))
        except BaseException as error:
            if isinstance(error, (CancelledError, AssignmentCancelledError)):
                self.assignment.raise_if_cancelled()
            self._fail(error)
            return False
        log.info("%s is done with %r after %.1f s", self._agent, self._intent.title, monotonic() - began)
        return waits

    def _begin(self) -> None:
        """Make the intent active, and the assignment's intent the one that is."""

        def begin() -> Intent:
            intent = self._open_intent()
            if intent.status == IntentStatus.BLOCKED:
                self._give_up("the intent is blocked")
            if intent.status == IntentStatus.ACTIVE:
                return intent
            return self._client.set_status(intent.id, intent.version, IntentStatus.ACTIVE)

        self._known = self.assignment.intent = self._insist(begin)

    def _settle(self, done: Done) -> bool:
        """Write the result, and complete the intent. Answers as `run` does. Raises what is the handler's fault."""
        patches = done.as_patches()
        if patches or not done.complete:
            self._mark(patches, completes=done.complete)
        return done.complete and self._complete(done.reason)

    def _mark(self, patches: Sequence[Mapping[str, Any]], *, completes: bool) -> None:
        """Write the patches, once, together with the mark that they are this assignment's."""

        def write() -> None:
            intent = self._open_intent()
            if not (self._may_be_marked and self._is_in_the_log()):
                self._may_be_marked = True
                changes = marked(patches, self._standing.assignment, completes=completes)
                self._known = self._client.update_state(intent.id, intent.version, patches=changes)

        self._insist(write)
        self._is_marked = True

    def _complete(self, reason: str | None) -> bool:
        def complete() -> bool:
            intent = self._latest()
            if is_final(intent):
                return True
            if intent.status != IntentStatus.BLOCKED:
                return self._completes(intent, reason)
            return False

        is_completed = self._insist(complete)
        if not is_completed and not self._is_marked:
            self._mark([], completes=True)
        return not is_completed

    def _completes(self, intent: Intent, reason: str | None) -> bool:
        try:
            self._client.set_status(intent.id, intent.version, IntentStatus.COMPLETED, reason=reason)
        except ConflictError as refused:
            if refused.code != "completion_gate":
                raise
            return False
        return True

    def _fail(self, error: BaseException) -> None:
        """Record the failure, and let the intent wait for the next attempt, or for somebody to look into it."""
        kind, message = _described(error)
        self._known = None  # Its agents may be others by then.
        failure = self._insist(lambda: self._client.record_failure(self._intent.id, kind, message, idempotency_key=self._key))
        log.warning("%s failed at %r: %s", self._agent, self._intent.title, _sequel(failure), exc_info=error)
        self._insist(lambda: self._stand_back(failure, f"{kind}: {message}"))

    def _stand_back(self, failure: Failure, reason: str) -> None:
        intent = self._latest()
        if intent.status == IntentStatus.ACTIVE and is_assigned(intent, self._agent):
            status = IntentStatus.PENDING if failure.retry_at else IntentStatus.BLOCKED
            self._client.set_status(intent.id, intent.version, status, reason=f"{self._agent} failed: {reason}"[:TYPE_LENGTH])

    def _latest(self) -> Intent:
        """The intent as it is now, or was a moment ago: what builds on an old version is refused, and tried again with a new one."""
        self._known = self._known or self._client.get_intent(self._intent.id)
        return self._known

    def _open_intent(self) -> Intent:
        intent = self._latest()
        if is_final(intent):
            self._give_up(f"the intent is {intent.status} already")
        return intent

    def _give_up(self, reason: str) -> NoReturn:
        self.assignment._cancel(reason)
        raise AssignmentCancelledError(reason, code="assignment_cancelled")

    def _is_in_the_log(self) -> bool:
        """Whether the result was written by a request whose answer was lost."""
        known = replace(self._standing)
        known.read(patches_since(self._client, self._intent.id, known))
        return known.is_handled

    def _insist(self, step: Callable[[], T]) -> T:
        """Do it, as often as it takes: until the server answers and no other writer comes first, as long as the lease is held."""
        tries = 0
        while True:
            self.assignment.raise_if_cancelled()
            try:
                return step()
            except (ConflictError, LeaseConflictError, *PASSING) as error:
                tries += 1
                self._known = None
                if isinstance(error, PASSING) or error.code == "request_in_progress":
                    log.info("%s tries once more: %s", self._agent, error)
                    self.assignment.wait(pause(tries, error))
                elif error.code in ("lease_lost", "lease_expired"):
                    self._renew()
                elif error.code != "version_conflict":
                    raise

    def _renew(self) -> None:
        try:
            self.hold.renew()
        except PASSING as error:
            self.assignment.wait(pause(1, error))


def _described(error: BaseException) -> tuple[str, str]:
    """The type and the message of a failure, as the server takes them."""
    kind = _clean(str(getattr(error, "error_type", ""))).strip() or type(error).__name__
    return kind[:TYPE_LENGTH], _clean(str(error))[:MESSAGE_LENGTH]


def _clean(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def _sequel(failure: Failure) -> str:
    return f"it is tried again at {failure.retry_at:%H:%M:%S} UTC" if failure.retry_at else "it is not tried again by itself"
