"""Agent runtime: the connections and threads of a running agent, and its shutdown."""

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, TypeVar

from .._environment import ConnectionArguments
from .._stream import EventStream
from ..client import OpenIntentClient
from ..enums import EventType
from ..errors import OpenIntentError
from ..models import Event
from ._assignment import Assignment
from ._assignments import ANSWER_EVENTS, ASSIGNMENT_EVENTS, AssignmentProcessor
from ._created_intents import CreatedIntents
from ._event_handlers import EventDispatcher, EventHandler
from ._handler_runner import CANCEL_GRACE, HandlerRunner, is_in_event_loop
from ._options import Settings
from ._retry import StoppedError, retry_until_stopped

if TYPE_CHECKING:
    from ..aio import AsyncOpenIntentClient

RESCAN_INTERVAL = 300.0
"""Seconds between scans for assigned intents. Events announce them; the scan is for what events miss, such as a restored backup."""

T = TypeVar("T")

log = logging.getLogger("openintent.agents")


class AgentRuntime:
    """One run of an agent, from `start` to `stop`. `handle` is called for assignments; None: the agent takes none.

    `takes_answer` says which questions have a handler; None: none has.
    """

    def __init__(
        self,
        connection: ConnectionArguments,
        settings: Settings,
        handle: Callable[[Assignment], object] | None,
        handlers: Sequence[EventHandler],
        runner: HandlerRunner,
        agent: object,
        takes_answer: Callable[[str], bool] | None = None,
    ) -> None:
        self.agent_id = str(connection["agent_id"])
        self.client = OpenIntentClient(**connection)
        self.runner = runner
        self.stopping = threading.Event()
        self.failure: BaseException | None = None
        self.dispatcher = EventDispatcher(self.agent_id, self.client, handlers, runner, self.stopping, agent)
        self._connection = connection
        self._settings = settings
        self._processor = handle and AssignmentProcessor(
            self.agent_id, self.client, settings, handle, self.async_client, takes_answer
        )
        needed = (ASSIGNMENT_EVENTS if handle else frozenset()) | (ANSWER_EVENTS if takes_answer else frozenset())
        self._types = needed.union(*(each.trigger.types for each in handlers))
        has_on_complete = any(each.trigger.kind == "on_complete" for each in handlers)
        self._created = CreatedIntents(self.agent_id, self.client, self.dispatcher.dispatch) if has_on_complete else None
        self._async_client: AsyncOpenIntentClient | None = None
        self._lock = threading.Lock()
        self._end_lock = threading.Lock()
        self.has_ended = False
        self._has_started = False
        self._workers: list[threading.Thread] = []
        self._streams: list[EventStream] = []
        self._on_stop: Callable[[], object] = lambda: None

    def async_client(self) -> "AsyncOpenIntentClient":
        """Return the asynchronous client, created on first use: it needs the extra `async`."""
        from ..aio import AsyncOpenIntentClient  # noqa: PLC0415

        with self._lock:
            if self._async_client is None:
                self._async_client = AsyncOpenIntentClient(**self._connection)
            return self._async_client

    @property
    def position(self) -> int | None:
        """The position that all of its streams have reached."""
        with self._lock:
            return min((each.position for each in self._streams if each.position is not None), default=None)

    def start(self, after: int | None) -> None:
        """Connect the streams and start the threads. Return once the agent is listening. Raise OpenIntentError."""

        def handle_event(event: Event) -> None:
            if self._processor:
                self._processor.handle_event(event)
            if not self.stopping.is_set():
                self.dispatcher.dispatch(event)

        if self._types:
            self.follow(handle_event, agent_id=self.agent_id, event_types=sorted(self._types), after=after)
        if self._created:
            self.follow(self._created.handle_event, event_types=[EventType.INTENT_CREATED, EventType.STATUS_CHANGED])
            with suppress(StoppedError):
                self.retry(self._created.load)
        self._workers.append(self._start_thread(self.dispatcher.run, "event handlers"))
        if self._processor:
            for number in range(self._settings.concurrency):
                self._workers.append(self._start_thread(self._processor.run, f"assignments {number + 1}"))
            with suppress(StoppedError):
                self.retry(self._processor.enqueue_open)
            self._start_thread(self._rescan_periodically, "rescan")
        self._has_started = True
        if not self.stopping.is_set():
            log.info("%s is listening at %s", self.agent_id, self.client.base_url)

    def follow(
        self,
        handle: Callable[[Event], object],
        *,
        agent_id: str | None = None,
        portfolio_id: str | None = None,
        event_types: Sequence[str] | None = None,
        after: int | None = None,
    ) -> EventStream:
        """Call `handle` with the events of a topic, in a thread of its own. Return once connected. Raise OpenIntentError."""
        stream = self.client.stream(agent_id=agent_id, portfolio_id=portfolio_id, event_types=event_types, after=after)
        with self._lock:
            self._streams.append(stream)
        if self.stopping.is_set():
            self._close_streams()
        opened = threading.Event()

        def consume() -> None:
            try:
                with stream:
                    opened.set()
                    for event in stream:
                        handle(event)
            except BaseException as error:
                if not self.stopping.is_set():
                    self.failure = error
                raise
            finally:
                with self._lock:
                    self._streams.remove(stream)
                opened.set()

        self._start_thread(consume, "stream")
        opened.wait()
        if self.failure:
            raise self.failure
        return stream

    def retry(self, step: Callable[[], T]) -> T:
        """Return what `step` returns, repeating it after transient errors. Raise StoppedError, and errors that are not transient."""
        return retry_until_stopped(step, self.stopping)

    def on_stop(self, callback: Callable[[], object]) -> None:
        """Call `callback`, in any thread, as soon as the agent is to stop."""
        self._on_stop = callback
        if self.stopping.is_set():
            callback()

    def stop_soon(self) -> None:
        """Request the stop. Running handlers continue, and are still cancelled by events."""
        self.stopping.set()
        if not self._has_started:
            self._close_streams()
        self._on_stop()

    def stop(self) -> None:
        """Start nothing more, wait `drain_seconds` for running handlers, then cancel them."""
        self.stop_soon()
        if threading.current_thread() in self._workers or is_in_event_loop():  # A handler cannot wait for its own end.
            return
        with self._end_lock:
            if self.has_ended:
                return
            deadline = monotonic() + self._settings.drain_seconds
            if self._processor:
                self._processor.close()
            self.dispatcher.close()
            if not self._join_workers(deadline) and self._processor:
                log.warning("%s cancels handlers that are still running", self.agent_id)
                self._processor.cancel("the agent stops")
                self._join_workers(monotonic() + CANCEL_GRACE)
            self._close_streams()
            if self._async_client:
                self.runner.run_coroutine(self._async_client.close())
            self.runner.close()
            self.client.close()
            log.info("%s has stopped", self.agent_id)
            self.has_ended = True

    def _close_streams(self) -> None:
        for stream in list(self._streams):
            stream.close()

    def _join_workers(self, deadline: float) -> bool:
        """Wait for the workers. Return whether all have ended."""
        for thread in self._workers:
            thread.join(max(0.0, deadline - monotonic()))
        return not any(thread.is_alive() for thread in self._workers)

    def _start_thread(self, work: Callable[[], object], name: str) -> threading.Thread:
        """Call `work` in a daemon thread. An exception stops the agent."""

        def run() -> None:
            try:
                work()
            except StoppedError:
                pass
            except BaseException as error:
                if not self.stopping.is_set():
                    log.error("%s stops: %s", self.agent_id, error)
                    self.failure = error
                    self.stop_soon()

        thread = threading.Thread(target=run, name=f"{self.agent_id}: {name}", daemon=True)
        thread.start()
        return thread

    def _rescan_periodically(self) -> None:
        while self._processor and not self.stopping.wait(RESCAN_INTERVAL):
            try:
                self.retry(self._processor.enqueue_open)
            except OpenIntentError as error:
                log.warning("%s cannot list its assignments: %s", self.agent_id, error)
