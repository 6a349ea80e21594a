"""Thread pool for an event loop.

`loop.run_in_executor` needs two futures, a condition and a chain of callbacks per call: a tenth of the cost of a
small request.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from functools import partial
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any

from core.errors import Unavailable

WAIT_SECONDS = 10.0  # Seconds that a call waits for a thread.
MOST_TOGETHER = 32  # Calls that may run together,
LONGEST_TOGETHER = 0.01  # and seconds after which no further one begins.

Done = Callable[[Any, BaseException | None], None]
"""Called in the event loop with the result, or with an error."""

Together = Callable[[], AbstractContextManager[Callable[[], bool]]]
"""Around calls that run together: if it ends with an error, that is the outcome of all. It yields whether further ones may begin."""


class _Call:
    """A submitted call, which either a thread takes or its time limit."""

    __slots__ = ("arguments", "done", "expires_at", "function", "loop", "untaken")

    def __init__(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], loop: asyncio.AbstractEventLoop, done: Done
    ) -> None:
        self.function = function
        self.arguments = arguments
        self.loop = loop
        self.done = done
        self.expires_at = 0.0
        self.untaken = [True]

    def clear(self) -> None:
        """Keep no object of the request alive: the call itself may wait for its time limit."""
        self.function, self.arguments, self.done = _nothing, (), _nothing

    def take(self) -> bool:
        """Return True to the first caller only."""
        try:
            return self.untaken.pop()
        except IndexError:
            return False


def _nothing(*_: Any) -> None: ...


class ThreadPool:
    """A fixed number of threads that run functions for an event loop."""

    def __init__(self, count: int, name: str, *, together: Together | None = None, patience: float | None = None) -> None:
        """With `together`, a thread runs the calls that wait one after the other inside of it, and their outcomes are known at its end.

        With `patience`, the first thread runs all calls, and the others help while one has been running for so many seconds: short
        calls that never wait for something outside lose more to the interpreter's lock than several threads gain.
        """
        self._together = together
        self._patience = patience
        self._needs_help = threading.Event()
        self._running: list[_Call | None] = [None] * count
        self._watching: asyncio.AbstractEventLoop | None = None
        self._is_closed = False
        self._lock = threading.Lock()
        self._unfinished = 0
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._expiring: deque[_Call] = deque()
        self._threads = [
            threading.Thread(target=self._work, args=[number], name=f"{name}-{number}", daemon=True) for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    async def run(self, function: Callable[..., Any], *arguments: Any, expires: bool = False) -> Any:
        """Call the function in the next free thread and return its result. Cancelling the caller does not stop it.

        With `expires`, raise Unavailable if no thread becomes free in time.
        """
        outcome = asyncio.get_running_loop().create_future()
        self.submit(function, *arguments, done=partial(_set_outcome, outcome), expires=expires)
        return await outcome

    def submit(self, function: Callable[..., Any], *arguments: Any, done: Done, expires: bool = False) -> None:
        """Call the function in the next free thread, and `done` in the running event loop.

        With `expires`, `done` gets Unavailable if no thread becomes free within WAIT_SECONDS.
        """
        if self._is_closed:
            raise RuntimeError("The thread pool is closed.")  # Otherwise the caller would wait for ever.
        loop = asyncio.get_running_loop()
        call = _Call(function, arguments, loop, done)
        with self._lock:
            self._unfinished += 1
        if expires and self._unfinished > len(self._threads):
            call.expires_at = loop.time() + WAIT_SECONDS
            self._expiring.append(call)
            if len(self._expiring) == 1:
                loop.call_later(WAIT_SECONDS, self._expire, loop)
        self._calls.put(call)
        if self._patience and self._unfinished > 1 and self._watching is not loop:
            self._watching = loop
            loop.call_later(self._patience, self._watch, loop, self._patience, [*self._running])

    def close(self) -> None:
        """Finish all submitted calls and stop the threads."""
        with self._lock:
            self._is_closed = True
            self._needs_help.set()
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            thread.join()

    def _expire(self, loop: asyncio.AbstractEventLoop) -> None:
        """Refuse the calls that have waited for too long, and come again for the next one."""
        while self._expiring and self._expiring[0].expires_at <= loop.time():
            call = self._expiring.popleft()
            if call.take():
                call.done(None, Unavailable("The server is too busy at the moment."))
                call.clear()
        if self._expiring:
            loop.call_later(self._expiring[0].expires_at - loop.time(), self._expire, loop)

    def _watch(self, loop: asyncio.AbstractEventLoop, patience: float, seen: list[_Call | None]) -> None:
        """Let the other threads help if a call has been running since the last look; look again while calls run that long, or wait."""
        running = [*self._running]
        is_slow = any(call and call is before for call, before in zip(running, seen, strict=True))
        with self._lock:
            if is_slow:
                self._needs_help.set()
            elif not self._is_closed:
                self._needs_help.clear()
        if is_slow or not self._calls.empty():
            loop.call_later(patience, self._watch, loop, patience, running)
        else:
            self._watching = None

    def _work(self, number: int) -> None:
        is_helper = self._patience and number
        while not is_helper or self._needs_help.wait():
            call = self._calls.get()
            if call is None:
                return
            self._running[number] = call
            if self._together:
                self._run_together(call, self._together)
            elif outcome := self._run(call):
                _deliver(call, *outcome)
            call = outcome = self._running[number] = None  # Keep no object of a request alive while the thread waits.

    def _run_together(self, first: _Call, together: Together) -> None:
        outcomes: list[tuple[_Call, Any, BaseException | None]] = []
        ends_at = monotonic() + LONGEST_TOGETHER
        call: _Call | None = first
        try:
            with together() as may_go_on:
                while call:
                    if outcome := self._run(call):
                        outcomes.append((call, *outcome))
                    is_last = len(outcomes) == MOST_TOGETHER or monotonic() >= ends_at or not may_go_on()
                    call = None if is_last else self._next_waiting()
        except Exception as error:
            outcomes = [(each, None, error) for each, _, _ in outcomes]
        for each in outcomes:
            _deliver(*each)

    def _next_waiting(self) -> _Call | None:
        """Return the call that has waited longest, or None if there is none."""
        try:
            call = self._calls.get_nowait()
        except Empty:
            return None
        if call is None:  # It ends the thread.
            self._calls.put(None)
        return call

    def _run(self, call: _Call) -> tuple[Any, BaseException | None] | None:
        """Run the call. Return its result or error, or None if its time limit has passed."""
        try:
            return (call.function(*call.arguments), None) if call.take() else None
        except BaseException as error:  # Handled in the event loop.
            return None, error
        finally:
            with self._lock:
                self._unfinished -= 1


def _deliver(call: _Call, result: Any, error: BaseException | None) -> None:
    with suppress(RuntimeError):  # The loop is closed: nobody waits.
        call.loop.call_soon_threadsafe(call.done, result, error)
    call.clear()


def _set_outcome(outcome: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if outcome.done():
        return
    if error is None:
        outcome.set_result(result)
    else:
        outcome.set_exception(error)
