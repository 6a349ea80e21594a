"""Workers behind a proxy that fails at random, at a server that is killed: each assignment is done once (protocol K-7, K-12)."""

import threading
import time

import pytest
from openintent import ConnectionFailedError, RateLimitError, ServerError, Worker

from tests.databases import migrated_database
from tests.sdk.agents.conftest import OperatorClient
from tests.sdk.agents.unreliable_proxy import UnreliableProxy
from tests.servers import Server
from tests.system.concurrent_clients import rounds, until

pytestmark = [pytest.mark.rule("K-7", "K-12"), pytest.mark.full]

ASSIGNMENTS = 4 * rounds(120, 20)
KILLS = {ASSIGNMENTS // 3, 2 * ASSIGNMENTS // 3}
"""Numbers of assignments after which the server is killed."""


def done(operator):
    return len(operator.list_intents(status="completed"))


def logged(client, intent):
    """Return whether the comment, which has a key of its own, could be logged."""
    try:
        return client.log_event(intent.id, "comment", {"text": "at it"}, idempotency_key=f"{intent.id}/comment")
    except (ConnectionFailedError, RateLimitError, ServerError):
        return False


@pytest.fixture
def server(vendor, tmp_path):
    """Override the shared one, as it is killed."""
    with Server(migrated_database(vendor, tmp_path)) as server:
        server.port = server.url.rpartition(":")[2]
        yield server


def test_each_assignment_is_done_once_behind_an_unreliable_proxy(server, record_property, caplog):
    runs = []

    def work(intent, client):
        runs.append(intent.id)
        until(lambda: logged(client, intent), "the comment")
        return {"done": intent.title}

    intents = []
    with UnreliableProxy(int(server.port)) as proxy, OperatorClient(server.url, "dev-user-key", "boss") as operator:
        workers = [Worker("worker", work, concurrency=4, lease_seconds=5).start(proxy.url, "dev-user-key") for _ in range(2)]
        began = time.monotonic()
        while len(intents) < ASSIGNMENTS:
            intents.append(operator.create_intent(f"Work {len(intents)}", assign="worker"))
            until(lambda: time.monotonic() - began >= len(intents) / 4, "the time for the next one")
            if len(intents) in KILLS:
                server.kill()
                server.start()
        proxy.calm.set()
        until(lambda: done(operator) == len(intents), "all of them", progress=lambda: done(operator))
        for worker in workers:
            worker.stop()

        for intent in intents:
            now, events = operator.get_intent(intent.id), [event.event_type for event in operator.get_events(intent.id)]
            assert now.state == {"done": intent.title}
            assert (events.count("state_patched"), events.count("failure_recorded"), events.count("comment")) == (1, 0, 1)
    record_property(
        "figure", f"{len(intents)} assignments, {len(runs)} runs, {len(KILLS)} kills, {proxy.passed} passed, {proxy.faults}"
    )
    assert [each for each in caplog.messages if each.startswith("worker stops:")] == []  # One may well lose a lease of 5 s.


@pytest.mark.case("coordination O26")
def test_an_agent_stops_soon_although_its_server_hangs(server):
    begun = threading.Event()

    def work(intent, assignment):
        begun.set()
        assignment.wait(60)

    with UnreliableProxy(int(server.port), share=0) as proxy, OperatorClient(server.url, "dev-user-key", "boss") as operator:
        agent = Worker("worker", work, proxy.url, "dev-user-key", drain_seconds=0).start()
        operator.create_intent("Something to do", assign="worker")
        assert begun.wait(30)
        proxy.hangs.set()
        began = time.monotonic()

        agent.stop()

        assert time.monotonic() - began < 20  # Twice 3 s for the release; 90 s for three usual attempts.
