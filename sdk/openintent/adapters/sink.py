"""Event sinks: where an adapter puts the events and costs of its intent."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from .._call import Call
from .config import AdapterConfig

logger = logging.getLogger("openintent.adapters")

BASE_SIZE = 500
"""Approximate characters of a queued call, besides a model's text."""


class OpenStream(Protocol):
    """A stream of a model that has not ended."""

    def record_stream_left(self, reason: str) -> None:
        """End it."""


class Queue(Protocol):
    """The part of the event queue that a sink uses."""

    open_streams: set[OpenStream]
    unfinished: dict[str, Any]

    def hold(self, response_id: str, request: Any) -> None: ...

    def put(self, entry: "QueuedCall") -> None: ...

    def flush(self, timeout: float | None) -> bool: ...


@dataclass(frozen=True, slots=True)
class EventSink:
    """Puts calls of one adapter into its queue, and reports errors to its `on_error`."""

    queue: Queue
    intent_id: str
    provider: str
    config: AdapterConfig

    def put(self, describe: Callable[..., Call[Any]], size: int = 0, /, **arguments: Any) -> None:
        """Queue the call `describe(intent_id, **arguments)`. `size` is the number of characters of its text."""
        self.queue.put(QueuedCall(self, describe, arguments, size + BASE_SIZE))

    def report(self, error: Exception, phase: str, **context: Any) -> None:
        """Call `on_error`, and log what that raises."""
        if self.config.on_error is None:
            return
        try:
            self.config.on_error(error, {"phase": phase, "intent_id": self.intent_id, "provider": self.provider, **context})
        except Exception:
            logger.exception("on_error failed while handling %r.", error)


@dataclass(slots=True, eq=False)  # Not frozen: creating one would take three times as long.
class QueuedCall:
    """A call to send, described only in the background: that checks every value."""

    sink: EventSink
    _describe: Callable[..., Call[Any]]
    _arguments: dict[str, Any]
    size: int
    created_at: float = field(default_factory=time.time)

    def describe(self) -> Call[Any]:
        """Return the call. Raise InputValidationError, or any error caused by unexpected data of the provider."""
        return self._describe(self.sink.intent_id, **self._arguments)
