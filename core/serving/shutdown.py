"""Shutdown callbacks: end long-lived requests before the server waits for them."""

from collections.abc import Callable

_callbacks: list[Callable[[], None]] = []


def on_shutdown(callback: Callable[[], None]) -> None:
    """Register a callback that runs in the event loop when the server begins to stop, perhaps more than once."""
    _callbacks.append(callback)


def notify() -> None:
    """Run the callbacks."""
    for callback in _callbacks:
        callback()
