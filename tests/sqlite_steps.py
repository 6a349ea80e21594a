"""Steps of SQLite's virtual machine, which tell what a statement reads: a count, where a time would depend on the machine."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

STEPS = 50


@contextmanager
def counted_steps() -> Iterator[list[int]]:
    """Yield a list whose only item is the number of steps until now, in fifties."""
    count = [0]

    def step() -> None:
        count[0] += 1

    connection.connection.set_progress_handler(step, STEPS)
    try:
        yield count
    finally:
        connection.connection.set_progress_handler(None, 0)
