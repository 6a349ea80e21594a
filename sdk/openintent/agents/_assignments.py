"""Assignment processing: from an assignment to a completed intent (protocol K-7).

Nothing is kept in this process that the server does not have. An intent is processed whenever something happened to it, and each
time begins anew: is there work, is another process at it, how far has it come? So events may come twice or late, and a process may
die anywhere: the next one resumes from the log.

Exactly-once effects follow from these rules:

- the lease under which an assignment is handled is created once: of several processes of one agent, one creates it, and the others
  see that it exists;
- the handler's result and the mark that names its assignment are one write, which builds on a version of the intent without the
  mark, and carries the token of the lease;
- an intent is completed once.
"""

import logging
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from .._lease import is_new
from ..client import OpenIntentClient
from ..enums import EventType, IntentStatus
from ..errors import ConflictError, LeaseConflictError, NotFoundError, OpenIntentError
from ..models import Event, Intent
from ._assignment import Assignment
from ._assignment_lease import AssignmentLease, NoTokens, with_tokens
from ._assignment_state import QUESTION_ENDS, AssignmentState
from ._attempt import Attempt, set_status_after_failure
from ._options import WORKABLE, Settings
from ._queries import is_assigned, is_final, load_state
from ._retry import TRANSIENT_ERRORS, retry_delay
from ._work_queue import WorkQueue

if TYPE_CHECKING:
    from ..aio import AsyncOpenIntentClient

ANSWER_EVENTS = frozenset(QUESTION_ENDS)
"""The events that an agent needs besides if it takes answers."""

ASSIGNMENT_EVENTS = frozenset(
    {
        EventType.AGENT_ASSIGNED,
        EventType.AGENT_UNASSIGNED,
        EventType.STATUS_CHANGED,
        EventType.RETRY_DUE,
        EventType.LEASE_RELEASED,
        EventType.LEASE_EXPIRED,
        EventType.LEASE_REVOKED,
    }
)
"""The events that an agent with assignments needs."""

TRIGGER_EVENTS = frozenset({EventType.AGENT_ASSIGNED, EventType.RETRY_DUE, EventType.LEASE_EXPIRED, EventType.LEASE_REVOKED})
CLOSE_REASONS = frozenset({"intent_completed", "intent_abandoned"})
"""The reasons with which leases are released when their intent is closed."""

MAX_OWN_LEASES = 1000
"""Leases of this process whose release is ignored: processing the intent after each would never end."""

DELAY_AFTER_ERROR = 60.0

log = logging.getLogger("openintent.agents")


class AssignmentProcessor:
    """Processes an agent's assigned intents. `handle` is called for each assignment, in one of the threads that `run`.

    `takes_answer` says whether the agent takes the answer to a question of this name; None: to none.
    """

    def __init__(
        self,
        agent_id: str,
        client: OpenIntentClient,
        settings: Settings,
        handle: Callable[[Assignment], object],
        connect: "Callable[[], AsyncOpenIntentClient]",
        takes_answer: Callable[[str], bool] | None = None,
    ) -> None:
        self._agent_id = agent_id
        self._client = with_tokens(client, NoTokens())
        self._settings = settings
        self._handle = handle
        self._connect = connect
        self._takes_answer = takes_answer
        self._triggers = TRIGGER_EVENTS | (ANSWER_EVENTS if takes_answer else frozenset())
        self._queue = WorkQueue()
        self._tries: Counter[str] = Counter()
        self._settled: dict[str, int] = {}
        self._attempts: dict[str, Attempt] = {}
        self._own_leases: deque[str] = deque(maxlen=MAX_OWN_LEASES)

    def handle_event(self, event: Event) -> None:
        """Queue the event's intent if there may be work, and notify a running attempt of what others have done."""
        if event.intent_id is None:
            return
        if attempt := self._attempts.get(event.intent_id):
            if event.event_type == EventType.AGENT_UNASSIGNED and event.payload.get("agent_id") == self._agent_id:
                attempt.cancel(f"{event.actor} has unassigned it")
            elif event.payload.get("lease_id") == attempt.held.lease.id:
                is_released = event.event_type == EventType.LEASE_RELEASED and event.actor != self._agent_id
                if event.event_type == EventType.LEASE_EXPIRED:
                    attempt.held.renew_soon()
                elif is_released or event.event_type == EventType.LEASE_REVOKED:
                    attempt.held.mark_lost(f"{event.actor} has ended its lease ({event.payload.get('reason')})")
        match event.event_type:
            case EventType.STATUS_CHANGED:  # There is no work after the agent's own step in a running attempt.
                is_own = event.actor == self._agent_id and event.intent_id in self._attempts
                may_have_work = event.payload.get("to") in WORKABLE and not is_own
            case EventType.LEASE_RELEASED:
                is_own = event.payload.get("lease_id") in self._own_leases
                may_have_work = event.payload.get("reason") not in CLOSE_REASONS and not is_own
            case _:
                may_have_work = event.event_type in self._triggers
        if may_have_work:
            self._queue.add(event.intent_id)

    def enqueue_open(self) -> None:
        """Queue all open intents that are assigned to the agent. Raise OpenIntentError."""
        for intent in self._client.list_intents(agent_id=self._agent_id, status=",".join(WORKABLE), ordering="created_at"):
            if self._settled.get(intent.id) != intent.last_sequence:
                self._queue.add(intent.id)

    def run(self) -> None:
        """Process queued intents until `close`."""
        while (intent_id := self._queue.take()) is not None:
            delay: float | None = None
            try:
                delay = self._process(intent_id)
            except TRANSIENT_ERRORS as error:
                delay = self._next_delay(intent_id, error)
                log.info("%s cannot process %s now: %s", self._agent_id, intent_id, error)
            except OpenIntentError as error:
                delay = DELAY_AFTER_ERROR
                log.error("%s failed to process %s: %s", self._agent_id, intent_id, error)
            except Exception:
                delay = DELAY_AFTER_ERROR
                log.exception("%s failed to process %s", self._agent_id, intent_id)
            finally:
                self._queue.done(intent_id, delay)

    def close(self) -> None:
        """Start no further attempts."""
        self._queue.close()

    def cancel(self, reason: str) -> None:
        """Cancel the running attempts and release their leases."""
        for attempt in list(self._attempts.values()):
            attempt.cancel(reason)

    def _process(self, intent_id: str) -> float | None:
        """Process an intent. Return the seconds until it must be processed again, whatever happens meanwhile; None: not at all."""
        work = self._find_work(intent_id)
        if work is None:
            return None
        intent, state = work
        scope, seconds = self._settings.lease_scope, self._settings.lease_seconds
        if (
            state.completes
            and not state.answered
            and (self._client.get_ready(intent_id, limit=1) or self._client.get_blocked(intent_id, limit=1))
        ):
            return self._next_delay(intent_id)
        if state.starts:  # Another process of this agent may handle it.
            leases = self._client.get_leases(intent_id)
            if any(each.agent_id == self._agent_id and each.scope == scope for each in leases):
                return seconds
        try:
            lease = self._client.acquire_lease(intent_id, scope, seconds)
        except (LeaseConflictError, ConflictError):
            return seconds
        if not is_new(lease, seconds):  # Another process of this agent holds it.
            return seconds
        self._own_leases.append(lease.id)
        with AssignmentLease(self._client, lease, seconds) as held:
            now = self._client.get_intent(intent_id)
            if now.last_sequence == intent.last_sequence + 1:  # The lease is the only new event: the log need not be read again.
                work = now, replace(state, starts=state.starts + 1)
            else:
                work = self._find_work(intent_id)
            if work is None or self._queue.is_closed:
                return None
            return self._attempt(*work, held)

    def _attempt(self, intent: Intent, state: AssignmentState, held: AssignmentLease) -> float | None:
        """Handle the assignment, or the first answer since, under this lease. Return what `_process` does."""
        is_answer = state.is_handled and bool(state.answered)
        tokens, connect = held.tokens, self._connect
        assignment = Assignment(
            intent,
            state.starts,
            state.event,
            held.lease,
            with_tokens(self._client, tokens),
            lambda: with_tokens(connect(), tokens),
            self._client.get_arbitration(state.answered[0]) if is_answer else None,
            self._takes_answer or (lambda name: False),
        )
        attempt = self._attempts[intent.id] = Attempt(assignment, state, held, self._handle)
        try:
            if attempt.run():
                return self._next_delay(intent.id)
        finally:
            del self._attempts[intent.id]
        self._forget(intent)
        return 0.0 if len(state.answered) > is_answer else None

    def _find_work(self, intent_id: str) -> tuple[Intent, AssignmentState] | None:
        """Return the intent and the agent's progress with it; None if there is nothing to do."""
        try:
            intent = self._client.get_intent(intent_id)
        except NotFoundError:
            return None
        if is_final(intent) or not is_assigned(intent, self._agent_id) or intent.status == IntentStatus.BLOCKED:
            self._forget(intent)
            return None
        takes_answers = self._takes_answer is not None
        state = load_state(self._client, intent_id, self._agent_id, self._settings.lease_scope, takes_answers=takes_answers)
        if state.failure and intent.status == IntentStatus.ACTIVE:  # The process died before it set the status.
            failure = state.failure.payload
            set_status_after_failure(self._client, intent, self._agent_id, failure["error_type"], "", failure.get("retry_at"))
        is_begun = intent.status == IntentStatus.ACTIVE and state.starts > 0
        if state.is_settled or not (is_begun or intent.status in self._settings.statuses):
            self._settled[intent_id] = intent.last_sequence
            self._forget(intent)
            return None
        return intent, state

    def _forget(self, intent: Intent) -> None:
        self._tries.pop(intent.id, None)
        if is_final(intent):
            self._settled.pop(intent.id, None)

    def _next_delay(self, intent_id: str, error: OpenIntentError | None = None) -> float:
        self._tries[intent_id] += 1
        return retry_delay(self._tries[intent_id], error)
