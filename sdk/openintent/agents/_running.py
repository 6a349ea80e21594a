"""An agent while it runs: its connections, its threads, its end."""

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING

from .._environment import Connection
from .._streams import EventStream
from ..client import OpenIntentClient
from ..enums import EventType
from ..errors import OpenIntentError
from ..models import Event
from ._assignment import Assignment
from ._assignments import Assignments
from ._calling import LAST_MOMENT, Caller
from ._made import Made
from ._options import Settings
from ._patience import StoppedError, patiently
from ._reactions import Reaction, Reactions

if TYPE_CHECKING:
    from ..aio import AsyncOpenIntentClient

LOOK_THROUGH_EVERY = 300.0
"""Seconds. Events say what there is to do; this is for what they could not say, after a backup was restored, say."""

log = logging.getLogger("openintent.agents")


class Running:
    """A run of an agent, from `start` to `stop`. `handle` is called for assignments; None: the agent takes none."""

    def __init__(
        self,
        connection: Connection,
        settings: Settings,
        handle: Callable[[Assignment], object] | None,
        reactions: Sequence[Reaction],
        loop: asyncio.AbstractEventLoop | None,
    ) -> None:
        self.connection = connection
        self.agent_id = str(connection["agent_id"])
        self.settings = settings
        self.caller = Caller(loop)
        self.client = OpenIntentClient(**connection)
        self.stopping = threading.Event()
        self.failure: BaseException | None = None
        self.reactions = Reactions(self.agent_id, self.client, reactions, self.caller, self.stopping)
        self.assignments = handle and Assignments(self.agent_id, self.client, settings, handle, self.async_client)
        self._made = Made(self.agent_id, self.client) if any(each.calling.kind == "on_complete" for each in reactions) else None
        self._async_client: AsyncOpenIntentClient | None = None
        self._connecting = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._streams: list[EventStream] = []
        self._main: EventStream | None = None

    def async_client(self) -> "AsyncOpenIntentClient":
        """Made when it is asked for: it needs the extra `async`."""
        from ..aio import AsyncOpenIntentClient  # noqa: PLC0415

        with self._connecting:
            if self._async_client is None:
                self._async_client = AsyncOpenIntentClient(**self.connection)
            return self._async_client

    @property
    def position(self) -> int | None:
        return self._main.position if self._main else None

    def start(self, after: int | None) -> None:
        """Connect, and begin. Returns once it listens. Raises OpenIntentError."""
        self._main = self.follow(self._hear, agent_id=self.agent_id, after=after)
        if self._made:
            self.follow(self._hear_of_made, event_types=[EventType.INTENT_CREATED, EventType.STATUS_CHANGED])
            self._ask(self._made.look)
        self.begin(self.reactions.serve, "reactions")
        if self.assignments:
            for number in range(self.settings.concurrency):
                self.begin(self.assignments.serve, f"assignments {number}")
            self._ask(self.assignments.look_through)
            self.begin(self._look_through_again, "look through")
        if not self.stopping.is_set():
            log.info("%s is listening at %s", self.agent_id, self.client.base_url)

    def follow(
        self,
        hear: Callable[[Event], object],
        *,
        agent_id: str | None = None,
        portfolio_id: str | None = None,
        event_types: Sequence[EventType] | None = None,
        after: int | None = None,
    ) -> EventStream:
        """Hear all events of a topic from now on, in a thread of its own. Raises OpenIntentError."""
        stream = self.client.stream(agent_id=agent_id, portfolio_id=portfolio_id, event_types=event_types, after=after)
        self._streams.append(stream)
        opened = threading.Event()
        self.begin(lambda: self._listen(stream, hear, opened), "stream")
        opened.wait()
        if self.failure:
            raise self.failure
        return stream

    def begin(self, work: Callable[[], object], name: str) -> None:
        """Do it in a thread that does not keep the process from ending. What it raises ends the agent."""

        def run() -> None:
            try:
                work()
            except StoppedError:
                pass
            except BaseException as error:
                if not self.stopping.is_set():
                    self.failure = error
                    self.stop_soon()

        thread = threading.Thread(target=run, name=f"{self.agent_id}: {name}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop_soon(self) -> None:
        """Have it stop."""
        self.stopping.set()
        for stream in list(self._streams):
            stream.close()

    def stop(self) -> None:
        """Begin nothing any more; let handlers end what they are at, for so many seconds; then take it from them."""
        self.stop_soon()
        if threading.current_thread() in self._threads:  # A handler cannot wait for its own end.
            return
        deadline = monotonic() + self.settings.drain_seconds
        if self.assignments:
            self.assignments.close()
        self.reactions.close()
        if not self._join(deadline) and self.assignments:
            log.warning("%s has waited long enough for its handlers", self.agent_id)
            self.assignments.cancel("the agent stops")
            self._join(monotonic() + LAST_MOMENT)
        self._close()

    def _close(self) -> None:
        if self._async_client:
            self.caller.run(self._async_client.close())
        self.caller.close()
        self.client.close()
        log.info("%s has stopped", self.agent_id)

    def _join(self, deadline: float) -> bool:
        """Wait for all threads. Answers whether they have ended."""
        for thread in self._threads:
            thread.join(max(0.0, deadline - monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

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
            opened.set()

    def _hear(self, event: Event) -> None:
        if self.assignments:
            self.assignments.hear(event)
        self.reactions.hear(event)

    def _hear_of_made(self, event: Event) -> None:
        if self._made and self._made.has(event):
            self.reactions.hear(event)

    def _ask(self, step: Callable[[], object]) -> None:
        with suppress(StoppedError):
            patiently(step, self.stopping)

    def _look_through_again(self) -> None:
        while self.assignments and not self.stopping.wait(LOOK_THROUGH_EVERY):
            try:
                patiently(self.assignments.look_through, self.stopping)
            except OpenIntentError as error:
                log.warning("%s cannot list its assignments: %s", self.agent_id, error)
