"""Worker: runs periodic tasks; safe in any number of threads, processes and machines."""

import logging
import random
import threading
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from time import monotonic

from django.db import DatabaseError, connection
from django.utils.module_loading import module_has_submodule

from core.registration import PeriodicTask, protocol_apps

POLL_EVERY = 0.5  # Seconds. Due rows are processed within 2 s (rule L-2).
BATCH = 500
HOUSEKEEPING_EVERY = 600.0  # Seconds.

log = logging.getLogger("openintent.worker")


@cache
def periodic_tasks() -> tuple[PeriodicTask, ...]:
    """Return the tasks of all apps: PERIODIC_TASKS of their services."""
    found: list[PeriodicTask] = []
    for config in protocol_apps():
        if module_has_submodule(config.module, "services"):
            found += getattr(import_module(f"{config.name}.services"), "PERIODIC_TASKS", ())
    return tuple(found)


def run_due_tasks(tasks: Sequence[PeriodicTask] | None = None) -> int:
    """Process all due rows, of these tasks or of all. Return their number. Raise DatabaseError if the database is unavailable."""
    done = 0
    for task in periodic_tasks() if tasks is None else tasks:
        try:
            done += _run_task(task)
        except DatabaseError:
            raise
        except Exception:  # A broken task must not block the others.
            log.exception("%s failed", task.name)
    return done


def _run_task(task: PeriodicTask) -> int:
    done = 0
    while True:
        due = list(task.find(BATCH))
        random.shuffle(due)  # Workers that poll at the same time do not all wait for the same row.
        processed = 0
        for each in due:
            try:
                processed += task.run_one(each)
            except DatabaseError:
                raise
            except Exception:  # A row that fails, perhaps repeatedly, must not block the others.
                log.exception("%s: %s failed", task.name, each)
        done += processed
        if len(due) < BATCH or not processed:
            return done


class Worker:
    """Runs due tasks in a thread of its own (`start`), or in the caller's (`run`), until `stop`."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self.run, name="worker", daemon=True)

    def start(self) -> None:
        """Start the thread. Idempotent."""
        if self._thread.ident is None:
            self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout=5)

    def run(self) -> None:
        """Run due tasks and housekeeping until `stop`."""
        next_housekeeping = monotonic()
        while not self._stopping.is_set():
            try:
                run_due_tasks()
                if monotonic() >= next_housekeeping:
                    for clean_up in (each for config in protocol_apps() for each in config.housekeeping()):
                        clean_up()
                    next_housekeeping = monotonic() + HOUSEKEEPING_EVERY
            except Exception:  # The database is unavailable: due rows stay due.
                log.warning("worker failed and will retry", exc_info=True)
                connection.close()
            self._stopping.wait(POLL_EVERY)
        connection.close()
