"""SQLite's disk is full for a while: what was refused is not there, what was acknowledged is (D-298)."""

import random
import resource
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.servers import Server
from tests.system.concurrent_clients import Http, rounds, until
from tests.system.conftest import verified
from tests.system.workers import Worker, acknowledged, assert_all_is_there_once, at_work

pytestmark = pytest.mark.full

UNLIMITED = resource.RLIM_INFINITY


@pytest.fixture
def server(database_url: str) -> Iterator[Server]:
    with Server(database_url) as server:
        yield server


@contextmanager
def disk_full(server: Server, database_url: str) -> Iterator[None]:
    """Refuse what the server writes into its files beyond a random length."""
    length = Path(database_url.removeprefix("sqlite:///") + "-wal").stat().st_size
    before = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (random.randrange(length), UNLIMITED))
    yield
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, before)


@pytest.mark.rule("I-1", "E-2", "E-6")
def test_full_disk_under_load_loses_no_write(server, database_url):
    with Http(server) as http:
        shared = http.create()["id"]
    workers = [Worker(f"worker{number}", shared) for number in range(16)]

    with at_work(workers, [server]):
        for _ in range(rounds(20, 4)):
            done, refused = acknowledged(workers), sum(worker.refused for worker in workers)
            until(partial(has_written_more, workers, 100 + done), "writes", progress=partial(acknowledged, workers))
            with disk_full(server, database_url):
                until(partial(is_refused_more, workers, 50 + refused), "refusals", progress=partial(acknowledged, workers))

    with Http(server) as http:
        assert_all_is_there_once(workers, http)
    verified(database_url)


def has_written_more(workers: Sequence[Worker], than: int) -> bool:
    return acknowledged(workers) > than


def is_refused_more(workers: Sequence[Worker], than: int) -> bool:
    return sum(worker.refused for worker in workers) > than
