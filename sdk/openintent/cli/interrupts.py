"""Ctrl-C at the right moment."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self


class Interrupts:
    """While its block runs, Ctrl-C comes before or after what is done under `whole`, and not in between. A second one comes at once."""

    def __init__(self) -> None:
        self._busy = self._wanted = False

    def __enter__(self) -> Self:
        self._before: Any = signal.signal(signal.SIGINT, self._take)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _take(self, number: int, frame: FrameType | None) -> None:
        if not self._busy or self._wanted:
            raise KeyboardInterrupt
        self._wanted = True

    @contextmanager
    def whole(self) -> Iterator[None]:
        self._busy = True
        try:
            yield
        finally:
            self._busy = False
        if self._wanted:
            raise KeyboardInterrupt
