"""Log safety: no credentials at any level, and no lines forged by callers (protocol §1.1)."""

import base64
import contextlib
import json
import logging
import secrets
import socket
from urllib.parse import quote

import pytest
import requests
from websockets.sync.client import connect

from core.log_formatters import JSONFormatter, TextFormatter
from tests.databases import migrated_database
from tests.servers import Server

pytestmark = pytest.mark.full


UNSAFE = ["\n", "\r", "\x1b[2J", "\0", "\x7f", "\x85", "\x9b31m", "\u2028", "\u2029", "\u202e"]


@pytest.fixture(params=["json", "text"])
def talkative(request, vendor, tmp_path):
    """A server that logs all it can."""
    about = {"OPENINTENT_LOG_LEVEL": "debug", "OPENINTENT_LOG_FORMAT": request.param}
    server = Server(migrated_database(vendor, tmp_path), **about).start()
    yield server
    if server.process.poll() is None:
        server.kill()


def lines(server):
    assert server.stop() == 0
    return "\n".join(server.log)


def send_over_http(server, key, headers):
    """Send the key in paths, queries, headers and bodies."""
    for path in (
        "/api/v1/intents",
        f"/api/v1/intents?api_key={key}",
        "/admin/",
        f"/admin/?key={key}",
        "/api/v1/events/subscribe?after=x",
    ):
        requests.get(f"{server.url}{path}", headers=headers, timeout=10)
    body = {"title": key, "key": key, "state": {"k": key}}
    requests.post(f"{server.api}/intents", json=body, headers=headers, timeout=10)


def send_over_websocket(server, key, headers):
    """Send the key in the address, the handshake and messages, one of them broken."""
    url = f"ws{server.url[4:]}/ws/v1/events?key={key}"
    with contextlib.suppress(Exception), connect(url, additional_headers=headers) as connection:
        connection.send(json.dumps({"type": "subscribe", "topics": [{"all": True}], "key": key}))
        connection.recv(timeout=5)
        connection.send(json.dumps({"key": key, "type": key}))
        connection.send(json.dumps({"type": "subscribe", "topics": [{"all": True}], "api_key": key})[:-5])
        connection.recv(timeout=5)


def send_over_socket(server, key):
    """Send the key in a handshake without a version, and in what is not HTTP."""
    handshake = f"GET /ws/v1/events?key={key} HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\nX-API-Key: {key}\r\n\r\n"
    for text in (handshake, f"nonsense {key}\r\nX-API-Key: {key}\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as raw:
            raw.sendall(text.encode())
            raw.recv(1_000)


@pytest.mark.case("security M3")
def test_no_credential_is_in_the_log_wherever_it_is_sent(talkative):
    made = requests.post(
        f"{talkative.api}/keys", json={"name": "k", "role": "agent"}, headers={"X-API-Key": "dev-user-key"}, timeout=10
    ).json()
    wrong, session = (f"oi_{secrets.token_hex(4)}_{secrets.token_hex(32)}" for _ in range(2))
    sent = [made["key"], wrong, session]
    for key in sent:
        basic = base64.b64encode(f"user:{key}".encode()).decode()
        for headers in (
            {"X-API-Key": key},
            {"Authorization": f"Bearer {key}"},
            {"Authorization": f"Basic {basic}"},
            {"Cookie": f"openintent-session={key}; other={key}"},
            {"X-Api_Key": key, "Referer": f"http://a/?key={key}"},
            {"X-Request-ID": key + "\t"},
        ):
            send_over_http(talkative, key, headers)
            send_over_websocket(talkative, key, headers)
        send_over_socket(talkative, key)

    log = lines(talkative)

    assert log.count("/ws/v1/events") > 3
    for key in sent:
        assert key not in log
        assert key[-22:] not in log
    assert made["key"][3:] not in log


@pytest.mark.case("security L1")
@pytest.mark.parametrize("talkative", ["text"], indirect=True)
def test_caller_writes_no_line_into_the_log(talkative):
    forged = "12:00:00 INFO    key_revoked actor=user:alice"
    for unsafe in UNSAFE:
        for path in (f"/nothing{quote(unsafe)}{quote(forged)}", f"/api/v1/{quote(unsafe)}{quote(forged)}"):
            requests.get(f"{talkative.url}{path}", headers={"X-API-Key": "dev-user-key"}, timeout=10)
    with socket.create_connection(("127.0.0.1", int(talkative.url.rpartition(":")[2]))) as raw:
        about = f"Host: a\r\nX-Request-ID: a{forged}\x85\r\nConnection: close\r\n\r\n".encode("latin-1")
        raw.sendall(b"GET /healthz HTTP/1.1\r\n" + about)
        raw.recv(10_000)

    log = lines(talkative)

    assert not any(line.startswith(forged) for line in log.splitlines())
    assert not any(unsafe in log for unsafe in UNSAFE if unsafe != "\n")


@pytest.mark.case("security L1")
@pytest.mark.parametrize("unsafe", UNSAFE)
@pytest.mark.parametrize("formatter", [TextFormatter, JSONFormatter])
def test_entry_is_one_line_whatever_it_says(formatter, unsafe):
    record = logging.LogRecord("openintent", logging.INFO, "", 1, f"said{unsafe}this of %s", (f"a{unsafe}b",), None)
    record.fields = {"path": f"/x{unsafe}y", "number": 1}

    line = formatter().format(record)

    assert len(line.splitlines()) == 1
    assert unsafe not in line
    assert "said" in line
    if formatter is JSONFormatter:
        assert json.loads(line)["path"] == f"/x{unsafe}y"


def test_traceback_keeps_its_lines():
    try:
        raise ValueError("a\nb\x1b[2J")
    except ValueError as error:
        record = logging.LogRecord("openintent", logging.ERROR, "", 1, "failed", (), (ValueError, error, error.__traceback__))

    text = TextFormatter().format(record)

    assert "\n  File " in text
    assert "\x1b" not in text
