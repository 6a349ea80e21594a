"""A few threads that an event loop hands work to.

`loop.run_in_executor` does the same with two futures, a condition and a chain of callbacks between them: a tenth of what a
small request costs.
"""

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any

_Task = tuple[Callable[..., Any], tuple[Any, ...], asyncio.AbstractEventLoop, "asyncio.Future[Any]"]


class ThreadPool:
    def __init__(self, count: int, name: str) -> None:
        self._is_closed = False
        self._tasks: SimpleQueue[_Task | None] = SimpleQueue()
        self._threads = [threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True) for number in range(count)]
        for thread in self._threads:
            thread.start()

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call the function in one of the threads, as soon as one is free. A caller that is cancelled does not stop it."""
        if self._is_closed:
            raise RuntimeError("The threads are closed.")  # Else the caller would wait for ever.
        loop = asyncio.get_running_loop()
        outcome = loop.create_future()
        self._tasks.put((function, arguments, loop, outcome))
        return await outcome

    def close(self) -> None:
        """Return once all that was asked for is done."""
        self._is_closed = True
        for _ in self._threads:
            self._tasks.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while task := self._tasks.get():
            function, arguments, loop, outcome = task
            try:
                settle = partial(_succeed, outcome, function(*arguments))
            except BaseException as error:  # It is raised where it was asked for.
                settle = partial(_fail, outcome, error)
            if not loop.is_closed():
                loop.call_soon_threadsafe(settle)
            del task, function, arguments, outcome, settle  # Nothing of a request lives on while the thread waits.


def _succeed(outcome: asyncio.Future[Any], result: Any) -> None:
    if not outcome.done():
        outcome.set_result(result)


def _fail(outcome: asyncio.Future[Any], error: BaseException) -> None:
    if not outcome.done():
        outcome.set_exception(error)
