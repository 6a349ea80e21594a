"""Clients that are slow, rude or gone: nobody else notices, and nothing of them stays behind."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import psutil
import pytest

from tests.databases import migrated_database
from tests.servers import Server
from tests.system.concurrent_clients import Crowd, Http, until

pytestmark = [pytest.mark.full, pytest.mark.database("sqlite")]


THREADS = 2
CLIENTS = 6 * THREADS
PIPELINED = 20

HEAD = "Host: localhost\r\nX-API-Key: dev-user-key\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def server(vendor: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of few threads, which are all there: the first requests have made them."""
    database_url = migrated_database(vendor, tmp_path_factory.mktemp("bad-clients"))
    with Server(database_url, OPENINTENT_THREADS=str(THREADS)) as server:
        with Crowd([server], THREADS * 4) as crowd:
            crowd.at_once(*[lambda client: client.create()] * THREADS * 4)
        yield server


@pytest.fixture(scope="module")
def large_list(server: Server) -> str:
    """The path of an answer that fits into no socket's buffers."""
    with Http(server) as http:
        intent = http.create()
        for _ in range(10):
            events = [{"event_type": "comment", "payload": {"text": "x" * 10_000}}] * 100
            assert http.post(f"/intents/{intent['id']}/events/batch", {"events": events}).status == 201
    return f"/api/v1/intents/{intent['id']}/events?limit=1000"


def get(path: str) -> str:
    return f"GET {path} HTTP/1.1\r\n{HEAD}\r\n"


HABITS = {
    "says nothing": lambda large: "",
    "stops within the headers": lambda large: f"POST /api/v1/intents HTTP/1.1\r\n{HEAD}",
    "stops within the body": lambda large: f'POST /api/v1/intents HTTP/1.1\r\n{HEAD}Content-Length: 1000\r\n\r\n{{"title": ',
    "stops within a chunk": lambda large: (
        f'POST /api/v1/intents HTTP/1.1\r\n{HEAD}Transfer-Encoding: chunked\r\n\r\n400\r\n{{"ti'
    ),
    "never reads": lambda large: get(large),
    "asks on and never reads": lambda large: get(large) * PIPELINED,
    "never reads a file": lambda large: get("/static/docs/swagger-ui-bundle.js") * PIPELINED,
    "speaks no HTTP": lambda large: "\x16\x03\x01 hello \r\n\r\n",
}


def connect(server: Server, sent: str) -> socket.socket:
    address = urlsplit(server.url)
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect((address.hostname, address.port))
    client.sendall(sent.encode("latin-1"))
    return client


def held(server: Server) -> tuple[int, int]:
    """Return the numbers of threads and of client connections of the server."""
    process = psutil.Process(server.process.pid)
    port = urlsplit(server.url).port
    connections = [each for each in process.net_connections("tcp") if each.laddr.port == port and each.raddr]
    return process.num_threads(), len(connections)


@pytest.mark.parametrize("habit", HABITS)
def test_more_bad_clients_than_threads_delay_no_request_and_leak_nothing(server, large_list, habit):
    until(lambda: held(server)[1] == 0, "an idle server")
    threads, _ = held(server)

    with ExitStack() as clients, Crowd([server], 4) as crowd:
        for _ in range(CLIENTS):
            clients.enter_context(connect(server, HABITS[habit](large_list)))
        for _ in range(5):
            answers = crowd.at_once(*[lambda client: client.create()] * 4)
            assert {answer["version"] for answer in answers} == {1}

    until(lambda: held(server)[1] == 0, "the end of their connections")
    assert held(server)[0] <= threads
    with Http(server) as http:
        assert http.health("/readyz").status == 200


def test_a_body_that_breaks_off_writes_nothing(server):
    with Http(server) as http:
        before = http.get("/intents?limit=1").body
        with connect(server, HABITS["stops within the body"]("")):
            pass
        until(lambda: held(server)[1] <= 1, "the end of its connection")
        assert http.get("/intents?limit=1").body == before
