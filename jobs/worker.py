"""The worker: a loop around verbs, safe to run in any number of threads, processes and machines."""

import logging
import random
import threading
from collections.abc import Sequence
from functools import cache
from time import monotonic

from django.db import DatabaseError, connection

from core.registration import PeriodicTask, protocol_apps

LOOK_EVERY = 0.5  # Seconds. What is due is done within 2 s (rule L-2).
AT_ONCE = 500
HOUSEKEEPING_EVERY = 600.0  # Seconds.

log = logging.getLogger("openintent.worker")


@cache
def periodic_tasks() -> tuple[PeriodicTask, ...]:
    """Return the tasks of all apps."""
    return tuple(task for config in protocol_apps() for task in config.periodic_tasks())


def run_due_tasks(tasks: Sequence[PeriodicTask] | None = None) -> int:
    """Do what is due now, of these tasks or of all. Return how much that was. Raise DatabaseError if the database is unavailable."""
    return sum(_work_off_alone(task) for task in (periodic_tasks() if tasks is None else tasks))


def _work_off_alone(task: PeriodicTask) -> int:
    try:
        return _work_off(task)
    except DatabaseError:
        raise
    except Exception:  # What is wrong with one task keeps no other waiting.
        log.exception("%s failed", task.name)
        return 0


def _work_off(task: PeriodicTask) -> int:
    done = 0
    while True:
        found = list(task.find(AT_ONCE))
        random.shuffle(found)  # Workers that look at the same time do not all wait for the same row.
        settled = sum(_settle(task, each) for each in found)
        done += settled
        if len(found) < AT_ONCE or not settled:
            return done


def _settle(task: PeriodicTask, due: object) -> bool:
    try:
        return task.run_one(due)
    except DatabaseError:
        raise
    except Exception:  # One that fails, again and again perhaps, does not keep the others waiting.
        log.exception("%s: %s failed", task.name, due)
        return False


class Worker:
    """Works in a thread of its own (`start`), or in the caller's (`run`), until `stop`."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self.run, name="worker", daemon=True)

    def start(self) -> None:
        """Again does nothing."""
        if self._thread.ident is None:
            self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=5)

    def run(self) -> None:
        housekeeping = monotonic()
        while not self._stopping.is_set():
            try:
                run_due_tasks()
                if monotonic() >= housekeeping:
                    for clean_up in (each for config in protocol_apps() for each in config.housekeeping()):
                        clean_up()
                    housekeeping = monotonic() + HOUSEKEEPING_EVERY
            except Exception:  # The database is away: what is due stays due.
                log.warning("the worker could not work", exc_info=True)
                connection.close()
            self._stopping.wait(LOOK_EVERY)
        connection.close()
