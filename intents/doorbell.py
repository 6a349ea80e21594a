"""Wakes those who wait for the log to grow. It carries no event and may be missed: listeners also look by themselves."""

import threading

_rung = threading.Event()


def ring() -> None:
    _rung.set()


def wait(seconds: float) -> None:
    """Return once it has rung since the last wait, or after so many seconds."""
    _rung.wait(seconds)
    _rung.clear()
