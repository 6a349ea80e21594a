"""Event handlers: methods that are called after events, one event at a time and in their order."""

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from ..client import OpenIntentClient
from ..models import Event
from ._decorators import Trigger
from ._handler_arguments import Arguments, Handler, with_arguments
from ._handler_runner import HandlerRunner
from ._logged_states import LoggedStates
from ._retry import StoppedError, retry_until_stopped

MAX_KNOWN = 10_000
"""Events that are remembered, as two streams may deliver the same one."""

log = logging.getLogger("openintent.agents")


@dataclass(frozen=True, slots=True)
class EventHandler:
    """A method, and what it is called for."""

    trigger: Trigger
    method: Handler


def answer_handlers(handlers: Sequence[EventHandler]) -> dict[str | None, Handler]:
    """Return the methods under `on_answer` by the names of their questions; None: all other ones. Raise TypeError if two take one."""
    found: dict[str | None, Handler] = {}
    for each in handlers:
        for name in (each.trigger.names or [None]) if each.trigger.kind == "on_answer" else ():
            if name in found:
                raise TypeError(f"two methods under @on_answer take the answer to {name or 'every question'!r}")
            found[name] = each.method
    return found


class EventDispatcher:
    """Calls the handlers of an event, in one thread. Their exceptions are logged and do not stop the agent."""

    def __init__(
        self,
        agent_id: str,
        client: OpenIntentClient,
        handlers: Sequence[EventHandler],
        runner: HandlerRunner,
        stopping: threading.Event,
        agent: object,
    ) -> None:
        self._agent_id = agent_id
        self._client = client
        self._handlers = handlers
        self._runner = runner
        self._stopping = stopping
        self._agent = agent
        self._states = LoggedStates(client)
        self._recent: deque[str] = deque(maxlen=MAX_KNOWN)
        self._known: set[str] = set()
        self._actions: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()

    def dispatch(self, event: Event) -> None:
        """Queue the calls of the event's handlers. Idempotent."""
        matching = [each for each in self._handlers if each.trigger.accepts(event, self._agent_id)]
        if not matching or event.id in self._known:
            return
        if len(self._recent) == MAX_KNOWN:
            self._known.discard(self._recent[0])
        self._recent.append(event.id)
        self._known.add(event.id)
        self.enqueue(lambda: self._call_handlers(event, matching))

    def enqueue(self, action: Callable[[], object]) -> None:
        """Call the action after those queued before."""
        self._actions.put(action)

    def run(self) -> None:
        """Call queued actions until `close`."""
        while (action := self._actions.get()) is not None:
            try:
                action()
            except StoppedError:
                pass
            except BaseException:
                log.exception("A handler of %s failed", self._agent_id)

    def close(self) -> None:
        """End `run` after the actions that are queued."""
        self._actions.put(None)

    def _call_handlers(self, event: Event, handlers: Sequence[EventHandler]) -> None:
        client, intent_id = self._client, event.intent_id or ""
        arguments: Arguments = {
            "event": lambda: event,
            "intent": lambda: client.get_intent(intent_id),
            "scope": lambda: each.trigger.scope,
            "lease": lambda: next(
                lease for lease in client.get_leases(intent_id, status=None) if lease.id == event.payload["lease_id"]
            ),
            "old": lambda: self._states.around(event)[0],
            "new": lambda: self._states.around(event)[1],
            "agent": lambda: self._agent,
            "client": lambda: client,
        }
        for each in handlers:
            try:
                prepare = partial(with_arguments, each.trigger.kind, each.method, arguments)
                self._runner.call(retry_until_stopped(prepare, self._stopping))
            except StoppedError:
                return
            except BaseException:
                log.exception("@%s of %s failed at the event %s", each.trigger.kind, self._agent_id, event.id)
