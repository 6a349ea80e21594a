"""Tells those who keep requests open that the server is about to stop: it waits for them, but not for long."""

from collections.abc import Callable

_to_tell: list[Callable[[], None]] = []


def on_shutdown(tell: Callable[[], None]) -> None:
    """Have this called, in the event loop, when the server begins to stop; perhaps more than once."""
    _to_tell.append(tell)


def notify() -> None:
    for tell in _to_tell:
        tell()
