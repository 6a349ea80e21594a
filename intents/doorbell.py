"""Wakes those who wait for the log to grow. It carries no event and may be missed: listeners also look by themselves."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Bell = Callable[[], None]
"""Rung by whichever thread has written, so it must be quick, and safe to be called from any thread."""

_rung = threading.Event()
_listening = threading.Lock()
_bells: tuple[Bell, ...] = ()


def ring() -> None:
    _rung.set()
    for bell in _bells:
        bell()


def wait(seconds: float) -> None:
    """Return once it has rung since the last wait, or after so many seconds. For the sequencer alone: it forgets the ring."""
    _rung.wait(seconds)
    _rung.clear()


@contextmanager
def listening(bell: Bell) -> Iterator[None]:
    """Have this bell rung as well, while the block runs."""
    global _bells
    with _listening:
        _bells = (*_bells, bell)
    try:
        yield
    finally:
        with _listening:
            left = [*_bells]
            left.remove(bell)
            _bells = tuple(left)
