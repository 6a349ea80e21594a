"""Role matrix: access of each kind of caller to each operation of `openapi.yaml` and the WebSocket (role_matrix.csv).

A call that is refused leaves rows and log as they were. `python -m tests.access.role_matrix` writes the table anew; look at the difference.
"""

from datetime import UTC, datetime, timedelta

import orjson
import pytest
import requests
from django.db import transaction
from django.utils import timezone
from websockets.exceptions import ConnectionClosed, InvalidStatus

from access import key_lookup
from access.models import ApiKey
from tests.access import role_matrix
from tests.access.operations import HOLDER, everything, make_world, operations
from tests.access.role_matrix import CALLERS
from tests.conftest import Caller
from tests.subscriptions.stream_readers import socket
from tests.system.concurrent_clients import until

SOCKETS = ("websocket, key in the header", "websocket, key in the message")


@pytest.fixture
def callers(make_key):
    """One of each kind."""
    made = {role: make_key(role)["key"] for role in ("observer", "agent", "arbiter", "operator")}
    ended = {"revoked": {"revoked_at": timezone.now()}, "expired": {"expires_at": timezone.now()}}
    for name, fields in ended.items():
        key = make_key("operator")
        ApiKey.objects.filter(pk=key["id"]).update(**fields)
        made[name] = key["key"]
    made |= {"no key": " ", "wrong": "oi_00000000_" + "x" * 43}
    made["bound agent"] = make_key("agent", agent_id="botty")["key"]
    found = {name: Caller(key) for name, key in made.items()} | {"maker": Caller("agent-research-key", HOLDER)}
    key_lookup.clear_verified_keys()
    return {name: found[name] for name in CALLERS}


def answers(operation, callers, world):
    """The status for each, each in a world that the others have not changed."""
    before, found = everything(), []
    for caller in callers.values():
        with transaction.atomic():
            response = operation.send(caller, world)
            if response.status_code >= 300:
                assert everything() == before, f"{response.status_code}, and something was written"
                assert response.json()["status"] == response.status_code
            transaction.set_rollback(True)
        found.append(str(response.status_code))
    return found


@pytest.mark.case("security H5")
@pytest.mark.rule("E-3")
@pytest.mark.parametrize("operation", operations())
def test_each_operation_answers_each_caller_as_the_table_has_it(api, callers, operation):
    found = answers(operations()[operation], callers, make_world(api))

    compare(operation, found)
    assert found[:4] == ["401"] * 4


def compare(operation, found):
    if role_matrix.is_rewritten():
        role_matrix.write(operation, found)
    assert dict(zip(CALLERS, found, strict=True)) == dict(zip(CALLERS, role_matrix.read()[operation], strict=True))


@pytest.fixture(scope="module")
def live_keys(server):
    """Create the same kinds of callers on a server."""

    def make(role, **fields):
        headers = {"X-API-Key": "dev-user-key"}
        answer = requests.post(f"{server.api}/keys", json={"name": role, "role": role, **fields}, headers=headers, timeout=30)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def status(key):
        return requests.get(f"{server.api}/intents?limit=1", headers={"X-API-Key": key}, timeout=30).status_code

    made = {role: make(role)["key"] for role in ("observer", "agent", "arbiter", "operator")}
    revoked = make("operator")
    requests.delete(f"{server.api}/keys/{revoked['id']}", headers={"X-API-Key": "dev-user-key"}, timeout=30)
    expired = make("operator", expires_at=(datetime.now(UTC) + timedelta(seconds=2)).isoformat())["key"]
    until(lambda: status(expired) == 401, "the end of a key")
    bound = make("agent", agent_id="botty-of-the-matrix")["key"]
    ended = {"no key": None, "wrong": "oi_00000000_" + "x" * 43, "revoked": revoked["key"], "expired": expired}
    return {name: {**made, **ended, "bound agent": bound, "maker": "agent-research-key"}[name] for name in CALLERS}


def opened_by_header(server, key):
    """101 and a subscription, or the status of the refusal."""
    try:
        with socket(server, key=key) as reader:
            return outcome(reader)
    except InvalidStatus as refusal:
        return str(refusal.response.status_code)


def opened_by_message(server, key):
    with socket(server, key=None) as reader:
        return outcome(reader, **({"key": key} if key else {}))


def outcome(reader, **fields):
    """101, or the code with which the connection was closed."""
    answer = reader.subscribe({"all": True}, **fields)
    if answer["type"] == "subscribed":
        return "101"
    assert answer["error"]["code"] == "unauthenticated", orjson.dumps(answer)
    try:
        reader.next()
    except ConnectionClosed as closed:
        return str(closed.rcvd.code)
    return "open"


@pytest.mark.case("security H5")
@pytest.mark.parametrize(("name", "open_with"), [*zip(SOCKETS, (opened_by_header, opened_by_message), strict=True)], ids=SOCKETS)
def test_the_websocket_answers_each_caller_as_the_table_has_it(server, live_keys, name, open_with):
    compare(name, [open_with(server, key) for key in live_keys.values()])


def test_the_table_has_each_operation_and_no_other():
    assert {*role_matrix.read()} == {*operations(), *SOCKETS}
