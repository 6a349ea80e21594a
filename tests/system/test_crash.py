"""kill -9 of the server under load: what was acknowledged is there, and nothing is there by half or twice."""

import random

import pytest

from tests.databases import migrated_database
from tests.servers import Server
from tests.system.concurrent_clients import Http, rounds, until
from tests.system.conftest import verified
from tests.system.workers import Worker, acknowledged, assert_all_is_there_once, at_work

pytestmark = pytest.mark.full


WORKERS = 6


@pytest.mark.rule("I-1", "E-1", "E-2", "E-6")
def test_crash_loses_no_acknowledged_write_and_leaves_none_half_done(vendor, tmp_path):
    database_url = migrated_database(vendor, tmp_path)
    with Server(database_url) as server, Http(server) as http:
        shared = http.create()["id"]
    workers = [Worker(f"worker{number}", shared) for number in range(WORKERS)]

    for _ in range(rounds(20, 3)):
        with Server(database_url) as server, at_work(workers, [server]):
            goal = acknowledged(workers) + random.randint(10, 150)
            until(lambda goal=goal: acknowledged(workers) >= goal, "enough writes")
            server.kill()

    with Server(database_url) as server, Http(server) as http:
        with at_work(workers, [server]):
            goal = acknowledged(workers) + 10 * WORKERS
            until(lambda: acknowledged(workers) >= goal, "enough writes after the last crash")
        assert_all_is_there_once(workers, http)
    assert verified(database_url)["intents"] == 1 + WORKERS
