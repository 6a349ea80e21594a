"""From an assignment to a completed intent (protocol K-7).

Nothing is kept in this process that the server does not have. An intent is looked at whenever something happened to it, and each
look begins anew: is there work, has nobody begun it, how far has it come? So events may be heard twice or late, and a process may
die anywhere: the next look goes on from what the log says.

What is to be done once is done once because

- the lease under which an assignment is handled is made once: of several processes of one agent, one makes it, and the others
  are shown that it is there;
- the handler's result and the mark that names its assignment are one write, which builds on a version of the intent at which the
  mark was not there, and carries the token of the lease;
- an intent is completed once.
"""

import logging
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from .._backoff import PASSING, pause
from ..client import OpenIntentClient
from ..enums import EventType, IntentStatus
from ..errors import ConflictError, LeaseConflictError, NotFoundError, OpenIntentError
from ..models import Event, Intent, Lease
from ._assignment import Assignment
from ._assignment_lease import Hold, Unfenced, is_new, sharing
from ._assignment_state import Standing
from ._attempt import Attempt
from ._options import WORKABLE, Settings
from ._queries import has_open_children, is_assigned, is_final, standing_of
from ._work_queue import Agenda

if TYPE_CHECKING:
    from ..aio import AsyncOpenIntentClient

HEARD = frozenset(
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
"""What an agent has to hear of that is assigned intents."""

WAKING = frozenset({EventType.AGENT_ASSIGNED, EventType.RETRY_DUE, EventType.LEASE_EXPIRED, EventType.LEASE_REVOKED})
CLOSING = frozenset({"intent_completed", "intent_abandoned"})
"""The reasons for which leases are released together with the end of an intent."""

REMEMBERED = 1000
"""Leases of this process whose end is no news to it: to look again after each would be to go in circles."""

PAUSE_AFTER_ERROR = 60.0

log = logging.getLogger("openintent.agents")


class Assignments:
    """What an agent is assigned to. `handle` is called for each assignment, in one of the threads that `serve`."""

    def __init__(
        self,
        agent_id: str,
        client: OpenIntentClient,
        settings: Settings,
        handle: Callable[[Assignment], object],
        connect: "Callable[[], AsyncOpenIntentClient]",
    ) -> None:
        self._agent_id = agent_id
        self._client = sharing(client, Unfenced())
        self._settings = settings
        self._handle = handle
        self._connect = connect
        self._agenda = Agenda()
        self._tries: Counter[str] = Counter()
        self._settled: dict[str, int] = {}
        self._running: dict[str, Attempt] = {}
        self._own_leases: deque[str] = deque(maxlen=REMEMBERED)

    def hear(self, event: Event) -> None:
        """Take note of an event of an intent that the agent is, or was, assigned to."""
        if event.intent_id is None:
            return
        if attempt := self._running.get(event.intent_id):
            self._tell(attempt, event)
        if self._wakes(event):
            self._agenda.add(event.intent_id)

    def look_through(self) -> None:
        """Have all looked at that the agent is assigned to and may work on. Raises OpenIntentError."""
        for intent in self._client.list_intents(agent_id=self._agent_id, status=",".join(WORKABLE), ordering="created_at"):
            if self._settled.get(intent.id) != intent.last_sequence:
                self._agenda.add(intent.id)

    def serve(self) -> None:
        """Look at what there is to look at, and work, until `close`."""
        while (intent_id := self._agenda.take()) is not None:
            again: float | None = None
            try:
                again = self._look(intent_id)
            except PASSING as error:
                again = self._grown_pause(intent_id, error)
                log.info("%s cannot look at %s now: %s", self._agent_id, intent_id, error)
            except OpenIntentError as error:
                again = PAUSE_AFTER_ERROR
                log.error("%s cannot work on %s: %s", self._agent_id, intent_id, error)
            except Exception:
                again = PAUSE_AFTER_ERROR
                log.exception("%s cannot work on %s", self._agent_id, intent_id)
            finally:
                self._agenda.done(intent_id, again)

    def close(self) -> None:
        """Begin nothing any more."""
        self._agenda.close()

    def cancel(self, reason: str) -> None:
        """Take what is being worked on from its handlers, and give the leases back."""
        for attempt in list(self._running.values()):
            attempt.cancel(reason)

    def _look(self, intent_id: str) -> float | None:
        """See to an intent. Answers after how many seconds to look again, if nothing happens meanwhile; None: not at all."""
        found = self._found(intent_id)
        if found is None:
            return None
        intent, standing = found
        if standing.completes and has_open_children(self._client, intent_id):
            return self._grown_pause(intent_id)
        if standing.starts and self._is_held(intent_id):
            return self._settings.lease_seconds
        lease = self._lease(intent_id)
        if lease is None:
            return self._settings.lease_seconds
        with Hold(self._client, lease, self._settings.lease_seconds) as hold:
            found = self._found_again(intent, standing)
            return None if found is None else self._attempt(*found, hold)

    def _found(self, intent_id: str) -> tuple[Intent, Standing] | None:
        """The intent, and how far the agent is with it; None if there is nothing for it to do."""
        try:
            intent = self._client.get_intent(intent_id)
        except NotFoundError:
            return None
        if is_final(intent) or not is_assigned(intent, self._agent_id) or intent.status == IntentStatus.BLOCKED:
            self._leave(intent)
            return None
        standing = standing_of(self._client, intent_id, self._agent_id, self._settings.lease_scope)
        is_begun = intent.status == IntentStatus.ACTIVE and standing.starts > 0
        if standing.is_settled or not (is_begun or intent.status in self._settings.statuses):
            self._settled[intent_id] = intent.last_sequence
            self._leave(intent)
            return None
        return intent, standing

    def _found_again(self, intent: Intent, standing: Standing) -> tuple[Intent, Standing] | None:
        """The same, now that nobody else begins. Where the lease is all that is new, the log need not be read again."""
        now = self._client.get_intent(intent.id)
        if now.last_sequence == intent.last_sequence + 1:
            return now, replace(standing, starts=standing.starts + 1)
        return self._found(intent.id)

    def _leave(self, intent: Intent) -> None:
        self._tries.pop(intent.id, None)
        if is_final(intent):
            self._settled.pop(intent.id, None)

    def _is_held(self, intent_id: str) -> bool:
        """Whether a process of this agent is at work on it, or was until a moment ago."""
        held = self._client.get_leases(intent_id)
        return any(each.agent_id == self._agent_id and each.scope == self._settings.lease_scope for each in held)

    def _lease(self, intent_id: str) -> Lease | None:
        """A lease that was made for this, and None if another agent, or another process of this one, has it."""
        seconds = self._settings.lease_seconds
        try:
            lease = self._client.acquire_lease(intent_id, self._settings.lease_scope, seconds)
        except (LeaseConflictError, ConflictError):
            return None
        if not is_new(lease, seconds):
            return None
        self._own_leases.append(lease.id)
        return lease

    def _attempt(self, intent: Intent, standing: Standing, hold: Hold) -> float | None:
        if self._agenda.is_closed:
            return None
        client = sharing(self._client, hold.tokens)
        assignment = Assignment(intent, standing.starts, client, lambda: sharing(self._connect(), hold.tokens))
        attempt = self._running[intent.id] = Attempt(assignment, standing, hold, self._handle)
        try:
            if attempt.run():
                return self._grown_pause(intent.id)
        finally:
            del self._running[intent.id]
        self._leave(intent)
        return None

    def _wakes(self, event: Event) -> bool:
        """Whether there may be something to do after it. Nothing is, for one, after the agent's own step to a running attempt."""
        match event.event_type:
            case EventType.STATUS_CHANGED:
                is_own = event.actor == self._agent_id and event.intent_id in self._running
                return event.payload.get("to") in WORKABLE and not is_own
            case EventType.LEASE_RELEASED:
                return event.payload.get("reason") not in CLOSING and event.payload.get("lease_id") not in self._own_leases
        return event.event_type in WAKING

    def _tell(self, attempt: Attempt, event: Event) -> None:
        """What others have done to an intent that is being worked on."""
        if event.event_type == EventType.AGENT_UNASSIGNED and event.payload.get("agent_id") == self._agent_id:
            attempt.cancel(f"{event.actor} has unassigned it")
        elif event.payload.get("lease_id") != attempt.hold.lease.id:
            return
        elif event.event_type == EventType.LEASE_EXPIRED:
            attempt.hold.renew_soon()
        elif event.event_type == EventType.LEASE_REVOKED or (
            event.event_type == EventType.LEASE_RELEASED and event.actor != self._agent_id
        ):
            attempt.hold.take_away(f"{event.actor} has ended its lease ({event.payload.get('reason')})")

    def _grown_pause(self, intent_id: str, error: OpenIntentError | None = None) -> float:
        self._tries[intent_id] += 1
        return pause(self._tries[intent_id], error)
