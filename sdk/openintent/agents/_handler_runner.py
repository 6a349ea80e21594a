"""Calling handlers, whether they are `def` or `async def`."""

import asyncio
import inspect
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

T = TypeVar("T")

Handler = Callable[..., Any]

POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)

LAST_MOMENT = 1.0
"""Seconds for coroutines that are cancelled to end."""


class Caller:
    """Calls handlers and waits for what they return. Coroutines run in one event loop, `loop` or else one in a thread of its own."""

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop
        self._own: threading.Thread | None = None
        self._starting = threading.Lock()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop, which runs."""
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._own = threading.Thread(target=self._loop.run_forever, name="handlers", daemon=True)
                self._own.start()
            return self._loop

    def call(self, handler: Handler, *arguments: object, started: Callable[[Future[Any]], object] = lambda future: None) -> Any:
        """What the handler returns; of what it can be given, as many arguments as it takes.

        `started` is given the future of a coroutine: cancelling that cancels it. Raises what the handler raises, and
        concurrent.futures.CancelledError.
        """
        result = handler(*arguments[: parameters(handler)])
        if not inspect.isawaitable(result):
            return result
        future = asyncio.run_coroutine_threadsafe(_awaited(result), self.loop)
        started(future)
        return future.result()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What a coroutine of the agent's own returns, from a thread that is not the loop's."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result()

    def close(self) -> None:
        """End the loop, if it is our own, and what still runs in it."""
        if self._own and self._loop:
            self.run(_end_all())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._own.join()
            self._loop.close()


async def _end_all() -> None:
    """Cancel what runs in this loop. What does not end by that, ends with the process."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others, timeout=LAST_MOMENT)


async def _awaited(result: Any) -> Any:
    return await result


def is_in_a_loop() -> bool:
    """Whether this thread runs an event loop, which must not be kept waiting."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def parameters(handler: Handler) -> int:
    """How many arguments the handler must be given. One with a default is the handler's own affair."""
    taken = inspect.signature(handler).parameters.values()
    if any(each.kind == each.VAR_POSITIONAL for each in taken):
        return 255
    return sum(each.kind in POSITIONAL and each.default is each.empty for each in taken)
