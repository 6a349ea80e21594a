"""What a handler knows about its assignment besides the intent."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..client import OpenIntentClient
from ..errors import OpenIntentError
from ..models import Intent

if TYPE_CHECKING:
    from ..aio import AsyncOpenIntentClient


class AssignmentCancelledError(OpenIntentError):
    """The assignment is no longer this handler's: its lease was lost, it was unassigned, the intent was closed, or the agent stops."""


class Assignment:
    """An intent that this agent is to work on, now. A handler that wants it takes it as its second argument.

        @on_assignment
        def research(self, intent, assignment):
            for source in sources:
                assignment.raise_if_cancelled()

    intent    as it was when work on it began
    attempt   1 for the first time that work on this assignment is begun, one more for each further time, whether the one before
              failed or its process died
    client    an OpenIntentClient whose writes to the intent succeed only as long as the assignment is this handler's (protocol
              L-4); `self.client` is the same one while the handler runs
    """

    def __init__(
        self, intent: Intent, attempt: int, client: OpenIntentClient, connect: "Callable[[], AsyncOpenIntentClient]"
    ) -> None:
        self.intent = intent
        self.attempt = attempt
        self.client = client
        self._connect = connect
        self._async_client: AsyncOpenIntentClient | None = None
        self._cancelled = threading.Event()
        self._reason = ""
        self._then: list[Callable[[], object]] = []
        self._changing = threading.Lock()

    @property
    def async_client(self) -> "AsyncOpenIntentClient":
        """The same with coroutines, for handlers that are `async def`. It needs the extra `async`."""
        self._async_client = self._async_client or self._connect()
        return self._async_client

    @property
    def is_cancelled(self) -> bool:
        """Whether the handler works for nothing by now. An `async def` is cancelled; a `def` has to look."""
        return self._cancelled.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep, but no longer than until it is cancelled. Answers whether it is."""
        return self._cancelled.wait(seconds)

    def raise_if_cancelled(self) -> None:
        """Raises AssignmentCancelledError if it is."""
        if self.is_cancelled:
            raise AssignmentCancelledError(self._reason, code="assignment_cancelled")

    def _cancel(self, reason: str) -> None:
        """For the agent. Repeating it does nothing."""
        with self._changing:
            if self.is_cancelled:
                return
            self._reason = reason
            self._cancelled.set()
            then, self._then = self._then, []
        for each in then:
            each()

    def _on_cancel(self, call: Callable[[], object]) -> None:
        """Have this called when it is cancelled; now, if it is."""
        with self._changing:
            if not self.is_cancelled:
                self._then.append(call)
                return
        call()
