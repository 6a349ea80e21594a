"""Direct requests (core.serving.direct): their responses equal those of requests that arrive in parts."""

import json
import re
import socket
from base64 import b64encode

import pytest

from tests.servers import Server

pytestmark = pytest.mark.full

KEY = "X-API-Key: agent-research-key"
CREATE = json.dumps({"title": "t"}).encode()


def converse(server: Server, *parts: bytes) -> bytes:
    """Send the parts, each in a packet of its own, and return all until the server closes the connection."""
    found = b""
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=30) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in parts:
            connection.sendall(part)
            if part is not parts[-1]:
                wait_until_received(connection)
        while part := connection.recv(65_536):
            found += part
    return found


def wait_until_received(connection: socket.socket) -> None:
    """Wait until the peer has acknowledged, and read, what was sent: another connection's request is answered after that."""
    host, port = connection.getpeername()
    with socket.create_connection((host, port), timeout=30) as other:
        other.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        while other.recv(65_536):
            pass


def request(method: str, path: str, *headers: str, body: bytes = b"", version: str = "1.1") -> tuple[bytes, bytes]:
    lines = [f"{method} {path} HTTP/{version}", "Host: localhost", *headers, f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode(), body


def comparable(response: bytes) -> bytes:
    """Return the response without what differs between two requests: ids, times."""
    response = re.sub(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", b"ID", response)
    response = re.sub(rb"\d{4}-\d\d-\d\dT[\d:.]+Z", b"TIME", response)
    response = re.sub(rb'"request_id":"[^"]+"', b"", response)
    return re.sub(rb"(?m)^(date|x-request-id): .*$", b"", response)


@pytest.mark.parametrize(
    ("head", "body"),
    [
        request("POST", "/api/v1/intents", KEY, "Content-Type: application/json", body=CREATE),
        request("POST", "/api/v1/intents", KEY, "Content-Type: application/json", body=b'{"title": 1, "x": 2}'),
        request("POST", "/api/v1/intents", "Content-Type: application/json", body=CREATE),
        request("PUT", "/api/v1/intents", KEY, "Content-Type: application/json", body=CREATE),
        request("DELETE", "/api/v1/subscriptions/00000000-0000-7000-8000-000000000000", KEY, body=b"{}"),
        request("HEAD", "/api/v1/intents?limit=1", KEY, body=b" "),
        request("GET", "/nowhere", body=b" "),
        request("POST", "/api/v1/intents", KEY, "Content-Type: application/json", body=CREATE, version="1.0"),
    ],
    ids=["created", "refused", "no key", "method", "no body", "HEAD", "not found", "HTTP/1.0"],
)
def test_response_does_not_depend_on_how_the_request_arrives(server, head, body):
    whole, in_parts = converse(server, head + body), converse(server, head, body)

    assert comparable(whole) == comparable(in_parts)
    assert whole.count(b"HTTP/1.1 ") == 1
    assert b"\r\nconnection: close\r\n" in whole


def test_connection_is_kept_and_requests_are_answered_in_order(server):
    paths = ["/api/v1/intents?limit=1", "/nowhere", "/healthz", "/api/v1/events?limit=0", "/api/v1/intents?limit=1"]
    heads = [request("GET", path, KEY)[0].replace(b"Connection: close\r\n", b"") for path in paths[:-1]]

    answer = converse(server, b"".join([*heads, request("GET", paths[-1], KEY)[0]]))

    assert re.findall(rb"HTTP/1.1 (\d+)", answer) == [b"200", b"404", b"200", b"400", b"200"]
    assert answer.count(b"connection: close") == 1


def test_stream_of_bytes_is_sent_whole(server):
    intent = json.loads(converse(server, b"".join(request("POST", "/api/v1/intents", KEY, "Content-Type: application/json", body=CREATE))).partition(b"\r\n\r\n")[2])["id"]  # fmt: skip
    content = b"0123456789" * 100_000
    upload = json.dumps({"filename": "a.bin", "content_base64": b64encode(content).decode()}).encode()
    path = f"/api/v1/intents/{intent}/attachments"
    added = converse(server, b"".join(request("POST", path, KEY, "Content-Type: application/json", body=upload)))
    attachment = json.loads(added.partition(b"\r\n\r\n")[2])["id"]

    answer = converse(server, request("GET", f"{path}/{attachment}/content", KEY)[0])

    assert answer.partition(b"\r\n\r\n")[2] == content


def test_client_that_leaves_harms_nobody(server):
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=30) as connection:
            connection.sendall(b"".join(request("POST", "/api/v1/intents", KEY, body=CREATE)))

    assert converse(server, request("GET", "/healthz")[0]).startswith(b"HTTP/1.1 200")
    assert not [line for line in server.log if "Traceback" in line or '"error"' in line]
