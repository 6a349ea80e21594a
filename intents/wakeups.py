"""Wakes those who wait for the log to grow. It carries no event and may be missed: listeners also look by themselves."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

Bell = Callable[[], None]
"""Rung by whichever thread has news, so it must be quick, and safe to be called from any thread."""


class Doorbell:
    def __init__(self) -> None:
        self._changing = threading.Lock()
        self._bells: tuple[Bell, ...] = ()

    def ring(self) -> None:
        for bell in self._bells:
            bell()

    @contextmanager
    def listening(self, bell: Bell) -> Iterator[None]:
        """Have this bell rung while the block runs."""
        with self._changing:
            self._bells = (*self._bells, bell)
        try:
            yield
        finally:
            with self._changing:
                left = [*self._bells]
                left.remove(bell)
                self._bells = tuple(left)


committed = Doorbell()
"""This process has committed events. Those of a server-wide order have no position yet."""

grown = Doorbell()
"""The log has new positions, given by this process."""

elsewhere = Doorbell()
"""The log has new positions, given by another process."""


@contextmanager
def listening(bell: Bell, *doors: Doorbell) -> Iterator[None]:
    """Have this bell rung at each of these doors while the block runs."""
    with ExitStack() as stack:
        for door in doors:
            stack.enter_context(door.listening(bell))
        yield


class Ear:
    """How a task of an event loop listens: its `ring` is the bell, from any thread. A busy log costs it one call per wait."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._heard = asyncio.Event()
        self._is_rung = False

    def ring(self) -> None:
        if not self._is_rung:
            self._is_rung = True
            with suppress(RuntimeError):  # The loop is closed: nobody listens any more.
                self._loop.call_soon_threadsafe(self._heard.set)

    async def wait(self, seconds: float) -> None:
        """Return once it has rung since the last wait, or after so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):  # wait_for loses a cancellation that comes with the ring.
                await self._heard.wait()
        self._heard.clear()
        self._is_rung = False  # Whoever commits from now on rings again.
