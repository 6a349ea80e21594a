"""PostgreSQL ends connections, or cannot be reached for a while: the server says so, and goes on when it is back."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from psycopg import sql

from tests.databases import postgresql_url
from tests.servers import Server
from tests.system.concurrent_clients import Crowd, Http, rounds, until
from tests.system.conftest import verified
from tests.system.workers import Worker, acknowledged, assert_all_is_there_once, at_work

pytestmark = pytest.mark.full


THREADS = 4


@pytest.fixture
def postgresql() -> Iterator[psycopg.Connection]:
    """A superuser's connection to the server, beside the database in question."""
    with psycopg.connect(postgresql_url(), autocommit=True) as connection:
        yield connection


def backends(postgresql: psycopg.Connection, name: str) -> set[int]:
    return {row[0] for row in postgresql.execute("SELECT pid FROM pg_stat_activity WHERE datname = %s", [name])}


def terminate_all(postgresql: psycopg.Connection, name: str) -> None:
    """End all connections to the database, and wait until they are gone."""
    doomed = backends(postgresql, name)
    postgresql.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s) AS pid", [list(doomed)])
    until(lambda: not doomed & backends(postgresql, name), "the end of the connections")


@contextmanager
def closed_to_all(postgresql: psycopg.Connection, name: str) -> Iterator[None]:
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    postgresql.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
    terminate_all(postgresql, name)
    yield
    postgresql.execute(allow.format(sql.Identifier(name), sql.SQL("true")))


@pytest.fixture
def name(database_url: str) -> str:
    with psycopg.connect(database_url) as connection:
        return connection.info.dbname


@pytest.fixture
def server(database_url: str) -> Iterator[Server]:
    with Server(database_url, OPENINTENT_THREADS=str(THREADS)) as server:
        yield server


def test_requests_after_the_end_of_all_connections_succeed_at_once(server, postgresql, name):
    with Crowd([server], THREADS) as crowd:
        for _ in range(5):
            crowd.at_once(*[lambda client: client.create()] * THREADS)
            terminate_all(postgresql, name)

            crowd.at_once(*[lambda client: client.create()] * THREADS)

    # One for each thread, the sequencer's and the worker's; those of what begins and ends may be there for a moment.
    until(lambda: len(backends(postgresql, name)) <= THREADS + 2, "no more connections than there are users of them")


@pytest.mark.rule("I-1", "E-2", "E-6")
def test_broken_connections_under_load_lose_no_write(server, postgresql, name, database_url):
    with Http(server) as http:
        workers = [Worker(f"worker{number}", http.create()["id"]) for number in range(6)]
    for worker in workers:
        worker.shared = workers[0].shared

    with at_work(workers, [server]):
        for _ in range(rounds(20, 4)):
            goal = acknowledged(workers) + 30
            until(lambda goal=goal: acknowledged(workers) >= goal, "writes")
            terminate_all(postgresql, name)

    with Http(server) as http:
        assert_all_is_there_once(workers, http)
    verified(database_url)


def test_while_the_database_is_away_the_server_says_so_and_then_goes_on(server, postgresql, name):
    with Http(server, may_fail=True) as http:
        intent = http.create()
        with closed_to_all(postgresql, name):
            for answer in (http.get(f"/intents/{intent['id']}"), http.post("/intents", {"title": "Not now"})):
                assert (answer.status, answer.code, answer.headers["Retry-After"]) == (503, "unavailable", "1")
            assert http.health("/readyz").body["checks"]["database"] == "unreachable"
            assert http.health("/healthz").status == 200

        assert http.health("/readyz").status == 200
        assert http.intent(intent["id"]) == intent
        assert "Not now" not in [each["title"] for each in http.get("/intents").body["intents"]]
