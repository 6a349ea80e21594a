"""Positions: one order of all events of all intents (architecture §3).

A row number is no such order on PostgreSQL: it is given before the commit, so a reader that has seen 11 misses a 10
that commits later. There the sequencer numbers events after their commit. It sees committed rows only, hence a late
commit gets a later position and no reader misses it. SQLite's writers are serial, so each transaction numbers
its own events.
"""

import logging
import threading

from django.db import IntegrityError, connection, transaction

from core import db
from intents import wakeups
from intents.models import Event

BATCH = 1_000
LOCK = "event positions"
POLL_SECONDS = 1.0  # Without a wake-up.
LOCK_TIMEOUT_MS = 5_000  # A reader waits this long for another's batch, before a 503.
MIN_INTERVAL = 0.02  # Seconds between two batches, so that a busy log is numbered in batches and not one by one.

log = logging.getLogger("openintent.positions")

# The row number orders the events of one intent as their sequence does: both are given under the intent's row lock.
# Rows are named by an array, which leaves the planner one way to find them: with a join, and statistics that are older than
# the rows, it scanned all pending rows for each of them (4 s for a batch).
_ASSIGN_BATCH = """
    WITH pending AS MATERIALIZED (
        SELECT array_agg("row" ORDER BY "row") AS rows
        FROM (SELECT "row" FROM intents_event WHERE position IS NULL ORDER BY "row" LIMIT %s) AS first
    )
    UPDATE intents_event SET position =
        (SELECT COALESCE(MAX(position), 0) FROM intents_event) + array_position((SELECT rows FROM pending), "row")
    WHERE "row" = ANY((SELECT rows FROM pending)::bigint[]) AND (position IS NULL) IS TRUE {} RETURNING 1
"""


def next_position() -> int | None:
    """Return the position of the next event, or None if the sequencer assigns it later."""
    if not db.has_single_writer():
        return None
    return db.run("SELECT COALESCE(MAX(position), 0) + 1 FROM intents_event", [])[0][0]


def assign_positions(*, wait: bool = False) -> int:
    """Assign positions to the committed events that have none. Return how many got one.

    One process at a time does it. Without `wait`, a second one leaves it to the first.
    """
    if db.has_single_writer():
        return 0
    total = 0
    while True:
        if wait:
            with transaction.atomic():
                with connection.cursor() as cursor:  # A holder that hangs must not take every reader with it.
                    cursor.execute("SET LOCAL lock_timeout = %s", [LOCK_TIMEOUT_MS])
                db.acquire_advisory_lock(LOCK)
                assigned = len(db.run(_ASSIGN_BATCH.format(""), [BATCH]))
        else:
            # The statement itself takes the lock, which saves three round trips. So its snapshot may be older than another
            # sequencer's commit. Then it collides with the positions of that one, which are unique, and has no effect.
            statement = _ASSIGN_BATCH.format("AND (SELECT pg_try_advisory_xact_lock(%s, %s))")
            try:
                assigned = len(db.run(statement, [BATCH, *db.advisory_lock_key(LOCK)]))
            except IntegrityError:
                assigned = 0  # The next call succeeds.
        total += assigned
        if assigned < BATCH:
            return total


def assign_pending_positions() -> None:
    """Assign positions to all events committed so far, so that readers by position find what they just wrote."""
    if not db.has_single_writer() and Event.objects.filter(position=None).exists():
        assign_positions(wait=True)


def head() -> int:
    """Return the newest position; 0 for an empty log."""
    return db.run("SELECT COALESCE(MAX(position), 0) FROM intents_event", [])[0][0]


class Sequencer:
    """A thread that assigns positions to what this process and others commit, while the server runs."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._wakeup = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sequencer", daemon=True)

    def start(self) -> None:
        """Idempotent: a server without a lifespan (daphne) calls it at every request."""
        if self._thread.ident is None:
            self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._wakeup.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        with wakeups.events_committed.listen(self._wakeup.set):
            while not self._stop.is_set():
                is_woken = self._wakeup.wait(POLL_SECONDS)
                self._wakeup.clear()
                try:
                    if assign_positions() or (is_woken and db.has_single_writer()):
                        wakeups.positions_assigned.notify()
                    elif is_woken and not db.has_single_writer() and Event.objects.filter(position=None).exists():
                        self._wakeup.set()  # Another process assigns them, from a snapshot that may be older.
                except Exception:  # The database is unreachable: nothing is lost, the next call assigns them.
                    log.warning("positions could not be assigned", exc_info=True)
                    connection.close()
                self._stop.wait(MIN_INTERVAL)
        connection.close()
