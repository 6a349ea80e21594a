"""Webhook delivery worker: plans and sends deliveries, in threads of its own, so that slow receivers delay nothing else.

Any number may run, in any number of processes. A killed one leaves claims that expire.

A call may take 15 s, so the order of calls decides how long others wait. Fast, new and slow receivers each have their own
capacity, and a long call takes none from others. Sending needs no database: a few threads record the results of many calls.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from queue import SimpleQueue
from time import monotonic
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from django.db import connection

from intents import positions, wakeups
from subscriptions.models import Pace
from subscriptions.webhooks import outbox, signing
from subscriptions.webhooks.client import CallResult, call
from subscriptions.webhooks.deliveries import ClaimedDelivery, claim_due, delete_old, end_undeliverable, record_result, release

CAPACITY = {Pace.STEADY: 8, Pace.NEW: 8, Pace.SLOW: 16}
"""Concurrent calls to receivers of each pace; for steady and new ones, only young calls count."""
YOUNG_CALL = 1.0  # Seconds.
MAX_CALLS = 128  # Concurrent calls of one process,
RESERVED_CALLS = 32  # of which so many are reserved for steady receivers.
MAX_BYTES = 64 * 2**20  # Of the bodies of these calls; half of it is reserved for steady receivers.
RECORDERS = 4
POLL_EVERY = 1.0  # Seconds without a wake-up.
OUTBOX_BATCHES = 5  # Per turn, so that a long log delays no due delivery.
PAUSE = 0.02  # Seconds between two turns, so that a busy log is processed in batches.
GRACE = 4.0  # Seconds for running calls at shutdown.
HOUSEKEEPING_EVERY = 60.0  # Seconds.

log = logging.getLogger("openintent.webhooks")


def deliver(delivery: ClaimedDelivery) -> bool:
    """Send a delivery, outside of transactions, and record the result. Return whether it succeeded."""
    result = send(delivery)
    record_result(delivery, result)
    return result.is_success


def send(delivery: ClaimedDelivery) -> CallResult:
    """Send a signed delivery. Return the result."""
    headers = signing.headers(id=str(delivery.id), at=datetime.now(UTC), body=delivery.body, secrets=delivery.secrets)
    return replace(call(delivery.url, delivery.body, headers), headers=headers)


def deliver_all_due() -> int:
    """Create deliveries and send those due now, one after the other. Return their number."""
    positions.assign_pending_positions()
    outbox.create_all_deliveries()
    end_undeliverable()
    sent = 0
    while claimed := claim_due(CAPACITY):
        for each in claimed:
            deliver(each)
            sent += 1
    return sent


@dataclass(frozen=True, slots=True)
class _Call:
    delivery: ClaimedDelivery
    started_at: float


class CallsInProgress:
    """Running calls of this process, and the capacity for more."""

    def __init__(self) -> None:
        self._calls: dict[UUID, _Call] = {}
        self._lock = threading.Lock()

    def start(self, delivery: ClaimedDelivery) -> None:
        with self._lock:
            self._calls[delivery.id] = _Call(delivery, monotonic())

    def end(self, delivery: ClaimedDelivery) -> None:
        with self._lock:
            self._calls.pop(delivery.id, None)

    def __len__(self) -> int:
        return len(self._calls)

    def capacity(self) -> Mapping[Pace, int]:
        """Return the number of calls that may start, by pace."""
        with self._lock:
            calls = [*self._calls.values()]
        young = monotonic() - YOUNG_CALL
        taken = Counter(each.delivery.pace for each in calls if each.started_at > young or each.delivery.pace == Pace.SLOW)
        held = sum(len(each.delivery.body) for each in calls)
        left = {Pace.STEADY: MAX_CALLS - len(calls) if held < MAX_BYTES else 0}
        left[Pace.NEW] = left[Pace.SLOW] = (left[Pace.STEADY] - RESERVED_CALLS) // 2 if held < MAX_BYTES // 2 else 0
        return {pace: min(limit - taken[pace], left[pace]) for pace, limit in CAPACITY.items()}

    def hanging(self) -> set[UUID]:
        """Return subscriptions with a long call that do not count as slow yet."""
        young = monotonic() - YOUNG_CALL
        with self._lock:
            return {
                each.delivery.subscription_id
                for each in self._calls.values()
                if each.started_at <= young and each.delivery.pace != Pace.SLOW
            }


class Sendable(Protocol):
    @property
    def id(self) -> UUID: ...


S = TypeVar("S", bound=Sendable)


class SenderPool(Generic[S]):
    """Threads that send, as many as are needed. `record` gets each result, or None if it was not sent."""

    def __init__(
        self, send: Callable[[S], CallResult], record: Callable[[S, CallResult | None], object], *, name: str = "webhook"
    ) -> None:
        self._send = send
        self._record = record
        self._name = name
        self._stopping = threading.Event()
        self._queue: SimpleQueue[S | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._busy = 0
        self._lock = threading.Lock()

    def send(self, delivery: S) -> None:
        with self._lock:
            self._busy += 1
            if self._busy > len(self._threads):
                self._threads.append(threading.Thread(target=self._work, name=self._name, daemon=True))
                self._threads[-1].start()
        self._queue.put(delivery)

    def stop(self, deadline: float) -> None:
        """Wait for running calls, until the deadline. Queued deliveries are not sent."""
        self._stopping.set()
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join(timeout=max(deadline - monotonic(), 0))

    def _work(self) -> None:
        while delivery := self._queue.get():
            result = None
            if not self._stopping.is_set():
                try:
                    result = self._send(delivery)
                except Exception as error:  # An attempt without a record would be repeated each minute for ever.
                    log.exception("delivery %s could not be sent", delivery.id)
                    result = CallResult(0, error=f"could not be sent ({type(error).__name__})")
            with self._lock:
                self._busy -= 1
            self._record(delivery, result)


class DeliveryWorker:
    """Creates, sends and records deliveries from `start` to `stop`."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._calls = CallsInProgress()
        self._results: SimpleQueue[tuple[ClaimedDelivery, CallResult | None] | None] = SimpleQueue()
        self._senders = SenderPool(send, lambda delivery, result: self._results.put((delivery, result)))
        self._dispatcher = threading.Thread(target=self._dispatch, name="webhook-dispatch", daemon=True)
        self._recorders = [
            threading.Thread(target=self._record, name=f"webhook-record-{n}", daemon=True) for n in range(RECORDERS)
        ]
        self._next_housekeeping = 0.0

    def start(self) -> None:
        """Start the threads. Idempotent."""
        if self._dispatcher.ident is None:
            for thread in (self._dispatcher, *self._recorders):
                thread.start()

    def stop(self) -> None:
        """Stop the threads. Running calls may finish; other deliveries are left to other workers."""
        self._stopping.set()
        self._woken.set()
        if self._dispatcher.ident is None:
            return
        deadline = monotonic() + GRACE
        self._dispatcher.join(timeout=GRACE)
        self._senders.stop(deadline)
        for _ in self._recorders:
            self._results.put(None)
        for thread in self._recorders:
            thread.join(timeout=max(deadline - monotonic(), 1.0))

    def _dispatch(self) -> None:
        with wakeups.listen(self._woken.set, wakeups.positions_assigned, wakeups.remote_positions_assigned):
            while not self._stopping.is_set():
                try:
                    is_needed = self._run_turn()
                except Exception:  # The database is unavailable: due deliveries stay due.
                    log.warning("deliveries could not be created or claimed", exc_info=True)
                    connection.close()
                    is_needed = False
                if is_needed:
                    self._woken.wait(YOUNG_CALL / 2 if len(self._calls) else POLL_EVERY)
                    self._woken.clear()
                    self._stopping.wait(PAUSE)
                else:  # Without subscriptions, growth of the log does not matter.
                    self._stopping.wait(POLL_EVERY)
        connection.close()

    def _run_turn(self) -> bool:
        """Create, claim and send deliveries. Return whether the next wake-up can matter."""
        for _ in range(OUTBOX_BATCHES):
            if outbox.create_deliveries() is None:
                break
        else:
            self._woken.set()
        claimed = claim_due(self._calls.capacity(), self._calls.hanging())
        for each in claimed:
            self._calls.start(each)
            self._senders.send(each)
        if monotonic() >= self._next_housekeeping:
            self._next_housekeeping = monotonic() + HOUSEKEEPING_EVERY
            end_undeliverable()
            delete_old()
        return bool(claimed) or outbox.has_active_subscriptions()

    def _record(self) -> None:
        while done := self._results.get():
            delivery, result = done
            try:
                if result is None:
                    release(delivery)
                else:
                    record_result(delivery, result)
            except Exception:  # Its claim expires, and it is sent again.
                log.warning("delivery %s could not be recorded", delivery.id, exc_info=True)
                connection.close()
            self._calls.end(delivery)
            self._woken.set()
        connection.close()
