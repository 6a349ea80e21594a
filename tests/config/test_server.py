"""`openintent-server` as a process: start, refused options, log and end."""

import json
import socket
import threading
from contextlib import closing
from http.client import HTTPConnection

import pytest
import requests

from core.version import installed_version
from tests.config.server_commands import KEY, refuses, start, until
from tests.databases import fresh_database
from tests.servers import Server, Started

pytestmark = pytest.mark.full

# --- options ---------------------------------------------------------------------------------------------------------


def test_version_option_prints_the_version():
    done = start("--version")

    assert (done.returncode, done.stdout) == (0, f"openintent {installed_version()}\n")


def test_help_explains_the_options():
    done = start("--help")

    assert done.returncode == 0
    options = ("--host", "--port", "--database-url", "--api-keys", "--workers", "--debug", "--log-level", "--version")
    assert all(option in done.stdout for option in options)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--port", "http"], "'http' is not a port"),
        (["--port", "65536"], "from 0 to 65535"),
        (["--log-level", "loud"], "choose from"),
        (["--prot", "1"], "unrecognized arguments"),
        (["--database-url", "mysql://a/b"], "'mysql' cannot be used. Accepted: sqlite:///"),
        (["--database-url", "sqlite:///:memory:"], "Use a file"),
        (["--database-url", "sqlite:////nowhere/a.db"], "/nowhere/a.db"),
        (["--database-url", "postgresql://nobody@127.0.0.1:1/x"], "the database cannot be used"),
        (["--api-keys", ","], "Give at least one"),
        (["--host", "nowhere.invalid"], "cannot listen on nowhere.invalid"),
    ],
)
def test_invalid_options_are_refused_with_a_message(tmp_path, arguments, says):
    refuses(start("--port", "0", *arguments, DATABASE_URL=f"sqlite:///{tmp_path}/a.db"), "openintent-server: ", says)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OPENINTENT_PORT", "65536"),
        ("OPENINTENT_DEBUG", "maybe"),
        ("OPENINTENT_DEV_MODE", "perhaps"),
        ("OPENINTENT_LOG_LEVEL", "loud"),
        ("OPENINTENT_LOG_FORMAT", "xml"),
        ("OPENINTENT_RATE_LIMIT", "fast"),
        ("OPENINTENT_THREADS", "0"),
        ("OPENINTENT_MAX_BODY", "10MB"),
        ("OPENINTENT_MAX_STATE", "1"),
        ("OPENINTENT_MAX_EVENT_PAYLOAD", "-1"),
        ("OPENINTENT_MAX_BATCH_EVENTS", "0"),
        ("OPENINTENT_SECRET_KEY", "short"),
        ("OPENINTENT_BEHIND_TLS", "tls"),
        ("OPENINTENT_ROOT_PATH", "oi"),
        ("OPENINTENT_ROOT_PATH", "//oi"),
        ("OPENINTENT_ROOT_PATH", "/oi/../x"),
        ("OPENINTENT_ROOT_PATH", "/oi?x=1"),
        ("OPENINTENT_ROOT_PATH", "/%6fi"),
        ("OPENINTENT_ROOT_PATH", "/api"),
        ("OPENINTENT_ROOT_PATH", "/admin/oi"),
        ("OPENINTENT_WORKERS", "many"),
        ("REDIS_URL", "cache:6379"),
    ],
)
def test_a_variable_that_cannot_be_used_is_refused_by_its_name(tmp_path, name, value):
    refuses(start(DATABASE_URL=f"sqlite:///{tmp_path}/a.db", **{name: value}), "openintent-server: ", name)


def test_a_port_that_is_in_use_is_refused(tmp_path):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]

        done = start("--port", str(port), "--database-url", f"sqlite:///{tmp_path}/a.db")

    refuses(done, f"cannot listen on 127.0.0.1 port {port}", "--port")
    assert list(tmp_path.iterdir()) == []


def test_address_beyond_loopback_needs_a_key(database_url):
    refuses(start("--host", "0.0.0.0", "--port", "0", "--database-url", database_url), "createkey", "--api-keys")


def test_a_second_server_on_the_same_file_is_refused(tmp_path):
    database_url = fresh_database("sqlite", tmp_path)
    with Server(database_url):
        done = start("--port", "0", "--database-url", database_url)

    refuses(done, "another server uses", "PostgreSQL")


def test_after_the_first_has_ended_it_may_start(tmp_path):
    database_url = fresh_database("sqlite", tmp_path)
    with Started(database_url) as first:
        intent = requests.post(f"{first.api}/intents", json={"title": "Do it"}, headers=KEY, timeout=10).json()

    with Started(database_url) as second:
        assert requests.get(f"{second.api}/intents/{intent['id']}", headers=KEY, timeout=10).json() == intent


# --- cross-origin requests -------------------------------------------------------------------------------------------


def preflight(server, origin):
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-api-key,if-match,idempotency-key",
    }
    return requests.options(f"{server.api}/intents", headers=headers, timeout=10)


def test_pages_of_a_named_origin_may_call(database_url):
    with Server(database_url, OPENINTENT_CORS_ORIGINS="https://app.example") as server:
        allowed, refused = preflight(server, "https://app.example"), preflight(server, "https://evil.example")
        read = requests.get(f"{server.api}/intents", headers={**KEY, "Origin": "https://app.example"}, timeout=10)

    assert allowed.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert {"x-api-key", "if-match", "idempotency-key"} <= set(allowed.headers["Access-Control-Allow-Headers"].split(", "))
    assert {"ETag", "Location", "Retry-After"} <= set(read.headers["Access-Control-Expose-Headers"].split(", "))
    assert "Access-Control-Allow-Origin" not in refused.headers
    assert "Access-Control-Allow-Credentials" not in allowed.headers


def test_without_the_setting_no_page_may(server):
    assert "Access-Control-Allow-Origin" not in preflight(server, "https://app.example").headers


# --- bytes that are no request, or too many --------------------------------------------------------------------------


def exchange(server, raw):
    """Send bytes, and read the answer to its end."""
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=30) as connection:
        connection.sendall(raw)
        head, _, body = b"".join(iter(lambda: connection.recv(65_536), b"")).partition(b"\r\n\r\n")
    return head.decode().lower(), json.loads(body)


@pytest.mark.parametrize(
    "raw",
    [
        b"hello\r\n\r\n",
        b"BREW / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX-API-Key: a\0b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost a\r\n\r\n",
        b"GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    ],
)
def test_invalid_http_is_refused_as_a_problem(server, raw):
    head, problem = exchange(server, raw)

    assert head.startswith("http/1.1 400")
    assert "content-type: application/problem+json" in head
    assert (problem["code"], problem["status"]) == ("invalid", 400)
    assert f"x-request-id: {problem['request_id']}" in head


def intents_of(server):
    return requests.get(f"{server.api}/intents", headers=KEY, timeout=10).json()["intents"]


def test_content_length_above_the_limit_is_refused_before_the_body(server):
    before = intents_of(server)
    with closing(HTTPConnection(server.url.removeprefix("http://"), timeout=30)) as connection:
        connection.putrequest("POST", "/api/v1/intents")
        for name, value in {**KEY, "Content-Type": "application/json", "Content-Length": str(10 * 2**20 + 1)}.items():
            connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        problem = json.loads(response.read())

    assert (response.status, problem["code"], problem["limit"]) == (413, "too_large", 10 * 2**20)
    assert response.headers["Content-Type"] == "application/problem+json"
    assert intents_of(server) == before


def test_a_chunked_body_is_refused_where_it_passes_the_limit(server):
    before = intents_of(server)
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    request = b"POST /api/v1/intents HTTP/1.1\r\nHost: localhost\r\nX-API-Key: dev-user-key\r\nContent-Type: application/json\r\nConnection: close\r\n"

    head, problem = exchange(server, request + b"Transfer-Encoding: chunked\r\n\r\n" + chunk * 161 + b"0\r\n\r\n")

    assert head.startswith("http/1.1 413")
    assert (problem["code"], problem["limit"]) == ("too_large", 10 * 2**20)
    assert intents_of(server) == before


def test_a_body_at_the_limit_is_read(server):
    body = b'{"title": "Do it"}'.ljust(10 * 2**20)

    response = requests.post(f"{server.api}/intents", data=body, headers={**KEY, "Content-Type": "application/json"}, timeout=30)

    assert response.status_code == 201


def test_a_state_cannot_be_patched_beyond_its_limit(server):
    intent = requests.post(f"{server.api}/intents", json={"title": "Do it"}, headers=KEY, timeout=10).json()
    path, part = f"{server.api}/intents/{intent['id']}", "a" * 2**18

    answers = [
        requests.post(
            f"{path}/state", json={"state": {f"part {version}": part}}, headers={**KEY, "If-Match": str(version)}, timeout=10
        )
        for version in range(1, 5)
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 413]
    assert (answers[-1].json()["code"], answers[-1].json()["limit"]) == ("too_large", 2**20)
    kept = requests.get(path, headers=KEY, timeout=10).json()
    assert (kept["version"], list(kept["state"])) == (4, ["part 1", "part 2", "part 3"])


# --- logs ------------------------------------------------------------------------------------------------------------


def test_each_request_is_one_line_of_json_without_what_it_carried(database_url):
    secrets = ["the-configured-key-of-this-test", "payload-nobody-may-see", "patch-nobody-may-see", "query-nobody-may-see"]
    configured, payload, patch, query = secrets
    key = {"X-API-Key": configured}
    with Server(database_url, OPENINTENT_API_KEYS=configured, OPENINTENT_DEV_MODE="", OPENINTENT_LOG_LEVEL="debug") as server:
        made = requests.post(f"{server.api}/keys", json={"name": "ci", "role": "agent"}, headers=key, timeout=10).json()
        bearer = {"Authorization": f"Bearer {made['key']}", "X-Request-ID": "find-me"}
        intent = requests.post(f"{server.api}/intents", json={"title": payload}, headers=bearer, timeout=10).json()
        path = f"{server.api}/intents/{intent['id']}"
        requests.post(f"{path}/state", json={"state": {"a": patch}}, headers={**bearer, "If-Match": "1"}, timeout=10)
        requests.post(
            f"{path}/events", json={"event_type": "a", "payload": {"a": payload}, "x": patch}, headers=bearer, timeout=10
        )
        requests.get(f"{server.api}/intents?q={query}", headers=bearer, timeout=10)
        requests.get(f"{server.api}/intents", headers={"X-API-Key": secrets[0] + "x"}, timeout=10)
        assert server.stop() == 0

    lines = [line for line in server.log if line.startswith("{")]
    entries = [json.loads(line) for line in lines]
    requested = [entry for entry in entries if entry["logger"] == "openintent.request"]
    assert [(entry["method"], entry["path"].rpartition("/")[2], entry["status"]) for entry in requested] == [
        ("POST", "keys", 201),
        ("POST", "intents", 201),
        ("POST", "state", 200),
        ("POST", "events", 400),
        ("GET", "intents", 200),
        ("GET", "intents", 401),
    ]
    assert all(entry["ms"] >= 0 and entry["at"] and entry["level"] == "info" for entry in requested)
    assert [entry["request_id"] == "find-me" for entry in requested] == [False, True, True, True, True, False]
    output = "\n".join(server.log)
    assert not [secret for secret in [*secrets, made["key"]] if secret in output]


def test_as_text_the_log_is_for_people(database_url):
    with Server(database_url, OPENINTENT_LOG_FORMAT="text") as server:
        requests.get(f"{server.url}/docs", timeout=10)

    assert any("GET /docs" in line and "status=200" in line for line in server.log)


# --- the end ---------------------------------------------------------------------------------------------------------


def test_told_to_stop_it_finishes_what_runs_and_ends_well(vendor, tmp_path):
    server = Started(fresh_database(vendor, tmp_path)).start()
    intent = requests.post(f"{server.api}/intents", json={"title": "Do it"}, headers=KEY, timeout=10).json()
    body = json.dumps({"events": [{"event_type": "comment", "payload": {"text": "a" * 5000}}] * 300})
    answers = []

    def send():
        headers = {**KEY, "Content-Type": "application/json"}
        answers.append(requests.post(f"{server.api}/intents/{intent['id']}/events/batch", data=body, headers=headers, timeout=60))

    senders = [threading.Thread(target=send) for _ in range(4)]
    for sender in senders:
        sender.start()
    until(lambda: answers)
    code = server.stop()
    for sender in senders:
        sender.join()

    assert code == 0
    assert [answer.status_code for answer in answers] == [201] * 4
