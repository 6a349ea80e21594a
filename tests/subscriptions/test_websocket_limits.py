"""Limits of WebSockets: before authentication, and of messages and frames (protocol §1 "Bounded work")."""

import contextlib
import socket as sockets
from urllib.parse import urlsplit

import orjson
import psutil
import pytest
from channels.testing import WebsocketCommunicator
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from core.serving import websocket_frames
from core.serving.websocket_frames import BURST
from subscriptions.streams import websocket
from subscriptions.streams.tail import Tail
from subscriptions.streams.websocket import MAX_FIRST_MESSAGE, MESSAGES, EventSocket
from tests.subscriptions.stream_readers import socket
from tests.system.concurrent_clients import PATIENCE, until

pytestmark = pytest.mark.full


MANY = 250 * 2**10


def of_size(size, make):
    """The message with as many entries as fit."""
    return orjson.dumps(make(max(1, size // 2 - 60)))


HOSTILE = {
    "topics": lambda size: of_size(size, lambda count: {"type": "subscribe", "topics": [1] * count}),
    "event types": lambda size: of_size(
        size, lambda count: {"type": "subscribe", "topics": [{"all": True}], "event_types": [1] * count}
    ),
    "unknown members": lambda size: orjson.dumps(
        {"type": "subscribe", **{f"topic{n:06}": 1 for n in range(max(1, size // 16 - 8))}}
    ),
    "nested lists": lambda size: b"[" * (size // 2) + b"]" * (size // 2),
    "text": lambda size: b'"' + b"x" * (size - 2) + b'"',
    "no JSON": lambda size: b"{" * size,
    "a long key": lambda size: orjson.dumps({"type": "subscribe", "topics": [{"all": True}], "key": "k" * (size - 80)}),
}


def closed_code(connection):
    try:
        while True:
            connection.recv(timeout=PATIENCE)
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


def cpu(server):
    spent = psutil.Process(server.process.pid).cpu_times()
    return spent.user + spent.system


@pytest.mark.case("security H1")
@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("size", [MAX_FIRST_MESSAGE - 500, MAX_FIRST_MESSAGE + 1000, MANY])
def test_a_message_of_a_stranger_is_refused_and_closes_the_connection(server, kind, size):
    with socket(server, key=None) as reader:
        reader.connection.send(HOSTILE[kind](size).decode())

        refusal = orjson.loads(reader.connection.recv(timeout=PATIENCE))
        assert refusal["type"] == "error"
        if size > MAX_FIRST_MESSAGE:
            assert refusal["error"]["code"] == "too_large"
        assert len(orjson.dumps(refusal)) < 2_000
        assert closed_code(reader.connection) in (1008, 4401)


@pytest.mark.case("security H1")
@pytest.mark.parametrize("kind", HOSTILE)
def test_unauthenticated_messages_cost_little(server, kind):
    message = HOSTILE[kind](MANY).decode()
    before, rounds = cpu(server), 10

    for _ in range(rounds):
        with socket(server, key=None) as reader:
            reader.connection.send(message)
            closed_code(reader.connection)

    assert (cpu(server) - before) / rounds < 0.1


@pytest.mark.case("security H1")
@pytest.mark.parametrize("kind", ["topics", "event types", "unknown members"])
def test_large_message_with_a_key_gets_an_error_and_keeps_the_connection(server, kind):
    with socket(server) as reader:
        reader.connection.send(HOSTILE[kind](MANY).decode())

        refusal = reader.next()
        assert refusal["error"]["code"] == "invalid"
        assert len(orjson.dumps(refusal)) < 20_000
        assert reader.subscribe({"all": True})["type"] == "subscribed"


@pytest.mark.case("security L2")
@pytest.mark.parametrize(
    ("message", "code", "closes_with"),
    [
        ("{}", "unauthenticated", 4401),
        ('{"type":"unsubscribe","subscription":1}', "unauthenticated", 4401),
        ('{"type":"subscribe","topics":[{"all":true}]}', "unauthenticated", 4401),
        ('{"type":"subscribe","topics":[{"all":true}],"key":3}', "unauthenticated", 4401),
        ('{"type":"subscribe","topics":[{"all":true}],"key":["dev-user-key"]}', "unauthenticated", 4401),
        ('{"type":"subscribe","topics":[{"all":true}],"key":"wrong"}', "unauthenticated", 4401),
        ("[]", "unauthenticated", 4401),
        ("", "invalid", 1008),
        ("{", "invalid", 1008),
        ("\ufeff{}", "invalid", 1008),
    ],
)  # fmt: skip
def test_a_wrong_first_message_closes_the_connection(server, message, code, closes_with):
    with socket(server, key=None) as reader:
        reader.connection.send(message)

        assert reader.next()["error"]["code"] == code
        assert closed_code(reader.connection) == closes_with


@pytest.mark.case("security L2")
@pytest.mark.parametrize("key", ["wrong", "oi_00000000_" + "x" * 43])
def test_a_wrong_key_in_the_header_ends_the_handshake(server, key):
    with pytest.raises(InvalidStatus) as refused, socket(server, key=key):
        pass

    assert refused.value.response.status_code == 401
    assert orjson.loads(refused.value.response.body)["code"] == "unauthenticated"


@pytest.mark.case("security L2")
async def test_fragments_and_pings_are_no_first_message(monkeypatch):
    """The timer runs on until a good key has come, whatever else does."""
    monkeypatch.setattr(websocket, "AUTHENTICATION_TIMEOUT", 0.2)
    silent = WebsocketCommunicator(EventSocket.as_asgi(tail=Tail()), "/ws/v1/events")

    assert await silent.connect() == (True, None)

    assert await silent.receive_output(timeout=20) == {"type": "websocket.close", "code": 4408}


def test_a_good_key_with_a_wrong_message_keeps_the_connection(server):
    with socket(server, key=None) as reader:
        reader.say(type="subscribe", topics=[], key="dev-user-key")
        assert reader.next()["error"]["errors"][0]["field"] == "topics"

        assert reader.subscribe({"all": True})["type"] == "subscribed"


@pytest.mark.case("security H1")
def test_too_many_messages_close_the_connection(server):
    with socket(server) as reader:
        for _ in range(MESSAGES * 3):
            try:
                reader.say(type="unsubscribe", subscription=1)
            except ConnectionClosed:
                break
        codes = set()
        try:
            while True:
                codes.add(reader.next()["error"]["code"])
        except ConnectionClosed as closed:
            assert closed.rcvd.code == 1008  # noqa: PT017

    assert codes == {"invalid", "rate_limited"}


# --- frames ----------------------------------------------------------------------------------------------------------

EMPTY_TEXT, EMPTY_CONTINUATION, EMPTY_PING = (bytes([first, 0x80, 0, 0, 0, 0]) for first in (0x01, 0x00, 0x89))


def raw_socket(server):
    """A WebSocket of which only the handshake has been made."""
    address = urlsplit(server.url)
    raw = sockets.create_connection((address.hostname, address.port))
    raw.sendall(
        b"GET /ws/v1/events HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    assert b"101 Switching" in raw.recv(4096)
    return raw


@pytest.mark.case("security L2")
@pytest.mark.parametrize("frames", [EMPTY_TEXT + EMPTY_CONTINUATION * 500_000, EMPTY_PING * 500_000], ids=["fragments", "pings"])
def test_millions_of_empty_frames_are_not_read(server, frames):
    before = cpu(server)

    with raw_socket(server) as raw:
        raw.settimeout(PATIENCE)
        with contextlib.suppress(OSError):  # The server has closed it.
            raw.sendall(frames)
        until(lambda: ended(raw), "the end of the connection")

    assert cpu(server) - before < 0.5


def ended(raw):
    try:
        return raw.recv(65536) == b""
    except OSError:
        return True


def test_a_message_in_pieces_is_read(server):
    with connect(
        server.url.replace("http:", "ws:") + "/ws/v1/events", additional_headers={"X-API-Key": "dev-user-key"}
    ) as connection:
        connection.send(iter(['{"type":"subscribe",', '"topics":', '[{"all":true}]}']))
        assert '"subscribed"' in connection.recv(timeout=PATIENCE)
        for _ in range(3):
            connection.ping().wait(PATIENCE)


def test_a_connection_may_go_on_for_long(monkeypatch):
    """Frames at an even rate are never too many."""

    class Base:
        closed = 0

        def handle_events(self):
            self.conn.events.clear()

    class Counted(websocket_frames.FrameRateLimit, Base):
        class conn:
            events: list[int] = []

    now = [1000.0]
    monkeypatch.setattr(websocket_frames, "monotonic", lambda: now[0])
    protocol = Counted()
    for _ in range(BURST * 3):
        now[0] += 0.011
        Counted.conn.events[:] = [1]
        protocol.handle_events()
