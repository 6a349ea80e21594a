"""Workers as processes of their own, which tests kill."""

import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager

from tests.processes import Process
from tests.system.conftest import environment


class WorkerProcess:
    """A `manage.py worker`."""

    def __init__(self, database_url: str) -> None:
        self.process = Process("manage", ["worker"], environment(database_url))

    def wait_until_it_works(self) -> None:
        line = self.process.stderr.readline()
        assert line.startswith("Worker started"), line + self.process.stderr.read()

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        code = self.process.wait(timeout=30)
        self.process.stderr.close()
        return code


@contextmanager
def two_workers(database_url: str) -> Iterator[list[WorkerProcess]]:
    """Two workers; whoever kills one puts another in its place."""
    workers = [WorkerProcess(database_url) for _ in range(2)]
    try:
        for worker in workers:
            worker.wait_until_it_works()
        yield workers
    finally:
        codes = [worker.end(signal.SIGTERM) for worker in workers]
    assert codes == [0, 0]


def kill_one(workers: list[WorkerProcess], database_url: str) -> None:
    """Kill one of them, and start another in its place."""
    victim = random.randrange(len(workers))
    assert workers[victim].end(signal.SIGKILL) == -signal.SIGKILL
    workers[victim] = WorkerProcess(database_url)
    workers[victim].wait_until_it_works()
