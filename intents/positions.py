"""`position`: one order of all events, over all intents (architecture §3).

A row number is no such order on PostgreSQL: it is given before the commit, so a reader that has seen 11 passes by a 10
that commits later. There the sequencer numbers events after their commit. It sees committed rows only, hence a late
commit gets a later position and no reader passes anything by. SQLite's writers are serial, so each transaction numbers
its own events.
"""

import logging
import threading
from typing import Any, cast

from django.db import IntegrityError, connection, transaction

from core import db
from intents import wakeups
from intents.models import Event

BATCH = 1_000
LOCK = "event positions"
POLL_SECONDS = 1.0  # Seconds without a ring, after which the sequencer looks by itself.
LOCK_TIMEOUT_MS = 5_000  # Milliseconds for which a reader waits for another's batch, before a 503.
MIN_INTERVAL = 0.02  # Seconds between two batches, so that a busy log is numbered in batches and not one by one.

log = logging.getLogger("openintent.positions")

# The row number orders the events of one intent as their sequence does: both are given under the intent's row lock.
# Rows are named by an array, which leaves the planner one way to find them: with a join, and statistics that are older than
# the rows, it went through all waiting rows for each of them (4 s for a batch).
_NUMBER = """
    WITH waiting AS MATERIALIZED (
        SELECT array_agg("row" ORDER BY "row") AS rows
        FROM (SELECT "row" FROM intents_event WHERE position IS NULL ORDER BY "row" LIMIT %s) AS first
    )
    UPDATE intents_event SET position =
        (SELECT COALESCE(MAX(position), 0) FROM intents_event) + array_position((SELECT rows FROM waiting), "row")
    WHERE "row" = ANY((SELECT rows FROM waiting)::bigint[]) AND (position IS NULL) IS TRUE {} RETURNING 1
"""


def next_position() -> int | None:
    """The position of the next event, where writers are serial; None where the sequencer will give it."""
    if not db.has_single_writer():
        return None
    return db.fetch_all("SELECT COALESCE(MAX(position), 0) + 1 FROM intents_event", [])[0][0]


def assign_positions(*, wait: bool = False) -> int:
    """Give the committed events that have none their positions. Answers how many got one.

    One process at a time does it. Without `wait`, one that comes second leaves it to the first.
    """
    if db.has_single_writer():
        return 0
    total = 0
    while True:
        numbered = _number_in_turn() if wait else _number_if_free()
        total += numbered
        if numbered < BATCH:
            return total


def _number_if_free() -> int:
    """The lock is asked for in the statement itself, which saves three round trips.

    So the statement may have looked before another sequencer committed. Then it meets that one's positions, which are
    unique, and has done nothing: the next look does better.
    """
    try:
        return _number("AND (SELECT pg_try_advisory_xact_lock(%s, %s))", *db.advisory_lock_key(LOCK))
    except IntegrityError:
        return 0


def _number_in_turn() -> int:
    with transaction.atomic():
        with connection.cursor() as cursor:  # A holder that hangs must not take every reader with it.
            cursor.execute("SET LOCAL lock_timeout = %s", [LOCK_TIMEOUT_MS])
        db.acquire_advisory_lock(LOCK)
        return _number()


def _number(condition: str = "", *parameters: int) -> int:
    return len(cast(Any, connection).run(_NUMBER.format(condition), [BATCH, *parameters]))


def assign_pending_positions() -> None:
    """Number all that is committed by now, so that readers by position find what they wrote an instant ago."""
    if not db.has_single_writer() and _has_waiting():
        assign_positions(wait=True)


def _has_waiting() -> bool:
    return Event.objects.filter(position=None).exists()


def head() -> int:
    """The newest position; 0 for an empty log."""
    return db.fetch_all("SELECT COALESCE(MAX(position), 0) FROM intents_event", [])[0][0]


class Sequencer:
    """Numbers what this process and others commit, in a thread of its own, while the server runs."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._rung = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sequencer", daemon=True)

    def start(self) -> None:
        """Again does nothing: a server without a lifespan (daphne) asks at every request."""
        if self._thread.ident is None:
            self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._rung.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        with wakeups.events_committed.listen(self._rung.set):
            while not self._stopping.is_set():
                is_rung = self._rung.wait(POLL_SECONDS)
                self._rung.clear()
                try:
                    self._look(is_rung)
                except Exception:  # The database is away: nothing is lost, the next look numbers it.
                    log.warning("events could not be numbered", exc_info=True)
                    connection.close()
                self._stopping.wait(MIN_INTERVAL)
        connection.close()

    def _look(self, is_rung: bool) -> None:
        if assign_positions() or (is_rung and db.has_single_writer()):
            wakeups.positions_assigned.notify()
        elif is_rung and not db.has_single_writer() and _has_waiting():
            self._rung.set()  # Another process is at it, and may have looked before this one's commit.
