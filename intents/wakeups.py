"""Wake-ups of readers that wait for the log to grow. They carry no event and may be missed: readers also poll."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

Callback = Callable[[], None]
"""Called by whichever thread has news, so it must be quick, and safe to be called from any thread."""


class Broadcast:
    """A signal within this process: `notify` calls the callbacks of all listeners."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callbacks: tuple[Callback, ...] = ()

    def notify(self) -> None:
        for callback in self._callbacks:
            callback()

    @contextmanager
    def listen(self, callback: Callback) -> Iterator[None]:
        """Have `callback` called while the block runs."""
        with self._lock:
            self._callbacks = (*self._callbacks, callback)
        try:
            yield
        finally:
            with self._lock:
                remaining = [*self._callbacks]
                remaining.remove(callback)
                self._callbacks = tuple(remaining)


events_committed = Broadcast()
"""This process has committed events. Those of a server-wide order have no position yet."""

positions_assigned = Broadcast()
"""This process has assigned positions to events."""

remote_positions_assigned = Broadcast()
"""Another process has assigned positions to events."""


@contextmanager
def listen(callback: Callback, *broadcasts: Broadcast) -> Iterator[None]:
    """Have `callback` called at each of these broadcasts while the block runs."""
    with ExitStack() as stack:
        for broadcast in broadcasts:
            stack.enter_context(broadcast.listen(callback))
        yield


class AsyncListener:
    """A callback (`notify`, from any thread) that a task of an event loop can await. A busy log costs it one call per wait."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()
        self._is_notified = False

    def notify(self) -> None:
        if not self._is_notified:
            self._is_notified = True
            with suppress(RuntimeError):  # The loop is closed: there is no task left to wake.
                self._loop.call_soon_threadsafe(self._event.set)

    async def wait(self, seconds: float) -> None:
        """Return after a notification since the last wait, or after `seconds`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # wait_for loses a cancellation that comes with the notification.
                await self._event.wait()
        self._event.clear()
        self._is_notified = False  # Every commit from now on notifies again.
