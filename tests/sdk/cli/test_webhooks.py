"""Webhooks on the command line, and events forwarded to this machine."""

import json
import os
import queue
import signal
import subprocess

import pytest
from openintent import webhooks
from openintent.cli.listen import Forwarder
from werkzeug import Response

from tests.sdk.cli.conftest import run_at
from tests.sdk.cli.terminal import COMMAND

pytestmark = [pytest.mark.database("sqlite"), pytest.mark.case("console M21")]

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
URL = "https://hooks.example.com/events"


def test_webhooks_are_created_listed_and_deleted(openintent, client, intent):
    made = openintent("webhooks", "create", URL, "--intent", intent.id, "--type", "comment")

    assert made.out.startswith("whsec_")
    assert made.out.strip() not in made.err
    [found] = client.get_subscriptions(intent.id)
    [line] = [line for line in openintent("webhooks", "--intent", intent.id).out.splitlines() if found.id in line]
    assert URL in line
    assert "comment" in line
    assert openintent("webhooks", "deliveries", found.id).code == 0
    assert openintent("webhooks", "delete", found.id[-12:]).code == 0
    assert client.get_subscriptions(intent.id) == []


def test_deliveries_are_listed_and_sent_again(script):
    id, delivery = "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21", "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e22"
    found = {
        "id": delivery, "subscription_id": id, "event_id": id, "event_type": "comment", "status": "dead", "attempts": 9, "position": 1,
        "created_at": "2027-01-15T09:30:00Z",
        "history": [{"at": "2027-01-15T09:30:00Z", "status_code": 503, "duration_ms": 12, "response": "\x1b[2J"}],
    }  # fmt: skip
    script.respond({"deliveries": [found], "next": None}, {"deliveries": [found], "next": None}, found)

    listed, again = (
        run_at(script.url, "webhooks", "deliveries", id),
        run_at(script.url, "webhooks", "redeliver", id, delivery[-4:]),
    )

    assert "503 (12 ms)" in listed.out
    assert (again.code, script.seen[-1].method) == (0, "POST")
    assert script.seen[-1].target == f"/api/v1/subscriptions/{id}/deliveries/{delivery}/redeliver"


def test_a_webhook_is_tested(openintent, client, intent):
    webhook = client.subscribe(intent.id, callback_url=URL, event_types=["comment"])

    tested, as_json = openintent("webhooks", "test", webhook.id[-12:]), openintent("webhooks", "test", webhook.id, "--json")

    first, second = client.get_events(intent.id, "subscription_tested")
    assert (tested.code, tested.out) == (0, f"Sending a test: event {first.id}.\n")
    assert tested.err == f"Its outcome: openintent webhooks deliveries {webhook.id}\n"
    assert (as_json.json["id"], as_json.json["event_type"]) == (second.id, "subscription_tested")


def test_a_webhook_that_sends_nothing_is_not_tested(openintent, client, intent):
    webhook = client.subscribe(intent.id)

    refused = openintent("webhooks", "test", webhook.id)

    assert (refused.code, refused.out) == (1, "")
    assert "without a callback_url" in refused.err
    assert client.get_events(intent.id, "subscription_tested") == []


class Receiver:
    """A server on this machine that receives webhooks."""

    def __init__(self, http):
        self.received = queue.Queue()
        self.status = 204
        self.url = f"http://{http.host}:{http.port}/hooks"
        http.expect_request("/hooks").respond_with_handler(self._receive)

    def _receive(self, request):
        self.received.put((request.get_data(), dict(request.headers)))
        return Response(status=self.status)


@pytest.fixture
def receiver(http):
    yield Receiver(http)
    http.clear()


@pytest.fixture
def listening(server, receiver):
    """`listening("--json")`: a process that forwards to the receiver."""
    processes = []
    environment = {**os.environ, "OPENINTENT_URL": server.url, "OPENINTENT_API_KEY": "dev-user-key",
                   "OPENINTENT_WEBHOOK_SECRET": SECRET}  # fmt: skip

    def start(*arguments):
        command = [*COMMAND, "webhooks", "listen", "--forward-to", receiver.url, *arguments]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        processes.append(process)
        assert SECRET in process.stderr.readline()  # It is connected: later events come.
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.full
def test_events_are_forwarded_signed_as_the_server_does(listening, receiver, client, intent):
    process = listening("--intent", intent.id, "--type", "comment", "--json")
    made = client.log_event(intent.id, "comment", {"message": "Hello \u202e ü"})
    client.log_event(intent.id, "other")

    body, headers = receiver.received.get(timeout=30)
    told = json.loads(process.stdout.readline())

    webhook = webhooks.verify(body, headers, SECRET)
    assert (webhook.id, webhook.event.id, webhook.event.payload) == (made.id, made.id, {"message": "Hello \u202e ü"})
    assert "X-Api-Key" not in headers
    assert (told["event_id"], told["status_code"], told["error"]) == (made.id, 204, None)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "")
    assert err == (
        f"Stopped at position {told['position']}. Resume with: openintent webhooks listen --forward-to {receiver.url} "
        f"--after {told['position']} --intent {intent.id} --type comment\n"
    )


@pytest.mark.full
def test_a_failing_receiver_is_reported_and_the_next_event_follows(listening, receiver, client, intent):
    process = listening("--intent", intent.id)
    receiver.status = 500
    client.log_event(intent.id, "comment", {"message": "one"})
    assert "→ 500" in process.stdout.readline()
    receiver.status = 200
    client.log_event(intent.id, "comment", {"message": "two"})

    assert "→ 200" in process.stdout.readline()
    assert receiver.received.qsize() == 2, "each is sent once"


@pytest.mark.full
def test_after_forwards_again_under_the_same_id(listening, receiver, client, intent):
    made = client.log_event(intent.id, "comment", {"message": "once more"})
    position = client.get_events(intent.id)[-1].position

    for _ in range(2):
        listening("--intent", intent.id, "--after", str(position - 1))
        assert receiver.received.get(timeout=30)[1]["Webhook-Id"] == made.id


@pytest.mark.parametrize(
    "arguments", [("--forward-to", "localhost:3000"), ("--forward-to", "http://localhost:3000", "--secret", "not base64"), ()]
)
def test_wrong_usage_is_refused(openintent, arguments):
    assert openintent("webhooks", "listen", *arguments).code == 2


def test_no_proxy_is_between_this_machine_and_itself(receiver, client, intent, monkeypatch):
    event = client.log_event(intent.id, "comment", {"message": "Hello"})
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

    assert Forwarder(receiver.url, SECRET).forward(event).status == 204
    assert Forwarder("http://hooks.example.com/", SECRET).forward(event).error
