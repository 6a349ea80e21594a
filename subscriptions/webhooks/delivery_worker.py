"""The courier: plans and sends deliveries, in threads of its own, so that slow receivers delay nothing else.

Any number may run, in any number of processes. One that is killed leaves claims behind that run out.

A call may take 15 s, so who is called when decides how long the others wait. Receivers that answer quickly, those that are not
known yet and those that are slow each have room of their own; and a call that is no longer young takes no room from others.
Sending needs no database: a few threads record what comes of the calls of many.
"""

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from queue import SimpleQueue
from time import monotonic
from uuid import UUID

from django.db import connection

from intents import positions, wakeups
from subscriptions.models import Pace
from subscriptions.webhooks import outbox, signing
from subscriptions.webhooks.client import CallResult, call
from subscriptions.webhooks.deliveries import ClaimedDelivery, claim_due, delete_old, end_undeliverable, record_result, release

ROOM = {Pace.STEADY: 8, Pace.NEW: 8, Pace.SLOW: 16}
"""Calls at once to receivers of each pace; of the first two, the young calls count."""
YOUNG = 1.0  # Seconds of a call.
MOST_CALLS = 128  # Calls at once, in one process,
KEPT_FREE = 32  # of which so many are for those that are known to answer quickly.
MOST_BYTES = 64 * 2**20  # Of the bodies of these calls; half of it is for those that are known to answer quickly.
RECORDERS = 4
LOOK_EVERY = 1.0  # Seconds without a ring.
STEPS = 5  # Of planning, before what is due is sent: a long log to go through keeps no delivery waiting.
PAUSE = 0.02  # Seconds between two looks, so that a busy log is planned in batches.
GRACE = 4.0  # Seconds that calls under way have at a stop.
HOUSEKEEPING_EVERY = 60.0  # Seconds.

log = logging.getLogger("openintent.webhooks")


def deliver(parcel: ClaimedDelivery) -> bool:
    """Send it, with no transaction open, and record what came of it. Answers whether it has arrived."""
    answer = send(parcel)
    record_result(parcel, answer)
    return answer.is_success


def send(parcel: ClaimedDelivery) -> CallResult:
    headers = signing.headers(id=str(parcel.id), at=datetime.now(UTC), body=parcel.body, secrets=parcel.secrets)
    return call(parcel.url, parcel.body, headers)


def deliver_all_due() -> int:
    """Plan, and send what is due now, one after the other. Answers how many calls that were."""
    positions.assign_pending_positions()
    outbox.create_all_deliveries()
    end_undeliverable()
    made = 0
    while parcels := claim_due(ROOM):
        for parcel in parcels:
            deliver(parcel)
            made += 1
    return made


@dataclass(frozen=True, slots=True)
class _Call:
    parcel: ClaimedDelivery
    begun: float


class CallsInProgress:
    """The calls under way in this process, and how many more may begin."""

    def __init__(self) -> None:
        self._calls: dict[UUID, _Call] = {}
        self._lock = threading.Lock()

    def begin(self, parcel: ClaimedDelivery) -> None:
        with self._lock:
            self._calls[parcel.id] = _Call(parcel, monotonic())

    def end(self, parcel: ClaimedDelivery) -> None:
        with self._lock:
            self._calls.pop(parcel.id, None)

    def __len__(self) -> int:
        return len(self._calls)

    def rooms(self) -> Mapping[Pace, int]:
        with self._lock:
            calls = [*self._calls.values()]
        young = monotonic() - YOUNG
        taken = Counter(each.parcel.pace for each in calls if each.begun > young or each.parcel.pace == Pace.SLOW)
        held = sum(len(each.parcel.body) for each in calls)
        left = {Pace.STEADY: MOST_CALLS - len(calls) if held < MOST_BYTES else 0}
        left[Pace.NEW] = left[Pace.SLOW] = (left[Pace.STEADY] - KEPT_FREE) // 2 if held < MOST_BYTES // 2 else 0
        return {pace: min(room - taken[pace], left[pace]) for pace, room in ROOM.items()}

    def hanging(self) -> set[UUID]:
        """The subscriptions that are not known as slow, but have a call that is no longer young."""
        young = monotonic() - YOUNG
        with self._lock:
            return {
                each.parcel.subscription_id
                for each in self._calls.values()
                if each.begun <= young and each.parcel.pace != Pace.SLOW
            }


class SenderPool:
    """Threads that send, as many as are needed at once. What came of it goes to `record`; None: nothing was sent."""

    def __init__(self, record: Callable[[ClaimedDelivery, CallResult | None], object]) -> None:
        self._record = record
        self._stopping = threading.Event()
        self._parcels: SimpleQueue[ClaimedDelivery | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._busy = 0
        self._counting = threading.Lock()

    def send(self, parcel: ClaimedDelivery) -> None:
        with self._counting:
            self._busy += 1
            if self._busy > len(self._threads):
                self._threads.append(threading.Thread(target=self._work, name="courier", daemon=True))
                self._threads[-1].start()
        self._parcels.put(parcel)

    def stop(self, deadline: float) -> None:
        """Return once the calls under way have ended, or at the deadline. What is not begun is not sent."""
        self._stopping.set()
        for _ in self._threads:
            self._parcels.put(None)
        for thread in self._threads:
            thread.join(timeout=max(deadline - monotonic(), 0))

    def _work(self) -> None:
        while parcel := self._parcels.get():
            answer = None if self._stopping.is_set() else _send_safely(parcel)
            with self._counting:
                self._busy -= 1
            self._record(parcel, answer)


def _send_safely(parcel: ClaimedDelivery) -> CallResult:
    try:
        return send(parcel)
    except Exception as error:  # An attempt that is not recorded would be made each minute, for ever.
        log.exception("delivery %s could not be sent", parcel.id)
        return CallResult(0, error=f"could not be sent ({type(error).__name__})")


class DeliveryWorker:
    """`start` it, and `stop` it: what is under way then has a moment, what is not begun is left to others."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._rung = threading.Event()
        self._calls = CallsInProgress()
        self._answers: SimpleQueue[tuple[ClaimedDelivery, CallResult | None] | None] = SimpleQueue()
        self._senders = SenderPool(lambda parcel, answer: self._answers.put((parcel, answer)))
        self._dispatcher = threading.Thread(target=self._dispatch, name="courier-dispatch", daemon=True)
        self._recorders = [
            threading.Thread(target=self._record, name=f"courier-record-{n}", daemon=True) for n in range(RECORDERS)
        ]
        self._housekeeping = 0.0

    def start(self) -> None:
        """Again does nothing."""
        if self._dispatcher.ident is None:
            for thread in (self._dispatcher, *self._recorders):
                thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._rung.set()
        if self._dispatcher.ident is None:
            return
        deadline = monotonic() + GRACE
        self._dispatcher.join(timeout=GRACE)
        self._senders.stop(deadline)
        for _ in self._recorders:
            self._answers.put(None)
        for thread in self._recorders:
            thread.join(timeout=max(deadline - monotonic(), 1.0))

    def _dispatch(self) -> None:
        with wakeups.listen(self._rung.set, wakeups.positions_assigned, wakeups.remote_positions_assigned):
            while not self._stopping.is_set():
                if self._look_safely():
                    self._rung.wait(YOUNG / 2 if len(self._calls) else LOOK_EVERY)
                    self._rung.clear()
                    self._stopping.wait(PAUSE)
                else:  # Nobody subscribes: the log's growth is no news.
                    self._stopping.wait(LOOK_EVERY)
        connection.close()

    def _look_safely(self) -> bool:
        """Answers whether there is anything that the next ring could be about."""
        try:
            return self._look()
        except Exception:  # The database is away: what is due stays due.
            log.warning("deliveries could not be planned or claimed", exc_info=True)
            connection.close()
            return False

    def _look(self) -> bool:
        self._plan()
        parcels = claim_due(self._calls.rooms(), self._calls.hanging())
        for parcel in parcels:
            self._calls.begin(parcel)
            self._senders.send(parcel)
        if monotonic() >= self._housekeeping:
            self._housekeeping = monotonic() + HOUSEKEEPING_EVERY
            end_undeliverable()
            delete_old()
        return bool(parcels) or outbox.has_active_subscriptions()

    def _plan(self) -> None:
        for _ in range(STEPS):
            if outbox.create_deliveries() is None:
                return
        self._rung.set()

    def _record(self) -> None:
        while done := self._answers.get():
            self._record_safely(*done)
            self._calls.end(done[0])
            self._rung.set()
        connection.close()

    def _record_safely(self, parcel: ClaimedDelivery, answer: CallResult | None) -> None:
        try:
            if answer is None:
                release(parcel)
            else:
                record_result(parcel, answer)
        except Exception:  # Its claim runs out, and it is sent again.
            log.warning("delivery %s could not be recorded", parcel.id, exc_info=True)
            connection.close()
