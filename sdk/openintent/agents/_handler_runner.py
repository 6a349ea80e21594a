"""Running handlers, `def` or `async def`."""

import asyncio
import inspect
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

CANCEL_GRACE = 1.0
"""Seconds for cancelled coroutines to end."""


class HandlerRunner:
    """Calls handlers and waits for their results. Coroutines run in one event loop: `loop`, or one in a thread of its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop
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

        `started` is given the future of a coroutine: cancelling that cancels the coroutine. Raise what the handler raises, and
        concurrent.futures.CancelledError.
        """
        result = handler()
        if not inspect.isawaitable(result):
            return result

        async def wait() -> Any:
            return await result

        future = asyncio.run_coroutine_threadsafe(wait(), self.loop)
        started(future)
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


def is_in_event_loop() -> bool:
    """Return whether this thread runs an event loop, which must not be blocked."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
