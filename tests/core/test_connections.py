"""Bounds on incomplete requests, and their responses (protocol §1 "Bounded work")."""

import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator

import pytest
import requests
from websockets.sync.client import connect as connect_websocket

from tests.databases import migrated_database
from tests.servers import Server, Started

pytestmark = pytest.mark.full


KEY = {"X-API-Key": "dev-user-key"}
MiB = 2**20
HEAD_TIMEOUT, BODY_TIMEOUT = 2, 2


@pytest.fixture
def database_url(vendor, tmp_path) -> str:
    return migrated_database(vendor, tmp_path)


@pytest.fixture(scope="module")
def impatient(vendor, tmp_path_factory) -> Iterator[Server]:
    """A server that waits two seconds for a head, and for a body."""
    database_url = migrated_database(vendor, tmp_path_factory.mktemp("impatient"))
    with Server(database_url, OPENINTENT_HEAD_TIMEOUT=f"{HEAD_TIMEOUT}", OPENINTENT_BODY_TIMEOUT=f"{BODY_TIMEOUT}") as running:
        yield running


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=30)


def received(connection: socket.socket) -> bytes:
    """Return all data until the server closes the connection."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65_536):
            parts.append(part)
    return b"".join(parts)


def exchange(server: Server, *parts: bytes) -> tuple[int, dict[str, str], dict]:
    """The status, the headers and the body of the one answer on a connection, which the server must close."""
    with connect(server) as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            for part in parts:
                connection.sendall(part)
        head, _, body = received(connection).partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    return int(first.split()[1]), dict(line.lower().split(": ", 1) for line in lines), json.loads(body) if body else {}


def head(method: str, path: str, *headers: str) -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: localhost", *headers, "", ""]).encode()


def memory(server: Server) -> int:
    with open(f"/proc/{server.process.pid}/status") as status:
        return 1024 * int(next(line for line in status if line.startswith("VmHWM")).split()[1])


# --- heads -----------------------------------------------------------------------------------------------------------


@pytest.mark.case("security M2")
@pytest.mark.parametrize(
    "lines",
    [
        [b"X-Big: " + b"a" * 70_000],
        [b"X-Big: " + b"a" * 30 * MiB],
        [b"X-%d: a" % number for number in range(250)],
        [b"X-%d: a" % number for number in range(100_000)],
        [b"X-%d: %s" % (number, b"a" * 1_000) for number in range(100)],
        [b"a" * 100_000 + b": 1"],
    ],
    ids=["one", "huge", "many", "a hundred thousand", "together", "a name"],
)
@pytest.mark.parametrize("upgrade", [b"", b"Connection: Upgrade\r\nUpgrade: websocket\r\n"], ids=["HTTP", "WebSocket"])
def test_headers_beyond_their_limit_are_refused(server, lines, upgrade):
    before = memory(server)
    path = b"/ws/v1/events" if upgrade else b"/healthz"

    status, headers, body = exchange(
        server, b"GET %s HTTP/1.1\r\nHost: a\r\n%s" % (path, upgrade), b"\r\n".join(lines) + b"\r\n\r\n"
    )

    assert (status, body["code"], headers["connection"]) == (431, "headers_too_large", "close")
    assert headers["content-type"] == "application/problem+json"
    assert memory(server) - before < 20 * MiB


@pytest.mark.case("security M2")
def test_path_counts_like_headers(server):
    assert exchange(server, head("GET", "/" + "a" * 70_000))[0] == 431
    assert exchange(server, head("GET", "/healthz?" + "a" * 60_000, "Connection: close"))[0] == 200


@pytest.mark.case("security M2")
def test_two_hundred_headers_are_taken(server):
    headers = [f"X-{number}: a" for number in range(197)]

    assert exchange(server, head("GET", "/healthz", *headers, "Connection: close"))[0] == 200


@pytest.mark.case("streams 25")
@pytest.mark.case("security M2")
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /heal",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\n",
        b"\r\n",
        b"GET /ws/v1/events HTTP/1.1\r\nUpgrade: websocket\r\n",
        head("GET", "/healthz") + b"GET /heal",
    ],
)
def test_connection_without_a_complete_head_is_closed(impatient, sent):
    with connect(impatient) as connection:
        begun = time.monotonic()
        connection.sendall(sent)
        received(connection)

    assert time.monotonic() - begun < HEAD_TIMEOUT + 15


@pytest.mark.case("streams 25")
def test_dribbled_head_is_not_waited_for_longer(impatient):
    begun = time.monotonic()
    with connect(impatient) as connection, contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(b"GET /healthz HTTP/1.1\r\n")
        connection.settimeout(0.1)
        while time.monotonic() - begun < 30:
            connection.sendall(b"X-A: a\r\n")
            with contextlib.suppress(TimeoutError):
                if not connection.recv(1):
                    break

    assert time.monotonic() - begun < HEAD_TIMEOUT + 15


def test_patient_client_may_ask_again_on_its_connection(impatient):
    with requests.Session() as session:
        for _ in range(3):
            assert session.get(f"{impatient.url}/healthz", timeout=10).status_code == 200
            time.sleep(HEAD_TIMEOUT / 4)


def test_websocket_outlives_the_time_of_a_head(impatient):
    with connect_websocket(f"ws{impatient.url[4:]}/ws/v1/events") as connection:
        connection.send(json.dumps({"type": "subscribe", "topics": [{"all": True}], "key": "dev-user-key"}))
        assert json.loads(connection.recv(timeout=10))["type"] == "subscribed"
        time.sleep(HEAD_TIMEOUT + 1)
        connection.send(json.dumps({"type": "unsubscribe", "subscription": 1}))
        assert json.loads(connection.recv(timeout=10))["type"] in ("unsubscribed", "heartbeat")


# --- connections -----------------------------------------------------------------------------------------------------


@pytest.mark.case("streams 25")
def test_silent_connections_do_not_keep_others_out(database_url):
    limited = "import resource, runpy; resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128)); runpy.run_module('config.server', run_name='__main__')"
    server = Started(database_url).start("-c", limited)
    try:
        silent = [connect(server) for _ in range(300)]
        answers = [requests.get(f"{server.url}/healthz", timeout=10).status_code for _ in range(20)]
        made = requests.post(f"{server.api}/intents", json={"title": "t"}, headers=KEY, timeout=10).status_code
        descriptors = len(os.listdir(f"/proc/{server.process.pid}/fd"))
    finally:
        for each in silent:
            each.close()
        server.stop()

    assert (set(answers), made) == ({200}, 201)
    assert descriptors < 128


def test_connections_beyond_their_number_are_refused_while_all_are_busy(database_url):
    with Server(database_url, OPENINTENT_MAX_CONNECTIONS="3") as server:
        streams = [requests.get(f"{server.api}/events/subscribe", headers=KEY, stream=True, timeout=10) for _ in range(3)]
        status, headers, body = exchange(server)
        for each in streams:
            each.close()

    assert (status, body["code"], headers["retry-after"]) == (503, "unavailable", "1")


# --- bodies ----------------------------------------------------------------------------------------------------------


def spooled(server: Server) -> int:
    """Bytes of the server's files that have no name."""
    found = 0
    for number in os.listdir(f"/proc/{server.process.pid}/fd"):
        with contextlib.suppress(OSError):
            path = f"/proc/{server.process.pid}/fd/{number}"
            if "deleted" in os.readlink(path):
                found += os.stat(path).st_size
    return found


UPLOAD = "/api/v1/intents/0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21/attachments"


@pytest.mark.case("security M1")
@pytest.mark.parametrize("key", [[], ["X-API-Key: wrong"], ["Authorization: Bearer wrong"]], ids=["none", "wrong", "bearer"])
@pytest.mark.parametrize(
    ("length", "sent"),
    [
        (["Content-Length: 9000000"], [b"a" * 1_000]),
        (["Content-Length: 9000000"], [b"a" * 9_000_000]),
        (["Content-Length: 9000000", "Expect: 100-continue"], []),
        (["Transfer-Encoding: chunked"], [b"3e8\r\n" + b"a" * 1_000 + b"\r\n"]),
    ],
    ids=["announced", "sent", "expected", "chunked"],
)
@pytest.mark.parametrize("path", ["/api/v1/intents", UPLOAD, "/api/v1/nowhere"])
def test_body_of_a_stranger_is_not_waited_for(server, path, key, length, sent):
    status, headers, body = exchange(server, head("POST", path, *key, *length, "Content-Type: application/json"), *sent)

    assert (status, body["code"], headers["connection"]) == (401, "unauthenticated", "close")
    assert spooled(server) == 0


@pytest.mark.case("security M1")
@pytest.mark.parametrize(
    ("method", "path", "limit"),
    [
        ("POST", UPLOAD, None),
        ("POST", "/api/v1/intents/x/attachments", None),
        ("PUT", UPLOAD, 10 * MiB),
        ("POST", "/x/attachments", 64 * 1024),
        ("POST", "/admin/login/attachments", 10 * MiB),
        ("POST", "/api/v1/x/attachments", 10 * MiB),
        ("POST", "/healthz", 64 * 1024),
    ],
)
def test_large_limit_is_for_uploads_alone(server, method, path, limit):
    about = ["X-API-Key: dev-user-key", "Content-Length: 35000000", "Expect: 100-continue"]
    with connect(server) as connection:
        connection.sendall(head(method, path, *about))
        answer = (connection.recv(65_536) if limit is None else received(connection)).decode()

    if limit is None:
        assert answer.startswith("HTTP/1.1 100 ")
    else:
        assert answer.startswith("HTTP/1.1 413 ")
        assert f'"limit":{limit}' in answer


@pytest.mark.case("security M1")
@pytest.mark.parametrize("length", ["Content-Length: 1000000", "Transfer-Encoding: chunked"])
@pytest.mark.parametrize("cookie", [[], ["Cookie: openintent-session=" + "a" * 32]], ids=["nobody", "a made up session"])
def test_sign_in_form_is_small(server, length, cookie):
    form = [b"10000\r\n" + b"a" * 65_536 + b"\r\n", b"10\r\n" + b"a" * 16 + b"\r\n"] if "chunked" in length else []
    status, headers, body = exchange(server, head("POST", "/admin/login/", length, *cookie), *form)

    assert (status, body["code"], body["limit"], headers["connection"]) == (413, "too_large", 64 * 1024, "close")


@pytest.mark.case("security M1")
@pytest.mark.parametrize("length", [["Content-Length: 3000000"], ["Transfer-Encoding: chunked"]])
def test_body_that_does_not_arrive_is_given_up(impatient, length):
    part = b"a" * 2_000_000 if "Content-Length" in length[0] else b"1e8480\r\n" + b"a" * 2_000_000
    status, headers, body = exchange(impatient, head("POST", "/api/v1/intents", "X-API-Key: dev-user-key", *length), part)

    assert (status, body["code"], headers["connection"]) == (408, "body_timeout", "close")
    assert spooled(impatient) == 0


@pytest.mark.case("security M1")
def test_bodies_on_their_way_are_bounded_together(database_url):
    with Server(database_url, OPENINTENT_MAX_SPOOLED=f"{5 * MiB}") as server:
        half = head("POST", "/api/v1/intents", "X-API-Key: dev-user-key", "Content-Length: 5000000") + b"a" * 3_000_000
        with connect(server) as first:
            first.sendall(half)
            deadline = time.monotonic() + 20
            while spooled(server) < 2_900_000 and time.monotonic() < deadline:
                time.sleep(0.02)
            status, headers, body = exchange(server, half)
        assert (status, body["code"], headers["retry-after"]) == (503, "unavailable", "1")
        deadline = time.monotonic() + 20
        while spooled(server) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert spooled(server) == 0
        whole = {"title": "t", "description": "a" * 3_000_000}
        assert requests.post(f"{server.api}/intents", json=whole, headers=KEY, timeout=20).status_code == 400


@pytest.mark.case("security L2")
@pytest.mark.parametrize("path", ["/api/v1/intents", "/admin/login/", "/healthz"])
def test_body_of_many_pieces_is_refused(server, path):
    chunks = b"1\r\na\r\n" * 200_000

    status, headers, body = exchange(server, head("POST", path, "X-API-Key: dev-user-key", "Transfer-Encoding: chunked"), chunks)

    assert (status, body["detail"], headers["connection"]) == (400, "The body comes in too many pieces.", "close")


def test_pieces_of_a_usual_size_are_taken(server):
    def body() -> Iterator[bytes]:
        yield b'{"title": "t", "state": {"a": "'
        for _ in range(8_000):
            yield b"a" * 100
        yield b'"}}'

    answer = requests.post(f"{server.api}/intents", data=body(), headers={**KEY, "Content-Type": "application/json"}, timeout=30)

    assert (answer.status_code, len(answer.json()["state"]["a"])) == (201, 800_000)


@pytest.mark.parametrize(
    "junk",
    [
        [b"1;" + b"x" * 1_000_000 + b"\r\na\r\n"],
        [b"0\r\n", *[b"X-Trailer-%d: a\r\n" % number for number in range(100_000)]],
        [b"0\r\nX-Trailer: " + b"a" * 1_000_000],
    ],
    ids=["extension", "trailers", "trailer"],
)
def test_overhead_around_a_body_is_bounded(server, junk):
    before = memory(server)

    status, _, _ = exchange(
        server, head("POST", "/api/v1/intents", "X-API-Key: dev-user-key", "Transfer-Encoding: chunked"), *junk
    )

    assert status in (400, 431)
    assert memory(server) - before < 20 * MiB


def test_trailers_are_no_headers(server):
    sent = head("POST", "/api/v1/intents", "Transfer-Encoding: chunked", "Content-Type: application/json", "Connection: close")
    body = b'd\r\n{"title":"t"}\r\n0\r\nX-API-Key: dev-user-key\r\n\r\n'

    assert exchange(server, sent + body)[0] == 401


@pytest.mark.parametrize("count", [50, 20_000])
def test_pipelined_requests_are_answered_in_order_up_to_a_hundred(server, count):
    with connect(server) as connection, contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(head("GET", "/healthz") * (count - 1) + head("GET", "/healthz", "Connection: close"))
        answers = received(connection).count(b"HTTP/1.1 200")

    assert answers == count if count == 50 else answers <= 101


@pytest.mark.case("security M1")
def test_refused_client_may_go_on_sending_and_hears_the_answer(server):
    answers = [
        requests.post(f"{server.api}/intents", data=b"a" * 9 * MiB, headers={"X-API-Key": "wrong"}, timeout=30) for _ in range(5)
    ]

    assert {answer.status_code for answer in answers} == {401}
