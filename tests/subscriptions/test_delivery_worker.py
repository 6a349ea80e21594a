"""Couriers in servers and workers: several at once, killed, stopped, and kept waiting."""

import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack, closing

import psycopg
import pytest

from subscriptions.models import Pace
from subscriptions.webhooks.deliveries import MAX_CONCURRENT
from tests.databases import migrated_database
from tests.servers import Server
from tests.subscriptions.webhook_receivers import Receiver
from tests.system.concurrent_clients import Http, rounds, until
from tests.system.conftest import environment, manage

pytestmark = pytest.mark.full


ROOT_WAIT = 60.0


def execute(database_url: str, statement: str) -> None:
    """Change the database behind the servers' back."""
    if database_url.startswith("sqlite"):
        with closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as connection, connection:
            connection.execute(statement)
    else:
        with psycopg.connect(database_url) as connection:
            connection.execute(statement)


def subscribe(http: Http, receiver: Receiver, intent: dict, **fields):
    body = {"callback_url": receiver.url, "event_types": ["comment"], **fields}
    answer = http.post(f"/intents/{intent['id']}/subscriptions", body)
    assert answer.status == 201, answer
    return answer.body


def comment(http: Http, intent: dict, number: int = 1) -> list[str]:
    events = [{"event_type": "comment"} for _ in range(number)]
    return [event["id"] for event in http.post(f"/intents/{intent['id']}/events/batch", {"events": events}).body["events"]]


def received(receiver: Receiver) -> Counter:
    return Counter(call.event["id"] for call in receiver.calls)


def all_arrived(http: Http, subscription: dict, number: int) -> bool:
    found = http.get(f"/subscriptions/{subscription['id']}/deliveries?status=delivered&limit=1000").body["deliveries"]
    return len(found) == number


@pytest.mark.rule("W-1", "W-2")
def test_servers_own_worker_sends_exactly_the_subscribed_types(server, receiver):
    with Http(server) as http:
        intent = http.create()
        subscription = subscribe(http, receiver, intent, event_types=["state_patched", "status_changed"])
        begun = time.monotonic()
        comment(http, intent)
        http.post(f"/intents/{intent['id']}/status", {"status": "active"}, version=1)
        http.post(f"/intents/{intent['id']}/state", {"state": {"done": True}}, version=2)

        until(lambda: len(receiver.calls) == 2, "the webhooks")

        assert time.monotonic() - begun < 3
        assert sorted(receiver.types) == ["state_patched", "status_changed"]
        for call in receiver.calls:
            assert call.verified(subscription["secret"])["subscription_id"] == subscription["id"]
        until(lambda: all_arrived(http, subscription, 2), "the record of both")


@pytest.mark.rule("W-2")
def test_only_a_worker_sends_due_deliveries(vendor, tmp_path, receiver):
    with Server(migrated_database(vendor, tmp_path), OPENINTENT_WORKER="false") as server, Http(server) as http:
        intent = http.create()
        subscription = subscribe(http, receiver, intent)
        comment(http, intent, 3)
        time.sleep(1.5)  # Longer than a delivery worker takes to look.
        assert receiver.calls == []

        done = manage(server.database_url, "worker", "--once")

        assert (done.returncode, done.stdout) == (0, "Processed 3 jobs.\n"), done.stderr
        assert all_arrived(http, subscription, 3)
        assert set(received(receiver).values()) == {1}


@pytest.mark.rule("W-2")
def test_delivery_of_a_killed_server_is_sent_again_under_the_same_id(vendor, tmp_path, receiver):
    url = migrated_database(vendor, tmp_path)
    receiver.hangs.set()
    with Server(url) as server, Http(server) as http:
        intent = http.create()
        subscription = subscribe(http, receiver, intent)
        [event] = comment(http, intent)
        until(lambda: receiver.calls, "the first attempt")
        server.kill()
        receiver.hangs.clear()
        execute(url, "UPDATE subscriptions_delivery SET claimed_until = '2020-01-01 00:00:00'")
        server.start()

        with Http(server) as again:
            until(lambda: all_arrived(again, subscription, 1), "the second attempt")

    assert received(receiver) == {event: 2}
    assert len(set(receiver.ids)) == 1


@pytest.mark.rule("W-2")
def test_delivery_workers_of_several_processes_send_each_event_once(vendor, tmp_path, receiver):
    url, number = migrated_database(vendor, tmp_path), rounds(2_000, 200)
    with ExitStack() as running:
        count = 2 if vendor == "postgresql" else 1
        servers = [running.enter_context(Server(url)) for _ in range(count)]
        clients = [running.enter_context(Http(server)) for server in servers]
        intents = [client.create() for client in clients for _ in range(3)]
        subscriptions = [subscribe(clients[0], receiver, intent) for intent in intents]
        everything = clients[0].post("/subscriptions", {"callback_url": receiver.url, "event_types": ["comment"]}).body
        written = [
            event
            for start in range(0, number, 20)
            for each, intent in enumerate(intents)
            for event in comment(clients[each % count], intent, 20 // len(intents) + 1)
        ]
        until(lambda: len(receiver.calls) >= 2 * len(written), "all webhooks")
        until(lambda: sum(arrived(clients[0], each) for each in [*subscriptions, everything]) == 2 * len(written), "their record")

    assert Counter((call.json["subscription_id"], call.event["id"]) for call in receiver.calls).most_common(1)[0][1] == 1
    assert received(receiver) == dict.fromkeys(written, 2)
    assert not [line for server in servers for line in server.log if '"level":"error"' in line or '"level":"warning"' in line]


def arrived(http: Http, subscription: dict) -> int:
    found, cursor = 0, ""
    while cursor is not None:
        page = http.get(f"/subscriptions/{subscription['id']}/deliveries?status=delivered&limit=1000&cursor={cursor}").body
        found, cursor = found + len(page["deliveries"]), page["next"]
    return found


@pytest.mark.rule("W-2")
def test_a_receiver_that_hangs_keeps_no_other_waiting_nor_the_servers_stop(vendor, tmp_path, receiver):
    with Receiver() as hanging, Server(migrated_database(vendor, tmp_path)) as server, Http(server) as http:
        hanging.hangs.set()
        stuck, quick = http.create(), http.create()
        subscribe(http, hanging, stuck)
        subscribe(http, receiver, quick)
        comment(http, stuck, 50)
        until(lambda: len(hanging.calls) == MAX_CONCURRENT[Pace.NEW], "as many calls as one subscription may have")
        begun = time.monotonic()
        comment(http, quick, 20)

        until(lambda: len(receiver.calls) == 20, "the webhooks of the other")

        assert time.monotonic() - begun < 5
        assert len(hanging.calls) == MAX_CONCURRENT[Pace.NEW]
        begun = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begun < 9


@pytest.mark.rule("W-2")
@pytest.mark.case("streams 19")
@pytest.mark.parametrize("number", [2, 30])
def test_however_many_receivers_hang_the_others_hear_while_they_do(vendor, tmp_path, receiver, number):
    with Receiver() as hanging, Server(migrated_database(vendor, tmp_path)) as server, Http(server) as http:
        hanging.hangs.set()
        intent = http.create()
        stuck = [subscribe(http, hanging, intent)["id"] for _ in range(number)]
        heard = subscribe(http, receiver, intent)

        def attempts():
            return sum(
                each["attempts"] for pk in stuck for each in http.get(f"/subscriptions/{pk}/deliveries").body["deliveries"]
            )

        comment(http, intent, 40)
        until(lambda: len(receiver.calls) == 40, "the webhooks, while nobody knows yet who hangs")
        assert attempts() == 0

        until(lambda: attempts() >= number, "a call of each that hangs to end")
        until(lambda: all_arrived(http, heard, 40), "the record of the others")
        before = attempts()
        comment(http, intent, 40)
        until(lambda: len(receiver.calls) == 80, "the webhooks, once it is known who hangs")
        assert attempts() - before < 40  # Fewer than webhooks that were heard: none waited for a call that hangs to end.


@pytest.mark.rule("W-2")
def test_a_worker_of_its_own_sends_and_stops_when_told(vendor, tmp_path, receiver):
    url = migrated_database(vendor, tmp_path)
    with Server(url, OPENINTENT_WORKER="false") as server, Http(server) as http:
        worker = subprocess.Popen([sys.executable, "manage.py", "worker"], env=environment(url), stderr=subprocess.PIPE)
        try:
            intent = http.create()
            subscription = subscribe(http, receiver, intent)
            comment(http, intent, 5)
            until(lambda: all_arrived(http, subscription, 5), "the webhooks")
        finally:
            worker.terminate()
            _, said = worker.communicate(timeout=ROOT_WAIT)
        assert worker.returncode == 0, said
