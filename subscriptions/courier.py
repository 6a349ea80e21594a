"""The courier: plans and sends deliveries, in threads of its own, so that slow receivers delay nothing else.

Any number may run, in any number of processes. One that is killed leaves claims behind that run out.
"""

import logging
import threading
from datetime import UTC, datetime
from queue import SimpleQueue
from time import monotonic

from django.db import connection

from intents import doorbell, positions
from subscriptions import planning, signing
from subscriptions.calling import Answer, call
from subscriptions.deliveries import Parcel, claim, end_stranded, finish, forget_old, give_back

THREADS = 8
LOOK_EVERY = 1.0  # Seconds without a ring.
STEPS = 5  # Of planning, before what is due is sent: a long log to go through keeps no delivery waiting.
PAUSE = 0.02  # Seconds between two looks, so that a busy log is planned in batches.
GRACE = 4.0  # Seconds that calls under way have at a stop.
HOUSEKEEPING_EVERY = 60.0  # Seconds.

log = logging.getLogger("openintent.courier")


def deliver(parcel: Parcel) -> bool:
    """Send it, with no transaction open, and record what came of it. Answers whether it has arrived."""
    answer = send(parcel)
    finish(parcel, answer)
    return answer.is_success


def send(parcel: Parcel) -> Answer:
    headers = signing.headers(id=str(parcel.id), at=datetime.now(UTC), body=parcel.body, secrets=parcel.secrets)
    return call(parcel.url, parcel.body, headers)


def work_off() -> int:
    """Plan, and send what is due now, one after the other. Answers how many calls that were."""
    positions.settle()
    planning.plan()
    end_stranded()
    made = 0
    while parcels := claim(THREADS):
        for parcel in parcels:
            deliver(parcel)
            made += 1
    return made


class Courier:
    """`start` it, and `stop` it: what is under way then has a moment, what is not begun is left to others."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._rung = threading.Event()
        self._parcels: SimpleQueue[Parcel | None] = SimpleQueue()
        self._free = THREADS
        self._counting = threading.Lock()
        self._threads = [threading.Thread(target=self._dispatch, name="courier", daemon=True)]
        self._threads += [threading.Thread(target=self._send, name=f"courier-{n}", daemon=True) for n in range(THREADS)]
        self._housekeeping = 0.0

    def start(self) -> None:
        """Again does nothing."""
        if self._threads[0].ident is None:
            for thread in self._threads:
                thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._rung.set()
        deadline = monotonic() + GRACE
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(timeout=max(deadline - monotonic(), 0))

    def _dispatch(self) -> None:
        with doorbell.listening(self._rung.set, doorbell.grown, doorbell.elsewhere):
            while not self._stopping.is_set():
                if self._look_safely():
                    self._rung.wait(LOOK_EVERY)
                    self._rung.clear()
                    self._stopping.wait(PAUSE)
                else:  # Nobody subscribes: the log's growth is no news.
                    self._stopping.wait(LOOK_EVERY)
        for _ in range(THREADS):
            self._parcels.put(None)
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
        with self._counting:
            room = self._free
        parcels = claim(room)
        with self._counting:
            self._free -= len(parcels)
        for parcel in parcels:
            self._parcels.put(parcel)
        if monotonic() >= self._housekeeping:
            self._housekeeping = monotonic() + HOUSEKEEPING_EVERY
            end_stranded()
            forget_old()
        return bool(parcels) or planning.is_wanted()

    def _plan(self) -> None:
        for _ in range(STEPS):
            if planning.step() is None:
                return
        self._rung.set()

    def _send(self) -> None:
        while parcel := self._parcels.get():
            self._deliver_safely(parcel)
            with self._counting:
                self._free += 1
            self._rung.set()
        connection.close()

    def _deliver_safely(self, parcel: Parcel) -> None:
        try:
            if self._stopping.is_set():
                give_back(parcel)
            else:
                deliver(parcel)
        except Exception:  # Its claim runs out, and it is sent again.
            log.warning("delivery %s could not be recorded", parcel.id, exc_info=True)
            connection.close()
