"""An agent while it runs: its connections, its threads, its end."""

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from .._backoff import StoppedError, patiently
from .._environment import Connection
from .._stream import EventStream
from ..client import OpenIntentClient
from ..enums import EventType
from ..errors import OpenIntentError
from ..models import Event
from ._assignment import Assignment
from ._assignments import HEARD, Assignments
from ._created_intents import Made
from ._event_handlers import Reaction, Reactions
from ._handler_runner import LAST_MOMENT, Caller, is_in_a_loop
from ._options import Settings

if TYPE_CHECKING:
    from ..aio import AsyncOpenIntentClient

LOOK_THROUGH_EVERY = 300.0
"""Seconds. Events say what there is to do; this is for what they could not say, after a backup was restored, say."""

T = TypeVar("T")

log = logging.getLogger("openintent.agents")


class Running:
    """A run of an agent, from `start` to `stop`. `handle` is called for assignments; None: the agent takes none."""

    def __init__(
        self,
        connection: Connection,
        settings: Settings,
        handle: Callable[[Assignment], object] | None,
        reactions: Sequence[Reaction],
        caller: Caller,
    ) -> None:
        self.agent_id = str(connection["agent_id"])
        self.client = OpenIntentClient(**connection)
        self.caller = caller
        self.stopping = threading.Event()
        self.failure: BaseException | None = None
        self.reactions = Reactions(self.agent_id, self.client, reactions, caller, self.stopping)
        self._connection = connection
        self._settings = settings
        self._assignments = handle and Assignments(self.agent_id, self.client, settings, handle, self.async_client)
        self._types = (HEARD if handle else frozenset()).union(*(each.calling.types for each in reactions))
        self._made = Made(self.agent_id, self.client) if any(each.calling.kind == "on_complete" for each in reactions) else None
        self._async_client: AsyncOpenIntentClient | None = None
        self._changing = threading.Lock()
        self._ending = threading.Lock()
        self.has_ended = False
        self._has_started = False
        self._serving: list[threading.Thread] = []
        self._streams: list[EventStream] = []
        self._then: Callable[[], object] = lambda: None

    def async_client(self) -> "AsyncOpenIntentClient":
        """Made when it is asked for: it needs the extra `async`."""
        from ..aio import AsyncOpenIntentClient  # noqa: PLC0415

        with self._changing:
            if self._async_client is None:
                self._async_client = AsyncOpenIntentClient(**self._connection)
            return self._async_client

    @property
    def position(self) -> int | None:
        """How far all of its streams have come."""
        with self._changing:
            return min((each.position for each in self._streams if each.position is not None), default=None)

    def start(self, after: int | None) -> None:
        """Connect, and begin. Returns once it listens. Raises OpenIntentError."""
        if self._types:
            self.follow(self._hear, agent_id=self.agent_id, event_types=sorted(self._types), after=after)
        if self._made:
            self.follow(self._hear_of_made, event_types=[EventType.INTENT_CREATED, EventType.STATUS_CHANGED])
            self._ask_unless_stopped(self._made.look)
        self._serving.append(self._begin(self.reactions.serve, "reactions"))
        if self._assignments:
            for number in range(self._settings.concurrency):
                self._serving.append(self._begin(self._assignments.serve, f"assignments {number + 1}"))
            self._ask_unless_stopped(self._assignments.look_through)
            self._begin(self._look_through_again, "look through")
        self._has_started = True
        if not self.stopping.is_set():
            log.info("%s is listening at %s", self.agent_id, self.client.base_url)

    def follow(
        self,
        hear: Callable[[Event], object],
        *,
        agent_id: str | None = None,
        portfolio_id: str | None = None,
        event_types: Sequence[str] | None = None,
        after: int | None = None,
    ) -> EventStream:
        """Hear the events of a topic, in a thread of its own. Returns once it listens. Raises OpenIntentError."""
        stream = self.client.stream(agent_id=agent_id, portfolio_id=portfolio_id, event_types=event_types, after=after)
        with self._changing:
            self._streams.append(stream)
        if self.stopping.is_set():
            self._hang_up()
        opened = threading.Event()
        self._begin(lambda: self._listen(stream, hear, opened), "stream")
        opened.wait()
        if self.failure:
            raise self.failure
        return stream

    def ask(self, step: Callable[[], T]) -> T:
        """Do it, as often as it takes until the server answers. Raises StoppedError, and what does not pass."""
        return patiently(step, self.stopping)

    def on_stop(self, call: Callable[[], object]) -> None:
        """Have this called, in whatever thread, as soon as the agent is to stop."""
        self._then = call
        if self.stopping.is_set():
            call()

    def stop_soon(self) -> None:
        """Have it stop. What is being worked on goes on, and hears meanwhile what others do to it."""
        self.stopping.set()
        if not self._has_started:
            self._hang_up()
        self._then()

    def stop(self) -> None:
        """Begin nothing any more; let handlers end what they are at, for so many seconds; then take it from them."""
        self.stop_soon()
        if threading.current_thread() in self._serving or is_in_a_loop():  # A handler cannot wait for its own end.
            return
        with self._ending:
            if not self.has_ended:
                self._end()
                self.has_ended = True

    def _end(self) -> None:
        deadline = monotonic() + self._settings.drain_seconds
        if self._assignments:
            self._assignments.close()
        self.reactions.close()
        if not self._join(deadline) and self._assignments:
            log.warning("%s does not wait any longer for its handlers", self.agent_id)
            self._assignments.cancel("the agent stops")
            self._join(monotonic() + LAST_MOMENT)
        self._hang_up()
        if self._async_client:
            self.caller.run(self._async_client.close())
        self.caller.close()
        self.client.close()
        log.info("%s has stopped", self.agent_id)

    def _hang_up(self) -> None:
        for stream in list(self._streams):
            stream.close()

    def _join(self, deadline: float) -> bool:
        """Wait for those who serve. Answers whether they have ended."""
        for thread in self._serving:
            thread.join(max(0.0, deadline - monotonic()))
        return not any(thread.is_alive() for thread in self._serving)

    def _begin(self, work: Callable[[], object], name: str) -> threading.Thread:
        """Do it in a thread that does not keep the process from ending. What it raises ends the agent."""

        def run() -> None:
            try:
                work()
            except StoppedError:
                pass
            except BaseException as error:
                if not self.stopping.is_set():
                    log.error("%s ends: %s", self.agent_id, error)
                    self.failure = error
                    self.stop_soon()

        thread = threading.Thread(target=run, name=f"{self.agent_id}: {name}", daemon=True)
        thread.start()
        return thread

    def _listen(self, stream: EventStream, hear: Callable[[Event], object], opened: threading.Event) -> None:
        try:
            with stream:
                opened.set()
                for event in stream:
                    hear(event)
        except BaseException as error:
            if not self.stopping.is_set():
                self.failure = error
            raise
        finally:
            with self._changing:
                self._streams.remove(stream)
            opened.set()

    def _hear(self, event: Event) -> None:
        if self._assignments:
            self._assignments.hear(event)
        if not self.stopping.is_set():
            self.reactions.hear(event)

    def _hear_of_made(self, event: Event) -> None:
        if self._made and self._made.has(event):
            self.reactions.hear(event)

    def _ask_unless_stopped(self, step: Callable[[], object]) -> None:
        with suppress(StoppedError):
            self.ask(step)

    def _look_through_again(self) -> None:
        while self._assignments and not self.stopping.wait(LOOK_THROUGH_EVERY):
            try:
                self.ask(self._assignments.look_through)
            except OpenIntentError as error:
                log.warning("%s cannot list its assignments: %s", self.agent_id, error)
