"""Methods that are called after events, one event at a time and in the order in which they happened."""

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from .._backoff import StoppedError, patiently
from ..client import OpenIntentClient
from ..models import Event
from ._decorators import Calling
from ._handler_runner import Caller, Handler, parameters

REMEMBERED = 10_000
"""Events that are known to have been heard, so that two streams may tell of the same one."""

log = logging.getLogger("openintent.agents")


@dataclass(frozen=True, slots=True)
class Reaction:
    calling: Calling
    handler: Handler


class Reactions:
    """Calls what wants to hear of an event. What is raised is logged, and does not stop the agent."""

    def __init__(
        self, agent_id: str, client: OpenIntentClient, reactions: Sequence[Reaction], caller: Caller, stopping: threading.Event
    ) -> None:
        self._agent_id = agent_id
        self._client = client
        self._reactions = reactions
        self._caller = caller
        self._stopping = stopping
        self._heard: deque[str] = deque(maxlen=REMEMBERED)
        self._known: set[str] = set()
        self._waiting: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()

    def hear(self, event: Event) -> None:
        """Have called what wants to hear of it, unless it was heard before."""
        wanting = [each for each in self._reactions if each.calling.wants(event, self._agent_id)]
        if wanting and self._is_news(event):
            self.call(lambda: self._react(event, wanting))

    def call(self, action: Callable[[], object]) -> None:
        """Do it in its turn."""
        self._waiting.put(action)

    def serve(self) -> None:
        """Call what is waiting, until `close`."""
        while (action := self._waiting.get()) is not None:
            try:
                action()
            except StoppedError:
                pass
            except BaseException:
                log.exception("A handler of %s failed", self._agent_id)

    def close(self) -> None:
        """End, once what is waiting has been called."""
        self._waiting.put(None)

    def _react(self, event: Event, wanting: Sequence[Reaction]) -> None:
        for each in wanting:
            try:
                self._caller.call(each.handler, *self._arguments(event, each))
            except StoppedError:
                return
            except BaseException:
                log.exception("%s of %s failed at the event %s", each.handler.__name__, self._agent_id, event.id)

    def _arguments(self, event: Event, reaction: Reaction) -> list[object]:
        if reaction.calling.kind == "on_event" and parameters(reaction.handler) < 2:
            return [event]
        intent = patiently(lambda: self._client.get_intent(event.intent_id or ""), self._stopping)
        return [event, intent] if reaction.calling.kind == "on_event" else [intent, event]

    def _is_news(self, event: Event) -> bool:
        if event.id in self._known:
            return False
        if len(self._heard) == REMEMBERED:
            self._known.discard(self._heard[0])
        self._heard.append(event.id)
        self._known.add(event.id)
        return True
