"""The WebSocket: several streams on one connection (protocol §7)."""

import pytest
from channels.testing import WebsocketCommunicator
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from subscriptions.streams import websocket
from subscriptions.streams.tail import Tail
from subscriptions.streams.websocket import EventSocket
from tests.subscriptions.stream_readers import socket
from tests.system.concurrent_clients import Http

pytestmark = pytest.mark.full


UNKNOWN = "00000000-0000-7000-8000-000000000000"


@pytest.fixture
def http(server):
    with Http(server) as client:
        yield client


def comment(http, intent, text="Hello"):
    return http.post(f"/intents/{intent['id']}/events", {"event_type": "comment", "payload": {"text": text}}).body


@pytest.mark.rule("S-2")
def test_socket_replays_the_log_and_continues_live(server, http):
    intent = http.create()
    first = http.events(intent["id"])

    with socket(server) as reader:
        opened = reader.subscribe({"intent": intent["id"]}, after=0)
        event = comment(http, intent)

        heard = reader.events(2)

    assert opened == {"type": "subscribed", "subscription": 1, "topics": [f"intent:{intent['id']}"], "position": 0}
    assert [each["id"] for each in heard] == [first[0]["id"], event["id"]]
    assert heard == http.events(intent["id"])


@pytest.mark.rule("S-2")
def test_without_a_position_it_starts_now(server, http):
    intent = http.create()

    with socket(server) as reader:
        opened = reader.subscribe({"intent": intent["id"]})
        comment(http, intent)
        event = reader.event()

    assert opened["position"] < event["position"]
    assert event["payload"] == {"text": "Hello"}


@pytest.mark.rule("S-4")
def test_topics_of_one_subscription_tell_each_event_once(server, http):
    portfolio = http.post("/portfolios", {"name": "Launch"}).body
    intent = http.create(assign=["ada"])
    http.post(f"/portfolios/{portfolio['id']}/intents", {"intent_id": intent["id"]})

    with socket(server) as reader:
        topics = {"intent": intent["id"]}, {"portfolio": portfolio["id"]}, {"agent": "ada"}, {"all": True}
        assert len(reader.subscribe(*topics)["topics"]) == 4
        for number in range(3):
            comment(http, intent, str(number))

        assert [event["payload"]["text"] for event in reader.events(3)] == ["0", "1", "2"]


@pytest.mark.rule("S-1")
def test_stream_can_be_filtered_by_event_type(server, http):
    intent = http.create()

    with socket(server) as reader:
        reader.subscribe({"intent": intent["id"]}, event_types=["status_changed"])
        comment(http, intent)
        http.complete(intent)

        assert reader.event()["event_type"] == "status_changed"


def test_more_can_be_asked_for_and_given_up_at_any_time(server, http):
    one, other = http.create(), http.create()

    with socket(server) as reader:
        reader.subscribe({"intent": one["id"]})
        assert reader.subscribe({"intent": other["id"]})["subscription"] == 2
        comment(http, other)
        message = reader.next()
        assert (message["type"], message["subscription"], message["event"]["intent_id"]) == ("event", 2, other["id"])

        reader.say(type="unsubscribe", subscription=2)
        assert reader.next() == {"type": "unsubscribed", "subscription": 2}
        comment(http, other)
        comment(http, one)

        assert reader.next()["event"]["intent_id"] == one["id"]


def test_the_key_may_come_with_the_first_message(server, http):
    intent = http.create()

    with socket(server, key=None) as reader:
        opened = reader.subscribe({"intent": intent["id"]}, key="dev-user-key")

        assert opened["type"] == "subscribed"
        assert reader.subscribe({"all": True})["type"] == "subscribed"  # Later messages need none.


@pytest.mark.parametrize("fields", [{}, {"key": "wrong"}])
def test_without_a_good_key_it_is_closed(server, fields):
    with socket(server, key=None) as reader:
        refusal = reader.subscribe({"all": True}, **fields)

        assert (refusal["type"], refusal["error"]["code"]) == ("error", "unauthenticated")
        with pytest.raises(ConnectionClosed) as closed:
            reader.next()
    assert closed.value.rcvd.code == 4401


@pytest.mark.parametrize(
    ("message", "code", "field"),
    [
        ({"type": "publish"}, "invalid", "type"),
        ({}, "invalid", "type"),
        ({"type": "subscribe"}, "invalid", "topics"),
        ({"type": "subscribe", "topics": []}, "invalid", "topics"),
        ({"type": "subscribe", "topics": [{}]}, "invalid", "topics"),
        ({"type": "subscribe", "topics": [{"all": False}]}, "invalid", "topics"),
        ({"type": "subscribe", "topics": [{"intent": "x"}]}, "invalid", "topics"),
        ({"type": "subscribe", "topics": [{"intents": UNKNOWN}]}, "invalid", "topics"),
        ({"type": "subscribe", "topics": [{"intent": UNKNOWN, "all": True}]}, "invalid", "topics"),
        ({"type": "subscribe", "topics": [{"all": True}], "after": -1}, "invalid", "after"),
        ({"type": "subscribe", "topics": [{"all": True}], "after": "5"}, "invalid", "after"),
        ({"type": "subscribe", "topics": [{"all": True}], "event_types": "comment"}, "invalid", "event_types"),
        ({"type": "subscribe", "topics": [{"all": True}], "event_type": ["comment"]}, "invalid", "event_type"),
        ({"type": "subscribe", "topics": [{"intent": UNKNOWN}]}, "not_found", None),
        ({"type": "subscribe", "topics": [{"portfolio": UNKNOWN}]}, "not_found", None),
        ({"type": "unsubscribe", "subscription": 7}, "invalid", "subscription"),
        ({"type": "unsubscribe"}, "invalid", "subscription"),
    ],
)
def test_invalid_subscribe_message_gets_an_error_and_keeps_the_connection(server, http, message, code, field):
    intent = http.create()

    with socket(server) as reader:
        reader.say(**message)
        refusal = reader.next()
        assert (refusal["type"], refusal["error"]["code"]) == ("error", code)
        if field:
            assert refusal["error"]["errors"][0]["field"].startswith(field)

        assert reader.subscribe({"intent": intent["id"]})["type"] == "subscribed"


@pytest.mark.parametrize("raw", ["", "{", "[]", "null", '"subscribe"', b"\xff\x00", '{"type": "subscribe", "topics": NaN}'])
def test_invalid_message_gets_an_error(server, raw):
    with socket(server) as reader:
        reader.connection.send(raw)

        assert reader.next()["error"]["code"] == "invalid"


def test_a_message_that_is_too_large_closes_the_connection(server):
    with socket(server) as reader:
        reader.connection.send("x" * (256 * 2**10 + 1))

        with pytest.raises(ConnectionClosed) as closed:
            reader.next()
    assert closed.value.rcvd.code == 1009


def test_there_is_no_other_socket(server):
    with pytest.raises(InvalidStatus):
        connect(server.url.replace("http:", "ws:") + "/ws/v1/nothing")


async def test_a_connection_that_says_nothing_is_closed(monkeypatch):
    monkeypatch.setattr(websocket, "AUTHENTICATION_TIMEOUT", 0.01)
    silent = WebsocketCommunicator(EventSocket.as_asgi(tail=Tail()), "/ws/v1/events")

    assert await silent.connect() == (True, None)

    assert await silent.receive_output(timeout=20) == {"type": "websocket.close", "code": 4408}
