"""Sending of queued calls: batches, retries, and reports of what is rejected."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from .._backoff import backoff
from .._call import Call, call_builder
from ..client import OpenIntentClient
from ..errors import (
    ConflictError,
    ConnectionFailedError,
    OpenIntentError,
    RateLimitError,
    ServerError,
    ValidationError,
)
from .sink import EventSink, QueuedCall, logger

MAX_BATCH_CHARACTERS = 2**20  # Approximately; a body may have 10 MiB.
MAX_PAUSE = 30.0  # Seconds.
MAX_TRIES = 5
"""Tries of a batch at which the server fails (500): that may be permanent, and others are waiting."""
UNAVAILABLE_STATUSES = {502, 503, 504}
"""Statuses with which a proxy answers for a server that is down."""


class ServerUnavailable(Exception):
    """Raised when the server does not answer and there is no time left to wait for it."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Calls sent in one request: events of one intent, or one cost. Its idempotency key is the same for each attempt."""

    intent_id: str
    entries: list[QueuedCall]
    calls: list[Call[Any]]
    key: str = field(default_factory=lambda: str(uuid4()))

    @property
    def call(self) -> Call[Any]:
        if not _is_event(self.calls[0]):
            return replace(self.calls[0], idempotency_key=self.key)
        events: list[Any] = []
        for call, entry in zip(self.calls, self.entries, strict=True):
            event = dict(call.json or {})
            # The time at which it happened: the log has the time at which it arrived.
            occurred_at = datetime.fromtimestamp(entry.created_at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
            events.append({**event, "payload": {**event["payload"], "occurred_at": occurred_at}})
        return call_builder(OpenIntentClient.log_events)(self.intent_id, events, idempotency_key=self.key)


class BatchSender:
    """Sends entries by `client`, and retries until each is accepted or rejected; `pause` waits before the next try."""

    def __init__(self, client: OpenIntentClient, pause: Callable[[float], None]) -> None:
        self._client = client
        self._pause = pause
        self._is_down = False

    def send(self, entries: list[QueuedCall]) -> None:
        """Send all entries. Raise ServerUnavailable if there is no time to wait for the server."""
        for batch in make_batches(entries):
            self._send_batch(batch)

    def _send_batch(self, batch: Batch) -> None:
        tries = 0
        while True:
            try:
                self._client.send(batch.call)
            except OpenIntentError as error:
                tries += 1
                if isinstance(error, ServerError):
                    may_succeed = error.status_code in UNAVAILABLE_STATUSES or tries < MAX_TRIES
                elif isinstance(error, ConflictError):
                    may_succeed = error.code == "request_in_progress"
                else:
                    may_succeed = isinstance(error, (ConnectionFailedError, RateLimitError))
                if not may_succeed:
                    if len(batch.entries) > 1 and isinstance(error, ValidationError):  # Only one event may be invalid.
                        middle = len(batch.entries) // 2
                        for part in (slice(middle), slice(middle, None)):
                            self._send_batch(Batch(batch.intent_id, batch.entries[part], batch.calls[part]))
                    else:
                        drop(batch.entries, error)
                    return
                if not self._is_down:
                    self._is_down = True
                    logger.warning("The OpenIntent server is unavailable; events are queued. %s", error)
                    for sink in _sinks(batch.entries):
                        sink.report(error, "sending")
                self._pause(max(error.retry_after or 0.0, backoff(tries, longest=MAX_PAUSE)))
            else:
                if self._is_down:
                    self._is_down = False
                    logger.info("The OpenIntent server is reachable again.")
                return


def make_batches(entries: list[QueuedCall]) -> Iterator[Batch]:
    """Yield, for each intent, its events in their order, then its costs. Drop what cannot be described."""
    by_intent: dict[str, list[tuple[QueuedCall, Call[Any]]]] = {}
    for entry in entries:
        try:
            by_intent.setdefault(entry.sink.intent_id, []).append((entry, entry.describe()))
        except Exception as error:
            drop([entry], error)
    for intent_id, described in by_intent.items():
        parts: list[list[tuple[QueuedCall, Call[Any]]]] = []
        size = 0
        for entry, call in described:
            if not _is_event(call):
                continue
            if not parts or size + entry.size > MAX_BATCH_CHARACTERS:
                parts.append([])
                size = 0
            parts[-1].append((entry, call))
            size += entry.size
        for part in parts:
            yield Batch(intent_id, [entry for entry, _ in part], [call for _, call in part])
        for entry, call in described:
            if not _is_event(call):
                yield Batch(intent_id, [entry], [call])


def drop(entries: list[QueuedCall], error: Exception) -> None:
    """Report entries that were rejected."""
    logger.warning("%d entries were rejected and dropped: %s", len(entries), error)
    for sink in _sinks(entries):
        sink.report(error, "refused", count=sum(entry.sink is sink for entry in entries))


def _sinks(entries: list[QueuedCall]) -> list[EventSink]:
    """Return the sinks of the entries, each once."""
    return list({id(entry.sink): entry.sink for entry in entries}.values())


def _is_event(call: Call[Any]) -> bool:
    return "event_type" in (call.json or {})
