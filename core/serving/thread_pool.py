"""Thread pool for an event loop.

`loop.run_in_executor` needs two futures, a condition and a chain of callbacks per call: a tenth of the cost of a
small request.
"""

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any

from core.errors import Unavailable

WAIT_SECONDS = 10.0  # Seconds of waiting for a free thread.

_Task = tuple[Callable[..., Any], tuple[Any, ...], asyncio.AbstractEventLoop, "asyncio.Future[Any]"]


class ThreadPool:
    """A fixed number of threads that run functions for an event loop."""

    def __init__(self, count: int, name: str) -> None:
        self._is_closed = False
        self._free = asyncio.Semaphore(count)
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self._threads = [threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True) for number in range(count)]
        for thread in self._threads:
            thread.start()

    async def run_in_turn(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call the function once a thread is free and return its result. Raise Unavailable if none becomes free in time."""
        if not self._free.locked():
            await self._free.acquire()
        else:
            try:
                await asyncio.wait_for(self._free.acquire(), WAIT_SECONDS)
            except TimeoutError:
                raise Unavailable("The server is too busy at the moment.") from None
        try:
            return await self.run(function, *arguments)
        finally:
            self._free.release()

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call the function in the next free thread and return its result. Cancelling the caller does not stop it."""
        if self._is_closed:
            raise RuntimeError("The thread pool is closed.")  # Otherwise the caller would wait for ever.
        loop = asyncio.get_running_loop()
        outcome = loop.create_future()
        self._tasks.put((function, arguments, loop, outcome))
        return await outcome

    def close(self) -> None:
        """Finish all submitted calls and stop the threads."""
        self._is_closed = True
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while task := self._tasks.get():
            function, arguments, loop, outcome = task
            try:
                complete = partial(_set_result, outcome, function(*arguments))
            except BaseException as error:  # Raised in the caller.
                complete = partial(_set_exception, outcome, error)
            if not loop.is_closed():
                loop.call_soon_threadsafe(complete)
            del task, function, arguments, outcome, complete  # Keep no object of a request alive while the thread waits.


def _set_result(outcome: asyncio.Future[Any], result: Any) -> None:
    if not outcome.done():
        outcome.set_result(result)


def _set_exception(outcome: asyncio.Future[Any], error: BaseException) -> None:
    if not outcome.done():
        outcome.set_exception(error)
