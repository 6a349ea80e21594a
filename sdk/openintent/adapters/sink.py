"""An adapter's way to the log of its intent."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .._endpoint import Call
from .config import AdapterConfig

if TYPE_CHECKING:
    from .queue import Queue

logger = logging.getLogger("openintent.adapters")

WEIGHT = 500
"""Characters that an entry holds, about, besides what a model said."""


@dataclass(frozen=True, slots=True)
class Log:
    """Where an adapter's entries go, and who hears of errors."""

    queue: "Queue"
    intent_id: str
    provider: str
    config: AdapterConfig

    def put(self, describe: Callable[..., Call[Any]], size: int = 0, /, **arguments: Any) -> None:
        """Have `describe(intent_id, **arguments)` sent in the background. `size` is how much text it holds, in characters."""
        self.queue.put(Entry(self, describe, arguments, size + WEIGHT))

    def report(self, error: Exception, phase: str, **context: Any) -> None:
        """Tell `on_error`."""
        if self.config.on_error is None:
            return
        try:
            self.config.on_error(error, {"phase": phase, "intent_id": self.intent_id, "provider": self.provider, **context})
        except Exception:
            logger.exception("on_error failed while it was told of %r.", error)


@dataclass(slots=True, eq=False)  # Not frozen: to make one would take three times as long.
class Entry:
    """What is to be logged, before it is described."""

    log: Log
    _describe: Callable[..., Call[Any]]
    _arguments: dict[str, Any]
    size: int
    at: float = field(default_factory=time.time)

    def describe(self) -> Call[Any]:
        """Raises InputValidationError, or whatever else a provider's surprise leads to."""
        return self._describe(self.log.intent_id, **self._arguments)
