"""Running handlers, `def` or `async def`."""

import asyncio
import inspect
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, InvalidStateError, wait
from contextlib import suppress
from contextvars import copy_context
from typing import Any, TypeVar

T = TypeVar("T")

CANCEL_GRACE = 1.0
"""Seconds for cancelled coroutines to end."""


class HandlerTimeoutError(TimeoutError):
    """A handler has taken longer than its `time_limit_seconds`."""

    error_type = "timeout"


class HandlerRunner:
    """Calls handlers and waits for their results, but no longer than `time_limit` seconds.

    Coroutines run in one event loop: `loop`, or one in a thread of its own.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None, time_limit: float | None = None) -> None:
        self._loop = loop
        self._time_limit = time_limit
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The running event loop, started on first use."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="handlers", daemon=True)
                self._thread.start()
            return self._loop

    def call(self, handler: Callable[[], Any], started: Callable[[Future[Any]], object] = lambda future: None) -> Any:
        """Call the handler and return its result.

        `started` is given the future of a coroutine: cancelling that cancels the coroutine. Raise what the handler raises,
        concurrent.futures.CancelledError, and HandlerTimeoutError: a coroutine is cancelled then, a thread goes on by itself.
        """
        result = handler() if self._time_limit is None else self._result_of(_start_thread(handler))
        if not inspect.isawaitable(result):
            return result

        async def run() -> tuple[Any, BaseException | None]:
            try:
                return await result, None
            except (SystemExit, KeyboardInterrupt) as error:  # They would end the loop.
                return None, error

        future = asyncio.run_coroutine_threadsafe(run(), self.loop)
        started(future)
        value, error = self._result_of(future)
        if error:
            raise error
        return value

    def _result_of(self, future: Future[T]) -> T:
        if not wait([future], self._time_limit).done:
            future.cancel()
            raise HandlerTimeoutError(f"the handler has not ended after {self._time_limit} seconds")
        return future.result()

    def run_coroutine(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine of the agent itself, from a thread that is not the loop's, and return its result."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def close(self) -> None:
        """Cancel what still runs in the loop and stop it, unless the loop was passed in."""

        async def cancel_all() -> None:
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            if others:  # What ignores the cancellation ends with the process.
                await asyncio.wait(others, timeout=CANCEL_GRACE)

        if self._thread and self._loop:
            self.run_coroutine(cancel_all())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()


def _start_thread(handler: Callable[[], Any]) -> Future[Any]:
    """Call the handler in a daemon thread of its own, and return its future."""
    future: Future[Any] = Future()
    context = copy_context()

    def run() -> None:
        try:
            future.set_result(context.run(handler))
        except BaseException as error:
            with suppress(InvalidStateError):
                future.set_exception(error)

    threading.Thread(target=run, name="handler", daemon=True).start()
    return future


def is_in_event_loop() -> bool:
    """Return whether this thread runs an event loop, which must not be blocked."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
