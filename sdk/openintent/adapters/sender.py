"""How entries reach the server, and what becomes of those that do not."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from random import random
from typing import Any
from uuid import uuid4

from .._endpoint import Call
from ..client import OpenIntentClient
from ..errors import (
    ConflictError,
    ConnectionFailedError,
    OpenIntentError,
    RateLimitError,
    ServerError,
    ValidationError,
)
from .sink import Entry, Log, logger

LARGEST = 2**20  # Characters of one batch, about; a body may have 10 MiB.
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # Seconds.
TRIES = 5
"""Of what the server fails at (500): it might for ever, and there are others waiting."""
OUT_OF_ORDER = {502, 503, 504}
"""What a server that is away lets its proxy say."""


class Away(Exception):
    """The server does not answer, and there is no time left to wait for it."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What goes out at once: some events of one intent, or one cost. Its key stays the same however often it is sent."""

    intent_id: str
    entries: list[Entry]
    calls: list[Call[Any]]
    key: str = field(default_factory=lambda: str(uuid4()))

    @property
    def call(self) -> Call[Any]:
        if not _is_event(self.calls[0]):
            return replace(self.calls[0], idempotency_key=self.key)
        events = [_dated(call, entry) for call, entry in zip(self.calls, self.entries, strict=True)]
        return OpenIntentClient.log_events(None, self.intent_id, events, idempotency_key=self.key)

    def halves(self) -> "list[Parcel]":
        middle = len(self.entries) // 2
        return [Parcel(self.intent_id, self.entries[part], self.calls[part]) for part in (slice(middle), slice(middle, None))]


class Courier:
    """Sends entries by `client`, and tries again until it knows what became of each; `pause` waits before the next try."""

    def __init__(self, client: OpenIntentClient, pause: Callable[[float], None]) -> None:
        self._client = client
        self._pause = pause
        self._is_away = False

    def deliver(self, entries: list[Entry]) -> None:
        """Raises Away."""
        for parcel in parcels(entries):
            self._carry(parcel)

    def _carry(self, parcel: Parcel) -> None:
        tries = 0
        while True:
            try:
                self._client.send(parcel.call)
            except OpenIntentError as error:
                tries += 1
                if not _may_pass(error, tries):
                    self._refused(parcel, error)
                    return
                self._say_away(error, parcel)
                self._pause(max(error.retry_after or 0.0, _pause_after(tries)))
            else:
                self._say_back()
                return

    def _refused(self, parcel: Parcel, error: OpenIntentError) -> None:
        """Where one event of a batch may be to blame, the others still go."""
        if len(parcel.entries) > 1 and isinstance(error, ValidationError):
            for half in parcel.halves():
                self._carry(half)
            return
        drop(parcel.entries, error)

    def _say_away(self, error: OpenIntentError, parcel: Parcel) -> None:
        if not self._is_away:
            self._is_away = True
            logger.warning("The OpenIntent server is away; what is logged waits for it. %s", error)
            for log in _logs(parcel.entries):
                log.report(error, "sending")

    def _say_back(self) -> None:
        if self._is_away:
            self._is_away = False
            logger.info("The OpenIntent server is back.")


def parcels(entries: list[Entry]) -> Iterator[Parcel]:
    """Of each intent the events in their order, then its costs. What cannot be described is dropped."""
    by_intent: dict[str, list[tuple[Entry, Call[Any]]]] = {}
    for entry in entries:
        try:
            by_intent.setdefault(entry.log.intent_id, []).append((entry, entry.describe()))
        except Exception as error:
            drop([entry], error)
    for intent_id, described in by_intent.items():
        events = [(entry, call) for entry, call in described if _is_event(call)]
        for batch in _batches(events):
            yield Parcel(intent_id, [entry for entry, _ in batch], [call for _, call in batch])
        for entry, call in described:
            if not _is_event(call):
                yield Parcel(intent_id, [entry], [call])


def _batches(events: list[tuple[Entry, Call[Any]]]) -> Iterator[list[tuple[Entry, Call[Any]]]]:
    batch: list[tuple[Entry, Call[Any]]] = []
    size = 0
    for entry, call in events:
        if batch and size + entry.size > LARGEST:
            yield batch
            batch, size = [], 0
        batch.append((entry, call))
        size += entry.size
    if batch:
        yield batch


def drop(entries: list[Entry], error: Exception) -> None:
    """Give up what the server does not take, and say so."""
    logger.warning("%d entries were refused, and dropped: %s", len(entries), error)
    for log in _logs(entries):
        log.report(error, "refused", count=sum(entry.log is log for entry in entries))


def _logs(entries: list[Entry]) -> list[Log]:
    """Those of the entries, each once."""
    return list({id(entry.log): entry.log for entry in entries}.values())


def _is_event(call: Call[Any]) -> bool:
    return "event_type" in (call.json or {})


def _dated(call: Call[Any], entry: Entry) -> Any:
    """The event, with the instant at which it happened: the log has that at which it arrived."""
    event = dict(call.json or {})
    occurred_at = datetime.fromtimestamp(entry.at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return {**event, "payload": {**event["payload"], "occurred_at": occurred_at}}


def _may_pass(error: OpenIntentError, tries: int) -> bool:
    """Whether the same parcel may be taken later."""
    if isinstance(error, ServerError):
        return error.status_code in OUT_OF_ORDER or tries < TRIES
    if isinstance(error, ConflictError):
        return error.code == "request_in_progress"
    return isinstance(error, (ConnectionFailedError, RateLimitError))


def _pause_after(tries: int) -> float:
    return float(min(FIRST_PAUSE * 2 ** min(tries - 1, 10), LONGEST_PAUSE) * (0.5 + random() / 2))
