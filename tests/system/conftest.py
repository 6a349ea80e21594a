"""Fixtures of the system tests."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from tests import processes
from tests.databases import migrated_database
from tests.pytest_plugin import VENDOR
from tests.servers import Server
from tests.system.concurrent_clients import Crowd, Http

# What only a database server can do: be shared by processes, and go away. What only files can: find their disk full.
collect_ignore = (
    ["test_disk_full.py"]
    if VENDOR == "postgresql"
    else ["test_database_away.py", "test_ended.py", "test_redis_wakeups.py", "test_sequencer.py", "test_workers.py"]
)

ROOT = Path(__file__).parent.parent.parent


def environment(database_url: str) -> dict[str, str]:
    """For a process that works on the database."""
    return {**os.environ, "DATABASE_URL": database_url, "DJANGO_SETTINGS_MODULE": "config.settings"}


def create_arbiters(database_url: str, names: Iterable[str]) -> None:
    """Create accounts of people who may decide."""
    for name in names:
        command = [sys.executable, "manage.py", "createoperator", name, "--role", "arbiter"]
        options: Any = {"env": environment(database_url), "cwd": ROOT, "text": True, "check": True, "stdout": subprocess.DEVNULL}
        subprocess.run(command, input=f"{uuid4()}\n", **options)


def manage(database_url: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run manage.py on a database."""
    return processes.run("manage", arguments, environment(database_url))


def verified(database_url: str) -> dict[str, Any]:
    """Return the counts of verify_log, after it has found no error."""
    done = manage(database_url, "verify_log", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def database_url(vendor: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An empty database, which the tests of a module share."""
    return migrated_database(vendor, tmp_path_factory.mktemp("system"))


@pytest.fixture(scope="module")
def servers(vendor: str, database_url: str, request: pytest.FixtureRequest) -> Iterator[list[Server]]:
    """Two processes on one database, or as many as the module's PROCESSES says; one on SQLite, whose writers share a process.

    Whatever the tests did to them: the log agrees with the tables, and nobody waited in a circle or failed.
    """
    count = getattr(request.module, "PROCESSES", 2)
    running = [Server(database_url).start() for _ in range(count if vendor == "postgresql" else 1)]
    yield running
    for server in running:
        server.stop()
        assert not [line for line in server.log if '"level":"error"' in line]
    verified(database_url)
    if vendor == "postgresql":
        with psycopg.connect(database_url) as connection:
            query = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
            assert connection.execute(query).fetchone() == (0,)


@pytest.fixture
def crowd(servers: list[Server]) -> Iterator[Callable[[int], Crowd]]:
    """`crowd(20)`: so many clients, spread over the servers."""
    with ExitStack() as made:
        yield lambda size: made.enter_context(Crowd(servers, size))


@pytest.fixture
def http(servers: list[Server]) -> Iterator[Http]:
    with Http(servers[0]) as client:
        yield client
