"""Assignment state, derived from the intent's log. Pure.

The log is the agent's memory: a process that starts after a crash reads there what was done before it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..enums import EventType, IntentStatus
from ..models import Event

MARK = "openintent.assignment"
"""The key under which a patch names the assignment whose result it is. The same patch removes it again: only the log shows it."""

STATE_EVENTS = (
    EventType.AGENT_ASSIGNED,
    EventType.LEASE_ACQUIRED,
    EventType.LEASE_REVOKED,
    EventType.FAILURE_RECORDED,
    EventType.RETRY_DUE,
    EventType.STATUS_CHANGED,
)
"""The events that determine the state, besides the agent's own patches."""

_RESUMING = {IntentStatus.PENDING, IntentStatus.ACTIVE}


@dataclass(slots=True)
class AssignmentState:
    """An agent's progress with an intent since its latest assignment.

    event       the event that assigned it; None if there is none
    starts      the number of attempts begun, by whichever process
    failure     the agent's latest failure, if nothing has resumed the work since
    is_stopped  whether an attempt has failed, or its lease was revoked, and nothing has resumed the work since
    completes   whether the written result is to complete the intent; None: no result was written
    """

    agent_id: str
    scope: str
    event: Event | None = None
    starts: int = 0
    failure: Event | None = None
    is_stopped: bool = False
    completes: bool | None = field(default=None)

    @property
    def assignment(self) -> str:
        """The id of the event that assigned it; empty if there is none."""
        return self.event.id if self.event else ""

    @property
    def since(self) -> int:
        """The sequence of the event that assigned it."""
        return (self.event and self.event.sequence) or 0

    @property
    def is_handled(self) -> bool:
        """Whether the handler's result is written, so that it must not run again."""
        return self.completes is not None

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing to do for the agent at present."""
        return not self.assignment or self.is_stopped or self.completes is False

    def apply(self, events: Iterable[Event]) -> None:
        """Update the state by events of the intent, in their order."""
        for event in events:
            payload = event.payload
            is_own = payload.get("agent_id") == self.agent_id
            is_in_scope = payload.get("scope") == self.scope
            if event.event_type == EventType.AGENT_ASSIGNED and is_own:
                self.event = event
                self.starts, self.completes = 0, None
                self._resume()
            if not self.assignment or (event.sequence or 0) <= self.since:
                continue
            match event.event_type:
                case EventType.LEASE_ACQUIRED if is_own and is_in_scope:
                    self.starts += 1
                case EventType.LEASE_REVOKED if is_own and is_in_scope:
                    self.is_stopped = True
                case EventType.FAILURE_RECORDED if is_own:
                    self.is_stopped, self.failure = True, event
                case EventType.RETRY_DUE if is_own:
                    self._resume()
                case EventType.STATUS_CHANGED if event.actor != self.agent_id and payload.get("to") in _RESUMING:
                    self._resume()
                case EventType.STATE_PATCHED if event.actor == self.agent_id:
                    first: Mapping[str, Any] = next(iter(payload.get("patches") or []), {})
                    mark = first.get("value") if first.get("path") == MARK else None
                    if isinstance(mark, dict) and mark.get("id") == self.assignment:
                        self.completes = bool(mark.get("completes"))

    def _resume(self) -> None:
        self.is_stopped, self.failure = False, None


def with_result_mark(patches: Sequence[Mapping[str, Any]], assignment: str, *, completes: bool) -> list[Mapping[str, Any]]:
    """Return the patches with the mark of their assignment: in one write, so that neither is there without the other."""
    mark = {"op": "set", "path": MARK, "value": {"id": assignment, "completes": completes}}
    return [mark, *patches, {"op": "remove", "path": MARK}]
