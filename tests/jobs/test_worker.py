"""The worker does what is due: in a command of its own, and beside the server."""

import time
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import DatabaseError

from core.db import database_now
from core.registration import PeriodicTask
from jobs.worker import BATCH, periodic_tasks, run_due_tasks
from leasing.models import Lease
from retries.models import Failure
from tests.conftest import log
from tests.databases import migrated_database
from tests.servers import Server
from tests.system.concurrent_clients import Http, until

pytestmark = pytest.mark.database("sqlite", "postgresql")


class Chores:
    """Something to do, each item once; `broken` ones fail whenever they are tried."""

    def __init__(self, count, broken=()):
        self.due = list(range(count))
        self.broken = set(broken)
        self.tried = []

    def task(self):
        return PeriodicTask("chores", lambda limit: self.due[:limit], self._settle)

    def _settle(self, chore):
        self.tried.append(chore)
        if chore in self.broken:
            raise ValueError(f"chore {chore} cannot be done")
        if chore not in self.due:
            return False
        self.due.remove(chore)
        return True


@pytest.fixture
def due_lease_and_retry(api, agent, make_intent):
    """An intent on which a lease has run out and a retry is due."""
    intent = make_intent()
    past = database_now() - timedelta(seconds=1)
    api.send("PUT", f"/intents/{intent['id']}/retry-policy", {})
    agent("ada").post(f"/intents/{intent['id']}/failures", {"error_type": "timeout"})
    agent("ada").post(f"/intents/{intent['id']}/leases", {"scope": "draft"})
    assert Failure.objects.update(retry_at=past) == 1
    assert Lease.objects.update(expires_at=past, acquired_at=past - timedelta(seconds=1)) == 1
    return intent


def test_due_rows_are_processed_once(api, due_lease_and_retry):
    assert [run_due_tasks(), run_due_tasks()] == [2, 0]

    assert sorted(log(api, due_lease_and_retry)[-2:]) == [("lease_expired", "system"), ("retry_due", "system")]


def test_the_command_does_what_is_due_and_ends(api, due_lease_and_retry, capsys):
    call_command("worker", "--once")
    call_command("worker", "--once")

    assert capsys.readouterr().out.split("\n") == ["Processed 2 jobs.", "Processed 0 jobs.", ""]
    assert sorted(log(api, due_lease_and_retry)[-2:]) == [("lease_expired", "system"), ("retry_due", "system")]


def test_a_duty_that_fails_does_not_keep_others_waiting(caplog):
    failing, other = Chores(3, broken=[1]), Chores(2)

    done = run_due_tasks([failing.task(), other.task()])

    assert done == 4
    assert (failing.due, other.due) == ([1], [])
    assert [record.getMessage() for record in caplog.records] == ["chores: 1 failed"]


def test_more_rows_than_one_batch_are_processed_in_one_run():
    chores = Chores(2 * BATCH + 7)

    assert run_due_tasks([chores.task()]) == 2 * BATCH + 7
    assert chores.due == []


def test_row_that_always_fails_ends_the_round(caplog):
    chores = Chores(BATCH, broken=range(BATCH))

    assert run_due_tasks([chores.task()]) == 0
    assert len(chores.tried) == BATCH


def test_row_processed_by_another_worker_is_not_counted():
    chores = Chores(2)
    found_by_both = chores.task().find(BATCH)
    run_due_tasks([chores.task()])

    late = PeriodicTask("chores", lambda limit: found_by_both, chores.task().run_one)

    assert run_due_tasks([late]) == 0


def test_unavailable_database_ends_the_round():
    def away(_):
        raise DatabaseError("away")

    with pytest.raises(DatabaseError):
        run_due_tasks([PeriodicTask("chores", lambda limit: [1], away)])


def test_each_duty_finds_no_more_than_it_is_asked_for(due_lease_and_retry):
    assert [len(task.find(1)) <= 1 for task in periodic_tasks()] == [True] * len(periodic_tasks())
    assert [len(task.find(0)) for task in periodic_tasks()] == [0] * len(periodic_tasks())


@pytest.mark.rule("L-2")
def test_the_servers_own_worker_expires_a_lease_within_three_seconds(vendor, tmp_path):
    with Server(migrated_database(vendor, tmp_path)) as server, Http(server) as http:
        intent = http.create()
        begun = time.monotonic()
        lease = http.post(f"/intents/{intent['id']}/leases", {"scope": "draft", "duration_seconds": 1}).body

        until(lambda: http.events(intent["id"])[-1]["event_type"] == "lease_expired", "the lease's end in the log")

        assert 1 <= time.monotonic() - begun < 3
        assert http.events(intent["id"])[-1]["payload"]["lease_id"] == lease["id"]


def test_a_server_told_to_do_without_has_no_worker(vendor, tmp_path):
    with Server(migrated_database(vendor, tmp_path), OPENINTENT_WORKER="false") as server, Http(server) as http:
        url = f"/intents/{http.create()['id']}"
        lease = http.post(f"{url}/leases", {"scope": "draft", "duration_seconds": 1}).body
        ends = time.monotonic() + 1
        while (
            time.monotonic() < ends + 2
        ):  # A worker would have marked it by now; nobody reads the lease, which would mark it too.
            assert http.events(lease["intent_id"])[-1]["event_type"] == "lease_acquired"
            time.sleep(0.1)
        assert http.get(f"{url}/leases?status=expired").body["leases"]
