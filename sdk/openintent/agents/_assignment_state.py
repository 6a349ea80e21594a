"""How far an agent has come with an intent, as the intent's log tells it. Pure.

The log is the agent's memory: whoever starts after a crash reads there what was done before it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..enums import EventType, IntentStatus
from ..models import Event

MARK = "openintent.assignment"
"""Where a patch names the assignment whose result it is. The same patch takes it away again: it is seen in the log alone."""

TELLING = (
    EventType.AGENT_ASSIGNED,
    EventType.LEASE_ACQUIRED,
    EventType.LEASE_REVOKED,
    EventType.FAILURE_RECORDED,
    EventType.RETRY_DUE,
    EventType.STATUS_CHANGED,
)
"""The events that tell it, besides the agent's own patches."""

_GOES_ON = {IntentStatus.PENDING, IntentStatus.ACTIVE}


@dataclass(slots=True)
class Standing:
    """Since the agent was assigned, or assigned anew.

    assignment  the id of that event; empty as long as there is none
    since       its sequence
    starts      how often work was begun, by whatever process
    is_stopped  whether an attempt has failed, or its lease was revoked, and nothing has said since that it is to go on
    completes   whether the result that was written is to complete the intent; None: no result was written
    """

    agent_id: str
    scope: str
    assignment: str = ""
    since: int = 0
    starts: int = 0
    is_stopped: bool = False
    completes: bool | None = field(default=None)

    @property
    def is_handled(self) -> bool:
        """Whether the handler's result is written, so that it must not run again."""
        return self.completes is not None

    @property
    def is_settled(self) -> bool:
        """Whether there is nothing to do for the agent, as things stand."""
        return not self.assignment or self.is_stopped or self.completes is False

    def read(self, events: Iterable[Event]) -> None:
        """Take in events of the intent, in their order."""
        for event in events:
            if event.event_type == EventType.AGENT_ASSIGNED:
                self._assigned(event)
            elif self.assignment and (event.sequence or 0) > self.since:
                self._read(event)

    def _assigned(self, event: Event) -> None:
        if event.payload.get("agent_id") == self.agent_id:
            self.assignment, self.since = event.id, event.sequence or 0
            self.starts, self.is_stopped, self.completes = 0, False, None

    def _read(self, event: Event) -> None:
        payload = event.payload
        is_mine = payload.get("agent_id") == self.agent_id
        match event.event_type:
            case EventType.LEASE_ACQUIRED if is_mine and payload.get("scope") == self.scope:
                self.starts += 1
            case EventType.LEASE_REVOKED if is_mine and payload.get("scope") == self.scope:
                self.is_stopped = True
            case EventType.FAILURE_RECORDED if is_mine:
                self.is_stopped = True
            case EventType.RETRY_DUE if is_mine:
                self.is_stopped = False
            case EventType.STATUS_CHANGED if event.actor != self.agent_id and payload.get("to") in _GOES_ON:
                self.is_stopped = False
            case EventType.STATE_PATCHED if event.actor == self.agent_id:
                self._patched(payload.get("patches") or [])

    def _patched(self, patches: Sequence[Mapping[str, Any]]) -> None:
        mark = patches[0].get("value") if patches and patches[0].get("path") == MARK else None
        if isinstance(mark, dict) and mark.get("id") == self.assignment:
            self.completes = bool(mark.get("completes"))


def marked(patches: Sequence[Mapping[str, Any]], assignment: str, *, completes: bool) -> list[Mapping[str, Any]]:
    """The patches, as the result of an assignment: in one write with its mark, so that neither is there without the other."""
    mark = {"op": "set", "path": MARK, "value": {"id": assignment, "completes": completes}}
    return [mark, *patches, {"op": "remove", "path": MARK}]
