"""Tokens that open a stream in place of a key (case 50)."""

import base64
import logging
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import requests
from django.test import Client

from subscriptions.streams.tokens import StreamToken
from tests.conftest import Caller
from tests.databases import migrated_database
from tests.servers import Server
from tests.subscriptions.stream_readers import answered, following
from tests.system.concurrent_clients import Http, until

pytestmark = [pytest.mark.case("streams 50"), pytest.mark.full]


@pytest.fixture
def intent(make_intent):
    return make_intent()


@pytest.fixture
def token(api):
    """`token(intent_id=…)`: what a key gets for that."""

    def make(caller=api, **about):
        answer = caller.post("/stream-tokens", about)
        assert answer.status_code == 201, answer.json()
        return answer.json()

    return make


def opened(token, path, **query):
    """The answer to a request for a stream with this token and no key."""
    return Client().get(f"/api/v1{path}", {"token": token, **query}, headers={"Host": "localhost"})


def test_a_token_is_answered_once_with_where_it_leads_and_until_when(api, intent):
    answer, again = (api.post("/stream-tokens", {"intent_id": intent["id"]}, idempotency_key="once") for _ in range(2))

    body = answer.json()
    assert (answer.status_code, answer["Cache-Control"]) == (201, "no-store")
    assert set(body) == {"token", "path", "expires_at"}
    assert body["path"] == f"/api/v1/intents/{intent['id']}/subscribe"
    assert timedelta(minutes=9) < datetime.fromisoformat(body["expires_at"]) - datetime.now(UTC) <= timedelta(minutes=10)
    assert again.json() == {**body, "token": None}
    assert "dev-user-key" not in str(base64.b64decode(body["token"].partition(":")[0] + "=="))


def test_every_role_makes_one_and_it_opens_what_it_is_for(api, token, intent):
    portfolio = api.post("/portfolios", {"name": "Paris"}).json()
    observer = Caller(api.post("/keys", {"name": "watcher", "role": "observer"}).json()["key"])
    for about, path in (
        ({"intent_id": intent["id"]}, f"/intents/{intent['id']}/subscribe"),
        ({"portfolio_id": portfolio["id"]}, f"/portfolios/{portfolio['id']}/subscribe"),
        ({"agent_id": "team/bot"}, "/agents/team%2Fbot/subscribe"),
        ({}, "/events/subscribe"),
    ):
        made = token(observer, **about)
        assert made["path"] == f"/api/v1{path}"
        ticket = opened(made["token"], path, after=0, event_type="comment")
        assert ticket.status_code == 200, ticket.json()
        assert ticket.json()["key_id"] == api.get("/keys").json()["keys"][0]["id"]
    assert opened(made["token"], f"/intents/{intent['id']}/subscribe").status_code == 200  # One for any stream.


def test_token_opens_no_other_stream(api, token, make_intent):
    one, other = make_intent(), make_intent()
    made = token(intent_id=one["id"])["token"]

    for path in (f"/intents/{other['id']}/subscribe", "/events/subscribe", "/agents/ada/subscribe"):
        assert (opened(made, path).status_code, opened(made, path).json()["code"]) == (403, "forbidden")


def test_token_is_refused_by_other_endpoints(api, token, intent):
    made = token()["token"]

    for path in ("/intents", f"/intents/{intent['id']}", "/events", "/keys", "/subscriptions"):
        assert opened(made, path).status_code == 401
        for header in ({"X-API-Key": made}, {"Authorization": f"Bearer {made}"}):
            assert api.client.get(f"/api/v1{path}", headers=header).status_code == 401
    assert Caller(made).post("/intents", {"title": "x"}).status_code == 401
    assert Caller("").post(f"/intents/{intent['id']}/subscribe?token={made}").status_code in (401, 405)


@pytest.mark.parametrize("spoil", [
    lambda token: "", lambda token: "x", lambda token: token[:-1], lambda token: token + "A", lambda token: "A" + token, lambda token: token * 20,
    lambda token: token.replace(":", "."), lambda token: ":" + token.partition(":")[2], lambda token: "\0", lambda token: "é",
    lambda token: str(StreamToken(uuid4(), None, datetime.now(UTC) + timedelta(hours=1))),
])  # fmt: skip
def test_a_token_that_is_none_opens_nothing(token, spoil):
    answer = opened(spoil(token()["token"]), "/events/subscribe")

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


def test_token_expires(api, token):
    made = token(expires_in_seconds=10)["token"]
    read = StreamToken.read(made)
    assert opened(made, "/events/subscribe").status_code == 200

    expired = str(StreamToken(read.key_id, read.topic, datetime.now(UTC) - timedelta(seconds=1)))
    assert opened(expired, "/events/subscribe").status_code == 401


def test_token_ends_with_its_key(api, token):
    made = api.post("/keys", {"name": "page", "role": "observer"}).json()
    used = token(Caller(made["key"]))["token"]
    assert opened(used, "/events/subscribe").status_code == 200

    api.delete(f"/keys/{made['id']}")

    assert opened(used, "/events/subscribe").status_code == 401


@pytest.mark.case("security H4")
@pytest.mark.parametrize(
    "headers", [{"Host": "evil.test"}, {"Origin": "http://evil.test"}, {"X-Forwarded-For": "203.0.113.9"}, {"Forwarded": "for=1"}]
)
def test_token_of_a_dev_key_is_valid_on_this_machine_only(api, token, headers):
    made = token()["token"]

    answer = api.client.get("/api/v1/events/subscribe", {"token": made}, headers={"Host": "localhost", **headers})

    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize("body", [
    {"intent_id": "x"}, {"intent_id": "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21"}, {"portfolio_id": "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21"},
    {"agent_id": ""}, {"agent_id": "a", "intent_id": "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21"}, {"expires_in_seconds": 9},
    {"expires_in_seconds": 3601}, {"expires_in_seconds": None}, {"topic": "all"}, [],
])  # fmt: skip
def test_topic_of_a_token_is_checked(api, body):
    answer = api.post("/stream-tokens", body)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


@pytest.mark.rule("S-5")
def test_open_stream_outlasts_its_token_which_is_never_logged(vendor, tmp_path):
    with Server(migrated_database(vendor, tmp_path), OPENINTENT_LOG_LEVEL="debug") as server, Http(server) as http:
        key = http.post("/keys", {"name": "page", "role": "observer"}).body
        asked = requests.post(f"{server.api}/stream-tokens", json={}, headers={"X-API-Key": key["key"]}, timeout=10)
        token = asked.json()["token"]
        with answered(server, "/events/subscribe?token=wrong" + token, key="") as refused:
            assert refused.status == 401
        with following(server, f"/events/subscribe?token={token}", key="") as (stream, _):
            intent = http.create()
            assert stream.event()["intent_id"] == intent["id"]
            http.delete(f"/keys/{key['id']}")
            while (frame := stream.next()) and frame.event != "bye":
                pass
            assert frame
            assert frame.json == {"reason": "key_revoked"}
        with answered(server, f"/events/subscribe?token={token}", key="") as refused:
            assert refused.status == 401
        until(lambda: any('"path":"/api/v1/events/subscribe"' in line for line in server.log), "the request's line")
    assert not [line for line in server.log if token in line or token[-20:] in line]


def test_logs_of_the_process_have_no_token(api, token, caplog):
    caplog.set_level(logging.DEBUG)
    made = token()["token"]
    for text in (made, "wrong" + made):
        opened(text, "/events/subscribe")

    assert made not in caplog.text
