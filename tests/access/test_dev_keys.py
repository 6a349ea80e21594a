"""The keys of dev mode are this machine's alone, on every transport; WebSockets are for pages of the host itself (protocol §1.1)."""

from contextlib import closing
from http.client import HTTPConnection
from socket import create_connection
from urllib.parse import urlsplit

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from access.loopback import remote_origin_reason
from access.models import ApiKey
from access.origins import is_allowed
from intents.models import Intent
from tests.conftest import Caller
from tests.system.concurrent_clients import PATIENCE

LOCAL = {"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost:8000"}
STRANGERS = {
    "another machine": {"REMOTE_ADDR": "203.0.113.9"},
    "another machine by IPv6": {"REMOTE_ADDR": "2001:db8::1"},
    "no address": {"REMOTE_ADDR": ""},
    "a name that was turned here": {"HTTP_HOST": "evil.test:8000"},
    "a name that begins like this machine's": {"HTTP_HOST": "localhost.evil.test:8000"},
    "a user name that looks like a host": {"HTTP_HOST": "localhost@evil.test"},
    "no host": {"HTTP_HOST": ""},
    "two hosts": {"HTTP_HOST": "localhost,evil.test"},
    "a host and a path": {"HTTP_HOST": "localhost/evil.test"},
    "a tunnel": {"HTTP_HOST": "abc.ngrok.io", "HTTP_X_FORWARDED_FOR": "203.0.113.9"},
    **{
        f"passed on, by {name}": {name: value}
        for name, value in {
            "HTTP_X_FORWARDED_FOR": "127.0.0.1", "HTTP_X_FORWARDED_HOST": "localhost", "HTTP_X_FORWARDED_PROTO": "https",
            "HTTP_X_FORWARDED_PORT": "", "HTTP_X_FORWARDED": "for=::1", "HTTP_FORWARDED": "for=127.0.0.1", "HTTP_VIA": "1.1 proxy",
            "HTTP_X_REAL_IP": "127.0.0.1", "HTTP_CF_CONNECTING_IP": "203.0.113.9", "HTTP_TRUE_CLIENT_IP": "203.0.113.9",
        }.items()
    },
    "a page of another site": {"HTTP_ORIGIN": "http://evil.test:8000"},
    "a page of nobody's": {"HTTP_ORIGIN": "null"},
    "a page whose name begins like this machine's": {"HTTP_ORIGIN": "http://localhost.evil.test"},
    "a file": {"HTTP_ORIGIN": "file://"},
}  # fmt: skip
NEIGHBOURS = [
    {"HTTP_HOST": "localhost"}, {"HTTP_HOST": "LocalHost:1"}, {"HTTP_HOST": "localhost.:8000"}, {"HTTP_HOST": "127.0.0.1:8000"},
    {"HTTP_HOST": "[::1]:8000", "REMOTE_ADDR": "::1"}, {"REMOTE_ADDR": "::ffff:127.0.0.1"}, {"REMOTE_ADDR": "127.8.8.8"},
    {"HTTP_ORIGIN": "http://localhost:3000"}, {"HTTP_ORIGIN": "https://127.0.0.1"}, {"HTTP_ORIGIN": "http://[::1]:5173"},
]  # fmt: skip


@pytest.mark.case("security H4")
@pytest.mark.parametrize("meta", STRANGERS.values(), ids=STRANGERS)
def test_forwarded_and_foreign_requests_are_not_local(meta):
    assert remote_origin_reason({**LOCAL, **meta})


@pytest.mark.parametrize("meta", NEIGHBOURS, ids=lambda meta: ",".join(meta.values()))
def test_loopback_requests_are_local(meta):
    assert remote_origin_reason({**LOCAL, **meta}) is None


@pytest.mark.case("security H4")
@pytest.mark.parametrize("key", ["dev-user-key", "agent-research-key", "agent-synth-key"])
@pytest.mark.parametrize("meta", STRANGERS.values(), ids=STRANGERS)
def test_no_stranger_is_let_in_with_a_well_known_key(db, meta, key):
    client = Caller(key).client
    body = b'{"name": "evil", "role": "operator"}'

    response = client.post("/api/v1/keys", body, "application/json", headers={"X-API-Key": key}, **meta)

    assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")
    assert "The keys of dev mode are valid on this machine only, and " in response.json()["detail"]
    assert not ApiKey.objects.exists()


def test_keys_of_ones_own_work_from_anywhere(make_key):
    key = make_key("agent")["key"]

    for meta in STRANGERS.values():
        response = Caller(key).client.get("/api/v1/intents", headers={"X-API-Key": key}, **meta)
        assert response.status_code == 200


# --- a real server, by each transport --------------------------------------------------------------------------------

HEADERS = {
    "a name that was turned here": {"Host": "evil.test:8000"},
    "a tunnel": {"Host": "abc.ngrok.io", "X-Forwarded-For": "203.0.113.9"},
    "a proxy that uvicorn trusts": {"X-Forwarded-For": "127.0.0.1"},
    "a page of another site": {"Origin": "http://evil.test"},
}
PATHS = [("GET", "/api/v1/intents"), ("POST", "/api/v1/intents"), ("GET", "/api/v1/events/subscribe")]


def asked(server, method, path, headers):
    with closing(HTTPConnection(server.url.removeprefix("http://"), timeout=PATIENCE)) as connection:
        connection.putrequest(method, path, skip_host="Host" in headers)
        body = b'{"title": "Made by a stranger"}' if method == "POST" else b""
        for name, value in {"Content-Length": str(len(body)), "Content-Type": "application/json", **headers}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        return connection.getresponse().status


@pytest.mark.case("security H4")
@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS)
@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize("scheme", ["X-API-Key", "Authorization"])
def test_over_http_and_streams_it_is_the_same(server, headers, method, path, scheme):
    key = {scheme: "dev-user-key" if scheme == "X-API-Key" else "Bearer dev-user-key"}

    assert asked(server, method, path, {**headers, **key}) == 401


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "localhost.", "[::1]"])
def test_this_machine_is_let_in_by_each_of_its_names(server, host):
    port = urlsplit(server.url).port

    assert asked(server, "GET", "/api/v1/intents", {"Host": f"{host}:{port}", "X-API-Key": "dev-user-key"}) == 200


def socket(server, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items() if name != "Host"}
    url = server.url.replace("http:", "ws:") + "/ws/v1/events"
    if "Host" not in headers:
        return connect(url, additional_headers=named, open_timeout=PATIENCE)
    address = urlsplit(server.url)
    connected = create_connection((address.hostname, address.port))
    return connect(f"ws://{headers['Host']}/ws/v1/events", additional_headers=named, sock=connected)


@pytest.mark.case("security H4")
@pytest.mark.parametrize("key", [None, "dev-user-key", "wrong"])
@pytest.mark.parametrize(
    "origin", ["http://evil.test:8000", "null", "http://localhost:3000", "http://localhost.evil.test", "file://"]
)
def test_websocket_handshake_from_another_origin_is_refused(server, origin, key):
    with pytest.raises(InvalidStatus) as refused:
        socket(server, Origin=origin, **({"X_API_Key": key} if key else {}))

    assert refused.value.response.status_code == 403
    assert b'"code":"forbidden"' in refused.value.response.body


@pytest.mark.case("security H4")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.test:8000", "Origin": "http://evil.test:8000"}, 401),
        ({"Host": "evil.test:8000"}, 401),
        ({"X_Forwarded_For": "203.0.113.9"}, 401),
    ],
)
def test_a_websocket_of_a_stranger_is_refused_with_a_well_known_key(server, headers, status):
    with pytest.raises(InvalidStatus) as refused:
        socket(server, X_API_Key="dev-user-key", **headers)
    assert refused.value.response.status_code == status

    with socket(server, **headers) as connection:
        connection.send('{"type":"subscribe","topics":[{"all":true}],"after":0,"key":"dev-user-key"}')
        assert '"unauthenticated"' in connection.recv(timeout=PATIENCE)


def test_a_page_of_the_host_itself_may_connect(server):
    with socket(server, Origin=server.url, X_API_Key="dev-user-key") as connection:
        connection.send('{"type":"subscribe","topics":[{"all":true}]}')
        assert '"subscribed"' in connection.recv(timeout=PATIENCE)


@pytest.mark.parametrize(
    ("origin", "host", "is_right"),
    [
        (None, "example.org", True),
        ("https://example.org", "example.org", True),
        ("https://EXAMPLE.org", "example.ORG:443", True),
        ("http://example.org", "example.org:80", True),
        ("http://example.org:8000", "example.org:8000", True),
        ("http://[::1]:8000", "[::1]:8000", True),
        ("https://app.example.com", "example.org", True),
        ("https://APP.example.com", "example.org", True),
        ("http://app.example.com", "example.org", False),
        ("http://example.org:8000", "example.org", False),
        ("http://example.org.evil.test", "example.org", False),
        ("http://example.org@evil.test", "example.org", False),
        ("null", "example.org", False),
        ("", "example.org", False),
        ("chrome-extension://abc", "abc", False),
        ("http://a:b:c", "a", False),
    ],
)
def test_which_pages_may_open_a_websocket(settings, origin, host, is_right):
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example.com"]

    assert is_allowed(origin, host) is is_right


def test_with_all_origins_configured_all_pages_may(settings):
    settings.CORS_ALLOW_ALL_ORIGINS = True

    assert is_allowed("http://evil.test", "example.org")


def test_refused_requests_have_created_nothing(server, db):
    assert asked(server, "GET", "/api/v1/intents?q=stranger", {"X-API-Key": "dev-user-key"}) == 200
    assert not Intent.objects.filter(title="Made by a stranger").exists()
