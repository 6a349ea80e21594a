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

QUESTION = "openintent.question"
"""The key in an arbitration's context with the name of the question and the assignment that it belongs to."""

QUESTION_ENDS = (EventType.DECISION_RECORDED, EventType.ARBITRATION_EXPIRED, EventType.ARBITRATION_WITHDRAWN)
QUESTION_EVENTS = (EventType.ARBITRATION_REQUESTED, *QUESTION_ENDS)
"""The events that determine the state of an agent that takes answers."""

_RESUMING = {IntentStatus.PENDING, IntentStatus.ACTIVE}


@dataclass(slots=True)
class AssignmentState:
    """An agent's progress with an intent since its latest assignment.

    event       the event that assigned it; None if there is none
    starts      the number of attempts begun, by whichever process
    failure     the agent's latest failure, if nothing has resumed the work since
    is_stopped  whether an attempt has failed, or its lease was revoked, and nothing has resumed the work since
    completes   whether the latest result is to complete the intent; None: no result was written
    open        the ids of the questions that wait for an answer
    answered    those of the questions that have ended, whose result is not written yet, in their order
    """

    agent_id: str
    scope: str
    event: Event | None = None
    starts: int = 0
    failure: Event | None = None
    is_stopped: bool = False
    completes: bool | None = None
    open: set[str] = field(default_factory=set)
    answered: list[str] = field(default_factory=list)

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
        is_done = self.completes is False and not self.answered
        return not self.assignment or self.is_stopped or is_done

    def apply(self, events: Iterable[Event]) -> None:
        """Update the state by events of the intent, in their order."""
        for event in events:
            payload = event.payload
            is_own = payload.get("agent_id") == self.agent_id
            is_in_scope = payload.get("scope") == self.scope
            if event.event_type == EventType.AGENT_ASSIGNED and is_own:
                self.event = event
                self.starts, self.completes = 0, None
                self.open, self.answered = set(), []
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
                case EventType.ARBITRATION_REQUESTED if event.actor == self.agent_id and self._takes_answer(payload):
                    self.open.add(payload["arbitration_id"])
                case _ if event.event_type in QUESTION_ENDS and payload.get("arbitration_id") in self.open:
                    self.open.remove(payload["arbitration_id"])
                    self.answered.append(payload["arbitration_id"])
                case EventType.STATUS_CHANGED if event.actor != self.agent_id and payload.get("to") in _RESUMING:
                    self._resume()
                case EventType.STATE_PATCHED if event.actor == self.agent_id:
                    first: Mapping[str, Any] = next(iter(payload.get("patches") or []), {})
                    mark = first.get("value") if first.get("path") == MARK else None
                    if isinstance(mark, dict) and mark.get("id") == self.assignment:
                        self.completes = bool(mark.get("completes"))
                        self.answered = [each for each in self.answered if each != mark.get("answer")]

    def has_result(self, question: str | None) -> bool:
        """Return whether the result for the answer to a question is written; without one, that of the assignment."""
        return self.is_handled if question is None else question not in self.answered

    def _takes_answer(self, requested: Mapping[str, Any]) -> bool:
        mark = (requested.get("context") or {}).get(QUESTION)
        return isinstance(mark, dict) and mark == question_mark(str(mark.get("name")), self.assignment, waits=False)

    def _resume(self) -> None:
        self.is_stopped, self.failure = False, None


def question_mark(name: str, assignment: str | None, *, waits: bool) -> dict[str, Any]:
    """Return the mark of a question of an assignment; of one for whose answer no handler waits, it says who gets it."""
    return {"name": name, "assignment": assignment, **({} if waits else {"answer": "on_answer"})}


def with_result_mark(
    patches: Sequence[Mapping[str, Any]], assignment: str, *, completes: bool, question: str | None = None
) -> list[Mapping[str, Any]]:
    """Return the patches with the mark of their assignment, and of the question whose answer was handled.

    In one write, so that neither is there without the other.
    """
    value = {"id": assignment, "completes": completes, **({} if question is None else {"answer": question})}
    mark = {"op": "set", "path": MARK, "value": value}
    return [mark, *patches, {"op": "remove", "path": MARK}]
