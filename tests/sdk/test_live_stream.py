"""`client.stream()` against real servers: both clients get every event once, also across restarts (protocol K-4)."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice

import pytest
from openintent import AuthenticationError, ConnectionFailedError, EventType, NotFoundError, OpenIntentClient, ServerError

from tests.databases import migrated_database
from tests.servers import Server
from tests.system.concurrent_clients import rounds

pytestmark = [pytest.mark.rule("K-4"), pytest.mark.full, pytest.mark.database("sqlite")]


@pytest.fixture
def client(connect, server):
    return connect(server.url, "dev-user-key", "ada")


@pytest.fixture
def intent(client):
    return client.create_intent(title="Book flights")


def comment(client, intent, *texts):
    for text in texts:
        client.log_event(intent.id, "comment", {"text": text})


def texts(stream, count):
    return [event.payload["text"] for event in islice(stream, count)]


def test_events_since_entering_the_block_are_returned(client, intent):
    comment(client, intent, "before")

    with client.stream(intent_id=intent.id) as stream:
        comment(client, intent, "one", "two")

        assert texts(stream, 2) == ["one", "two"]


@pytest.mark.rule("S-2")
def test_stream_after_a_position_returns_all_later_events(client, intent):
    comment(client, intent, "one", "two", "three")
    events = client.get_events(intent.id)
    first = client.list_events(after=0)[0]

    with client.stream(intent_id=intent.id, after=0) as stream:
        heard = list(islice(stream, 4))
    with client.stream(intent_id=intent.id, after=heard[1].position) as stream:
        assert texts(stream, 2) == ["two", "three"]
    with client.stream(after=0) as stream:
        assert next(stream) == first

    assert heard == events


def test_only_the_requested_types_are_returned(client, intent):
    with client.stream(intent_id=intent.id, event_types=[EventType.STATE_PATCHED, "status_changed"]) as stream:
        comment(client, intent, "not this")
        patched = client.update_state(intent.id, intent.version, {"a": 1})
        client.set_status(intent.id, patched.version, "completed")

        assert [event.event_type for event in islice(stream, 2)] == ["state_patched", "status_changed"]


@pytest.mark.rule("S-4")
def test_portfolios_and_agents_are_followed(client, intent):
    portfolio = client.create_portfolio("Launch")

    with client.stream(portfolio_id=portfolio.id) as members, client.stream(agent_id="team/bot é") as assigned:
        client.add_intent_to_portfolio(portfolio.id, intent.id)
        client.assign_agent(intent.id, "team/bot é")
        comment(client, intent, "hello")

        assert [event.event_type for event in islice(members, 3)] == ["added_to_portfolio", "agent_assigned", "comment"]
        assert [event.event_type for event in islice(assigned, 2)] == ["agent_assigned", "comment"]


def test_an_unknown_intent_and_a_wrong_key_are_errors(client, connect, server):
    with pytest.raises(NotFoundError):
        next(client.stream(intent_id="11111111-1111-4111-8111-111111111111"))
    with pytest.raises(AuthenticationError):
        next(connect(server.url, "wrong").stream())


@pytest.mark.rule("S-5")
def test_a_stream_whose_key_is_revoked_is_an_error(client, connect, server):
    key = client.create_key("short-lived", role="observer")

    with connect(server.url, key.key).stream() as stream:
        client.revoke_key(key.id)

        with pytest.raises(AuthenticationError):
            list(stream)


def test_a_slow_reader_gets_everything(client, intent):
    padding = "x" * 20_000  # 600 of them are more than the sockets and the server's queue hold.
    batch = [{"event_type": "comment", "payload": {"text": str(n), "padding": padding}} for n in range(100)]

    with client.stream(intent_id=intent.id) as stream:
        for _ in range(6):
            client.log_events(intent.id, batch)

        assert texts(stream, 600) == [str(n) for n in range(100)] * 6


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_each_event_is_returned_once_across_server_restarts(end, connect, vendor, tmp_path):
    server = Server(migrated_database(vendor, tmp_path)).start()
    server.port = server.url.rpartition(":")[2]
    intent = connect(server.url, "dev-user-key").create_intent(title="x")
    enough = threading.Event()
    written = []

    def write():
        with OpenIntentClient(server.url, "dev-user-key", max_tries=1) as writer:
            while not enough.is_set():
                with suppress(ConnectionFailedError, ServerError):
                    written.append(writer.log_event(intent.id, "comment").sequence)
                enough.wait(0.01)

    client = connect(server.url, "dev-user-key")
    with ThreadPoolExecutor(1) as pool, client.stream(intent_id=intent.id, after=0) as stream:
        writing = pool.submit(write)
        try:
            heard = list(islice(stream, 50))
            for _ in range(rounds(3, 1)):
                getattr(server, end)()
                server.start()
                heard += islice(stream, 50)
        finally:
            enough.set()
        writing.result()
        while heard[-1].sequence < written[-1]:
            heard.append(next(stream))
    server.stop()

    assert [event.sequence for event in heard] == list(range(1, len(heard) + 1))
    assert set(written) <= {event.sequence for event in heard}
