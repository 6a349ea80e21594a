"""Signal handling of agents that are programs: the first SIGTERM or SIGINT stops the agent, the second ends the process."""

import os
import signal
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stop_on_signals(stop: Callable[[], object]) -> Generator[None]:
    """Call `stop` at the first signal. Do nothing outside the main thread, where Python allows no handlers."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle_first(number: int, frame: FrameType | None) -> None:
        for each in SIGNALS:
            signal.signal(each, handle_second)
        stop()

    def handle_second(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    before = {each: signal.signal(each, handle_first) for each in SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
