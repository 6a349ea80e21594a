"""Assignments, as handlers get them beside the intent."""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .._parameters import Instant
from ..client import OpenIntentClient
from ..enums import ArbitrationStatus, Urgency
from ..errors import InputValidationError, OpenIntentError
from ..models import Arbitration, Event, Intent, Lease
from ..resources.governance import NewEscalation, NewFallback, NewOption
from ._assignment_state import QUESTION, question_mark

if TYPE_CHECKING:
    from ..aio import AsyncOpenIntentClient


class AssignmentCancelledError(OpenIntentError):
    """The handler has lost its assignment: the lease was lost, the agent was unassigned or stops, or the intent was closed."""


class Assignment:
    """An intent that this agent is to work on now. A handler gets it if it has a parameter `assignment`.

        @on_assignment
        def research(self, intent, assignment):
            for source in sources:
                assignment.raise_if_cancelled()

    intent    the intent as it was when work on it began
    attempt   1 for the first attempt at this assignment, one more for each further one, whether the one before failed or its
              process died
    event     the event that assigned it
    lease     the lease that the agent holds while it works on it
    question  the question whose answer the handler is called with; None for a handler under `on_assignment`
    client    an OpenIntentClient whose writes to the intent succeed only as long as the handler holds the assignment (protocol
              L-4); `self.client` is the same one while the handler runs
    """

    def __init__(
        self,
        intent: Intent,
        attempt: int,
        event: Event | None,
        lease: Lease,
        client: OpenIntentClient,
        connect: "Callable[[], AsyncOpenIntentClient]",
        question: Arbitration | None = None,
        takes_answer: Callable[[str], bool] = lambda name: False,
    ) -> None:
        self.intent = intent
        self.attempt = attempt
        self.event = event
        self.lease = lease
        self.client = client
        self.question = question
        self._takes_answer = takes_answer
        self._has_asked = False
        self._connect = connect
        self._async_client: AsyncOpenIntentClient | None = None
        self._cancelled = threading.Event()
        self._reason = ""
        self._callbacks: list[Callable[[], object]] = []
        self._lock = threading.Lock()

    @property
    def async_client(self) -> "AsyncOpenIntentClient":
        """The asynchronous client, for handlers that are `async def`. It needs the extra `async`."""
        self._async_client = self._async_client or self._connect()
        return self._async_client

    def request_arbitration(
        self,
        name: str,
        reason: str,
        *,
        context: Mapping[str, Any] | None = None,
        options: Sequence[str | NewOption] | None = None,
        blocking: bool | None = None,
        expires_at: Instant | None = None,
    ) -> Arbitration:
        """Ask the question `name` of this assignment once: return the arbitration that an earlier attempt has requested, if any.

            question = assignment.request_arbitration("pay", "May I pay 40 €?", options=["yes", "no"])
            answer = assignment.client.wait_for_decision(intent.id, question.id).decision

        So an attempt that was killed while it waited finds its question and the answer, however much later. One that was
        withdrawn or has expired is asked again. The other arguments are those of `client.request_arbitration`. An `async def`
        calls it by `asyncio.to_thread`.

        Raises what that raises.
        """
        mark = self._mark(name, waits=True)
        asked = self._latest_question(mark)
        if asked and asked.status in (ArbitrationStatus.PENDING, ArbitrationStatus.RESOLVED):
            return asked
        return self.client.request_arbitration(
            self.intent.id,
            reason,
            context={**(context or {}), QUESTION: mark},
            options=options,
            blocking=blocking,
            expires_at=expires_at,
        )

    def ask(
        self,
        name: str,
        question: str,
        *,
        schema: Mapping[str, Any] | None = None,
        to: Sequence[str] | None = None,
        urgency: Urgency | str | None = None,
        remind: Sequence[int] | None = None,
        escalation: Sequence[NewEscalation] | None = None,
        fallback: NewFallback | None = None,
        options: Sequence[str | NewOption] | None = None,
        context: Mapping[str, Any] | None = None,
        blocking: bool | None = None,
        expires_at: Instant | None = None,
    ) -> Arbitration:
        """Ask people the question `name` of this assignment, once, without waiting: `on_answer` is called with the answer.

            assignment.ask("amount", "How much may it cost?", schema={…}, to=["user:grace"])

        The handler may return, and its process end. Until the answer the intent stays as it is, whatever the handler returns. An attempt
        that follows one which was killed finds the question, also when it has ended: to ask again, use another name. The other arguments are
        those of `client.ask`. An `async def` calls it by `asyncio.to_thread`.

        Raises InputValidationError if no method under `on_answer` takes it; what `client.request_arbitration` raises.
        """
        if not self._takes_answer(name):
            raise InputValidationError(f"no method under @on_answer takes the answer to {name!r}", field="name")
        self._has_asked = True
        mark = self._mark(name, waits=False)
        return self._latest_question(mark) or self.client.request_arbitration(
            self.intent.id,
            question,
            context={**(context or {}), QUESTION: mark},
            options=options,
            blocking=blocking,
            expires_at=expires_at,
            response_schema=schema,
            audience=to,
            urgency=urgency,
            remind_after_seconds=remind,
            escalation=escalation,
            fallback=fallback,
        )

    request_input = ask

    def _mark(self, name: str, *, waits: bool) -> dict[str, Any]:
        return question_mark(name, self.event.id if self.event else None, waits=waits)

    def _latest_question(self, mark: Mapping[str, Any]) -> Arbitration | None:
        asked = [
            each
            for each in self.client.get_arbitrations(self.intent.id)
            if each.requester_id == self.lease.agent_id and each.context.get(QUESTION) == mark
        ]
        return asked[-1] if asked else None

    @property
    def is_cancelled(self) -> bool:
        """Whether the assignment is lost. An `async def` handler is cancelled; a `def` handler has to check."""
        return self._cancelled.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep, but no longer than until the assignment is cancelled. Return whether it is."""
        return self._cancelled.wait(seconds)

    def raise_if_cancelled(self) -> None:
        """Raise AssignmentCancelledError if the assignment is cancelled."""
        if self.is_cancelled:
            raise AssignmentCancelledError(self._reason, code="assignment_cancelled")

    def _cancel(self, reason: str) -> None:
        """Cancel the assignment and call the callbacks. Idempotent."""
        with self._lock:
            if self.is_cancelled:
                return
            self._reason = reason
            self._cancelled.set()
            callbacks, self._callbacks = self._callbacks, []
        for each in callbacks:
            each()

    def _on_cancel(self, callback: Callable[[], object]) -> None:
        """Register a callback for the cancellation. Call it now if that has happened already."""
        with self._lock:
            if not self.is_cancelled:
                self._callbacks.append(callback)
                return
        callback()
