"""Deferral of Ctrl-C around steps that must not be interrupted."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self


class Interrupts:
    """Context in which Ctrl-C does not interrupt a `deferred` block, but comes after it. A second one interrupts at once."""

    def __init__(self) -> None:
        self._is_deferred = self._is_pending = False

    def __enter__(self) -> Self:
        def handle(number: int, frame: FrameType | None) -> None:
            if not self._is_deferred or self._is_pending:
                raise KeyboardInterrupt
            self._is_pending = True

        self._before: Any = signal.signal(signal.SIGINT, handle)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        self._is_deferred = True
        try:
            yield
        finally:
            self._is_deferred = False
        if self._is_pending:
            raise KeyboardInterrupt
