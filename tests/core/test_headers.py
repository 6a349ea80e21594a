"""Response headers, as proxies and browsers treat them (protocol §1 "Caching", "Versions")."""

import base64
import itertools
import json
import socket

import pytest
import requests
import yaml

from intents.models import Event
from tests.processes import ROOT
from tests.servers import Server

pytestmark = pytest.mark.full


KEY = {"X-API-Key": "dev-user-key"}
PRIVATE = "private, no-store"

# --- caching ---------------------------------------------------------------------------------------------------------


def directives(response):
    return {word.strip() for word in response.headers["Cache-Control"].split(",")}


@pytest.mark.case("security L12")
def test_answers_and_refusals_are_kept_by_no_shared_cache(api, client, make_intent):
    there = f"/intents/{make_intent()['id']}"
    answers = [
        api.get("/intents"),
        api.get(there),
        api.get("/events"),
        api.post("/intents", {"title": "t"}),
        api.post("/keys", {"name": "k", "role": "agent"}),
        api.post("/intents", {}),
        api.patch(there, {"title": "t"}),
        api.delete(f"{there}/agents/nobody"),
        api.get("/intents/nowhere"),
        api.get("/nowhere"),
        client.get("/api/v1/intents"),
        client.post("/api/v1/nowhere"),
    ]

    assert {answer.status_code for answer in answers} >= {200, 201, 204, 400, 401, 404, 428}
    assert [answer.request["PATH_INFO"] for answer in answers if "no-store" not in directives(answer)] == []


@pytest.mark.case("security L12")
def test_refusals_outside_of_django_are_kept_by_none(server):
    too_large = requests.post(f"{server.api}/intents", data=b"a" * 11_000_000, headers=KEY, timeout=10)
    long = requests.get(f"{server.url}/{'a' * 70_000}", timeout=10)

    assert (too_large.status_code, long.status_code) == (413, 431)
    assert {too_large.headers["Cache-Control"], long.headers["Cache-Control"]} == {PRIVATE}


@pytest.mark.case("security L12")
def test_bytes_of_an_attachment_may_be_kept_by_who_asked(server):
    intent = requests.post(f"{server.api}/intents", json={"title": "t"}, headers=KEY, timeout=10).json()
    path = f"{server.api}/intents/{intent['id']}/attachments"
    made = requests.post(path, json={"filename": "a.txt", "content_base64": "YWJj"}, headers=KEY, timeout=10).json()

    got = requests.get(f"{path}/{made['id']}/content", headers=KEY, timeout=10)
    kept = requests.get(f"{path}/{made['id']}/content", headers={**KEY, "If-None-Match": got.headers["ETag"]}, timeout=10)

    assert (got.status_code, kept.status_code) == (200, 304)
    assert directives(got) == directives(kept) == {"private", "no-cache"}


# --- versions --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("I-2")
@pytest.mark.parametrize(
    "given", ['W/"1"', '"1-gzip"', '"1--gzip"', '"1;gzip"', '"1:br"', 'W/"1-br"', '"1-zstd"', '"1-deflate"', "1", '"1"']
)
def test_version_is_taken_as_proxies_rewrite_it(api, make_intent, given):
    intent = make_intent()

    first, second = (api.send("PATCH", f"/intents/{intent['id']}", {"title": "New"}, if_match=given) for _ in range(2))

    assert (first.status_code, first.json()["version"]) == (200, 2)
    assert (second.status_code, second.json()["current_version"]) == (409, 2)


@pytest.mark.parametrize(
    "given", ["*", "W/1", '"1-"', '"1-gzip2"', '"1 gzip"', '"-gzip"', 'w/"1"', '"1", "2"', '"1-gzip', '"1-GZIP"', '""', "1-gzip"]
)
def test_anything_else_is_no_version(api, make_intent, given):
    intent = make_intent()
    before = Event.objects.count()

    response = api.send("PATCH", f"/intents/{intent['id']}", {"title": "New"}, if_match=given)

    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "If-Match")
    assert Event.objects.count() == before


# --- cursors ---------------------------------------------------------------------------------------------------------

VALUES = [
    None,
    True,
    False,
    [],
    {},
    "",
    "a",
    -1,
    0.5,
    2**63,
    -(2**63) - 1,
    2**70,
    1e300,
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
]
VALUES += ["2026-01-01", "nan", "\ud7ff", "0" * 10_000, "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21", "infinity"]
SECOND = [None, True, 1, "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21"]
CURSORS = [
    *(json.dumps([value]).encode() for value in VALUES),
    *(json.dumps(pair).encode() for pair in itertools.product(VALUES, SECOND)),
    *(json.dumps(["2026-01-01T00:00:00Z", value]).encode() for value in VALUES),
    b"[]", b"null", b"{}", b'{"a": 1}', b"5", b'"a"', b"[", b"\xff", b"[1,2,3,4,5]", b"[" * 5_000, b'["\\u0000"]', b'["\\ud800"]',
]  # fmt: skip
RAW = ["", "%", "====", "a", "é", "\0", "W251bGxd=", "../..", "null", "W10"]


@pytest.fixture
def lists(api, make_intent):
    """Every list that takes a cursor."""
    described = yaml.safe_load((ROOT / "openapi.yaml").read_text())
    intent, portfolio = make_intent()["id"], api.post("/portfolios", {"name": "n"}).json()["id"]
    subscription = api.post("/subscriptions", {}).json()["id"]
    arbitration = api.post(f"/intents/{intent}/arbitrate", {"reason": "Which?"}).json()["id"]
    ids = {
        "intent_id": intent,
        "portfolio_id": portfolio,
        "agent_id": "ada",
        "subscription_id": subscription,
        "arbitration_id": arbitration,
    }
    found = [
        path.removeprefix("/api/v1").format(**ids)
        for path, operations in described["paths"].items()
        if any(parameter.get("name") == "cursor" for parameter in operations.get("get", {}).get("parameters", []))
    ]
    assert len(found) > 20
    return [*found, *(f"/intents?ordering={each}" for each in ("created_at", "-updated_at")), "/events?order=desc"]


@pytest.mark.case("security L5")
def test_malformed_cursor_is_an_invalid_request_on_every_list(api, lists):
    cursors = [base64.urlsafe_b64encode(raw).decode().rstrip("=") for raw in CURSORS] + RAW[1:]
    wrong = {}
    for path in lists:
        for cursor in cursors:
            response = api.get(path + ("&" if "?" in path else "?") + f"cursor={requests.utils.quote(cursor)}")
            if response.status_code not in (200, 400) or (
                response.status_code == 400 and response.json()["errors"][0]["field"] != "cursor"
            ):
                wrong[path, cursor] = response.status_code

    assert wrong == {}


@pytest.mark.case("security L5")
@pytest.mark.parametrize("cursor", ["W251bGxd", "W3RydWVd", "W2ZhbHNlXQ", "bnVsbA"])
def test_cursor_of_null_or_a_flag_is_refused_on_every_list(api, lists, cursor):
    assert {
        path: api.get(path + ("&" if "?" in path else "?") + f"cursor={cursor}").status_code for path in lists
    } == dict.fromkeys(lists, 400)


# --- browsers --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def open_to_browsers(vendor, tmp_path_factory):
    from tests.databases import migrated_database  # noqa: PLC0415

    with Server(
        migrated_database(vendor, tmp_path_factory.mktemp("cors")), OPENINTENT_CORS_ORIGINS="https://app.example"
    ) as server:
        yield server


@pytest.mark.case("streams 23")
@pytest.mark.parametrize("path", ["/intents", "/events/subscribe"])
def test_headers_of_browser_clients_are_allowed(open_to_browsers, path):
    wanted = "cache-control,if-none-match,if-match,last-event-id,range,if-range,pragma,x-api-key,x-agent-id"
    about = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": wanted}

    answer = requests.options(f"{open_to_browsers.api}{path}", headers=about, timeout=10)

    assert set(wanted.split(",")) <= set(answer.headers["Access-Control-Allow-Headers"].split(", "))


@pytest.mark.case("streams 23")
def test_pages_may_read_name_and_range_of_an_attachment(open_to_browsers):
    named = {"name": "pages", "role": "agent"}
    made = requests.post(f"{open_to_browsers.api}/keys", json=named, headers=KEY, timeout=10).json()
    key = {"X-API-Key": made["key"]}  # Dev mode's keys are not for pages of other origins.
    origin = {**key, "Origin": "https://app.example"}
    intent = requests.post(f"{open_to_browsers.api}/intents", json={"title": "t"}, headers=key, timeout=10).json()
    path = f"{open_to_browsers.api}/intents/{intent['id']}/attachments"
    made = requests.post(path, json={"filename": "a.txt", "content_base64": "YWJj"}, headers=key, timeout=10).json()

    got = requests.get(f"{path}/{made['id']}/content", headers={**origin, "Range": "bytes=0-1"}, timeout=10)

    exposed = set(got.headers["Access-Control-Expose-Headers"].lower().split(", "))
    assert got.status_code == 206
    assert {"content-disposition", "content-range", "accept-ranges", "etag", "x-request-id"} <= exposed & {
        *map(str.lower, got.headers)
    }


# --- old and quiet clients -------------------------------------------------------------------------------------------


@pytest.mark.case("streams 46")
@pytest.mark.parametrize("path", ["/events/subscribe", "/agents/ada/subscribe", "/subscribe/agents/ada"])
def test_head_of_a_stream_says_that_it_is_one(server, path):
    answer = requests.head(f"{server.api}{path}", headers=KEY, timeout=10)

    assert (answer.status_code, answer.headers["Content-Type"], answer.content) == (200, "text/event-stream; charset=utf-8", b"")


def spoken(server, request: bytes, until: bytes = b"") -> bytes:
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=20) as connection:
        connection.sendall(request)
        found = b""
        while (part := connection.recv(65_536)) and not (until and until in found + part):
            found += part
        return found + part


@pytest.mark.case("streams 46")
@pytest.mark.parametrize("path", ["/healthz", "/api/v1/intents", "/docs", "/static/console/console.css", "/nowhere"])
def test_old_http_gets_no_chunks_and_a_whole_answer(server, path):
    old = spoken(server, f"GET {path} HTTP/1.0\r\nHost: localhost\r\nX-API-Key: dev-user-key\r\n\r\n".encode())
    new = requests.get(f"{server.url}{path}", headers=KEY, timeout=10)

    head, _, body = old.partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head.lower()
    assert f" {new.status_code} ".encode() in head
    assert body == new.content or path in ("/api/v1/intents", "/nowhere")


@pytest.mark.case("streams 46")
def test_old_http_follows_a_stream_without_chunks(server):
    got = spoken(
        server,
        b"GET /api/v1/events/subscribe HTTP/1.0\r\nHost: localhost\r\nX-API-Key: dev-user-key\r\n\r\n",
        until=b'{"position":',
    )
    head, _, body = got.partition(b"\r\n\r\n")

    assert b"transfer-encoding" not in head.lower()
    assert body.startswith(b"retry: ")


@pytest.mark.case("streams 49")
def test_agent_id_in_utf8_comes_out_right(server):
    body = b'{"title":"t"}'
    about = f"Host: localhost\r\nX-API-Key: dev-user-key\r\nX-Agent-ID: Zoë/日本\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    answer = spoken(server, f"POST /api/v1/intents HTTP/1.1\r\n{about}\r\nConnection: close\r\n\r\n".encode() + body)

    assert json.loads(answer.partition(b"\r\n\r\n")[2])["created_by"] == "Zoë/日本"
