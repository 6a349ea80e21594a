"""The sequencer of PostgreSQL (architecture §3): no process is needed for it, and none can hold it up by dying."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import psycopg
import pytest
from django.db import IntegrityError, transaction

from intents import positions, triggers
from intents.models import Event
from tests.servers import Server
from tests.system.concurrent_clients import until
from tests.system.conftest import ROOT, environment, verified
from tests.system.test_log_order import Tail
from tests.system.workers import Worker, acknowledged, at_work

pytestmark = pytest.mark.full


HOLD_THE_LOCK = """
import sys, django
django.setup()
from django.db import transaction
from core.db import acquire_advisory_lock
from intents.positions import LOCK
with transaction.atomic():
    acquire_advisory_lock(LOCK)
    print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def sequencer_that_hangs(database_url: str) -> Iterator["subprocess.Popen[str]"]:
    """A process that has begun to number events and does not go on."""
    command = [sys.executable, "-c", HOLD_THE_LOCK]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=environment(database_url), stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.mark.rule("E-2")
def test_when_the_process_that_numbers_events_is_killed_another_goes_on(servers, database_url, http):
    with sequencer_that_hangs(database_url) as process:
        intent = http.create()
        assert http.post(f"/intents/{intent['id']}/events", {"event_type": "comment"}).status == 201
        assert positions_of(database_url, intent["id"]) == [None, None]
        process.kill()

        numbered = until(lambda: None not in (found := positions_of(database_url, intent["id"])) and found, "positions")

    assert numbered == sorted(numbered)


def positions_of(database_url: str, intent_id: str) -> list[int | None]:
    with psycopg.connect(database_url) as connection:
        query = "SELECT position FROM intents_event WHERE intent_id = %s ORDER BY sequence"
        return [row[0] for row in connection.execute(query, [intent_id])]


@pytest.mark.rule("E-2", "I-1")
def test_a_reader_misses_nothing_when_one_of_two_servers_is_killed(servers, database_url, http):
    workers = [Worker(f"worker{number}", http.create()["id"]) for number in range(4)]
    tail = Tail()
    with Server(database_url) as doomed, at_work(workers, [servers[0], doomed]):
        until(lambda: tail.read(http) is not None and acknowledged(workers) > 60, "writes through both")
        doomed.kill()
        goal = acknowledged(workers) + 60
        until(lambda: tail.read(http) is not None and acknowledged(workers) > goal, "writes through the other")

    with at_work(workers, servers):  # Who was cut off sends its last write again.
        pass
    events = verified(database_url)["events"]
    until(lambda: tail.read(http) == 0 and len(tail.ids) == events, "the end of the log")


@pytest.mark.rule("E-1")
def test_a_position_is_given_once_and_nothing_with_it(api):
    intent = UUID(api.post("/intents", {"title": "Book flights"}).json()["id"])
    event = Event.objects.filter(intent_id=intent)
    for changes in ({"position": 7, "actor": "eve"}, {"position": None}):
        with pytest.raises(IntegrityError, match=triggers.REFUSAL), transaction.atomic():
            event.update(**changes)

    assert positions.assign_positions() == 1
    assert positions.assign_positions() == 0

    for changes in ({"position": 7}, {"position": None}):
        with pytest.raises(IntegrityError, match=triggers.REFUSAL), transaction.atomic():
            event.update(**changes)
