"""Invalid requests of portfolios, which write nothing."""

import pytest

from tests.conftest import Caller
from tests.portfolios.conftest import database_rows

NOWHERE = "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21"
MEMBERS, STATUS, ONE = "/portfolios/<portfolio>/intents", "/portfolios/<portfolio>/status", "/portfolios/<portfolio>"


def policy(**keys):
    return {"name": "Paris", "governance_policy": keys}


INVALID = [
    ("POST", "/portfolios", {}, "name"),
    ("POST", "/portfolios", [], ""),
    ("POST", "/portfolios", b'{"name": ', ""),
    ("POST", "/portfolios", {"name": "  "}, "name"),
    ("POST", "/portfolios", {"name": 5}, "name"),
    ("POST", "/portfolios", {"name": "x" * 501}, "name"),
    ("POST", "/portfolios", {"name": "Paris", "description": "x" * 10_001}, "description"),
    ("POST", "/portfolios", {"name": "Paris", "metadata": []}, "metadata"),
    ("POST", "/portfolios", {"name": "Paris", "status": "completed"}, "status"),
    ("POST", "/portfolios", {"name": "Paris", "governance_policy": None}, "governance_policy"),
    ("POST", "/portfolios", {"name": "Paris", "governance_policy": ["require_all_completed"]}, "governance_policy"),
    ("POST", "/portfolios", policy(require_all_completed="yes"), "governance_policy.require_all_completed"),
    ("POST", "/portfolios", policy(allow_partial_completion=1), "governance_policy.allow_partial_completion"),
    ("POST", "/portfolios", policy(auto_complete_threshold=0), "governance_policy.auto_complete_threshold"),
    ("POST", "/portfolios", policy(auto_complete_threshold=100.5), "governance_policy.auto_complete_threshold"),
    ("POST", "/portfolios", policy(auto_complete_threshold=True), "governance_policy.auto_complete_threshold"),
    ("POST", "/portfolios", policy(auto_complete_threshold=None), "governance_policy.auto_complete_threshold"),
    ("POST", "/portfolios", policy(shared_constraints=[5000]), "governance_policy.shared_constraints"),
    ("POST", "/portfolios?x=1", {"name": "Paris"}, "x"),
    ("PATCH", ONE, {}, ""),
    ("PATCH", ONE, {"actor": "ada"}, ""),
    ("PATCH", ONE, {"name": None}, "name"),
    ("PATCH", ONE, {"status": "completed"}, "status"),
    ("PATCH", ONE, {"created_by": "ada"}, "created_by"),
    ("PATCH", STATUS, {}, "status"),
    ("PATCH", STATUS, {"status": "blocked"}, "status"),
    ("PATCH", STATUS, {"status": "completed", "reason": 5}, "reason"),
    ("POST", MEMBERS, {}, "intent_id"),
    ("POST", MEMBERS, {"intent_id": "flight"}, "intent_id"),
    ("POST", MEMBERS, {"intent_id": NOWHERE}, "intent_id"),
    ("POST", MEMBERS, {"intent_id": "<intent>", "role": ""}, "role"),
    ("POST", MEMBERS, {"intent_id": "<intent>", "role": " primary"}, "role"),
    ("POST", MEMBERS, {"intent_id": "<intent>", "role": "x" * 65}, "role"),
    ("POST", MEMBERS, {"intent_id": "<intent>", "priority": "high"}, "priority"),
    ("POST", MEMBERS, {"intent_id": "<intent>", "priority": 2**31}, "priority"),
    ("POST", MEMBERS, {"intent_id": "<intent>", "priority": 1.5}, "priority"),
    ("GET", "/portfolios?status=open", None, "status"),
    ("GET", "/portfolios?owner=ada", None, "owner"),
    ("GET", "/portfolios?limit=0", None, "limit"),
    ("GET", "/portfolios?cursor=x", None, "cursor"),
    ("GET", f"{MEMBERS}?cursor=WzEsdHJ1ZV0", None, "cursor"),  # [1,true]
    ("GET", f"{MEMBERS}?role=primary", None, "role"),
    ("GET", f"{ONE}?full=1", None, "full"),
    ("GET", "/intents/<intent>/portfolios?status=active", None, "status"),
]

UNKNOWN = [
    ("GET", f"/portfolios/{NOWHERE}", None),
    ("GET", "/portfolios/paris", None),
    ("PATCH", f"/portfolios/{NOWHERE}", {"name": "Rome"}),
    ("PATCH", f"/portfolios/{NOWHERE}/status", {"status": "completed"}),
    ("GET", f"/portfolios/{NOWHERE}/intents", None),
    ("POST", f"/portfolios/{NOWHERE}/intents", {"intent_id": "<intent>"}),
    ("DELETE", f"/portfolios/{NOWHERE}/intents/<intent>", None),
    ("DELETE", f"{MEMBERS}/{NOWHERE}", None),
    ("DELETE", f"{MEMBERS}/flight", None),
    ("GET", f"/intents/{NOWHERE}/portfolios", None),
]


@pytest.fixture
def send(api, make_intent, make_portfolio):
    """Send a request about a portfolio with a member, and an intent that is in none; nothing may be written."""
    portfolio, intent = make_portfolio(make_intent()), make_intent()

    def named(value):
        if isinstance(value, str):
            return value.replace("<portfolio>", portfolio["id"]).replace("<intent>", intent["id"])
        return {name: named(each) for name, each in value.items()} if isinstance(value, dict) else value

    def send(method, path, body, caller=api):
        before = database_rows()
        response = caller.send(method, named(path), named(body))
        assert database_rows() == before
        return response

    return send


@pytest.mark.parametrize(("method", "path", "body", "field"), INVALID)
def test_invalid_values_are_refused_by_field(send, method, path, body, field):
    response = send(method, path, body)

    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert response.json()["errors"][0]["field"] == field


@pytest.mark.parametrize(("method", "path", "body"), UNKNOWN)
def test_unknown_objects_are_not_found(send, method, path, body):
    response = send(method, path, body)

    assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/portfolios", {"name": "Paris"}),
        ("PATCH", ONE, {"name": "Rome"}),
        ("PATCH", STATUS, {"status": "completed"}),
        ("POST", MEMBERS, {"intent_id": "<intent>"}),
        ("DELETE", f"{MEMBERS}/<intent>", None),
    ],
)
def test_observer_only_reads(api, send, method, path, body):
    observer = Caller(api.post("/keys", {"name": "watcher", "role": "observer"}).json()["key"])

    assert send(method, path, body, observer).json()["code"] == "forbidden"
    assert send("GET", MEMBERS, None, observer).status_code == 200


def test_bound_key_cannot_act_for_another_agent(api, send):
    bound = Caller(api.post("/keys", {"name": "ci", "role": "agent", "agent_id": "ada"}).json()["key"])

    assert send("POST", "/portfolios", {"name": "Paris", "created_by": "bob"}, bound).json()["code"] == "agent_mismatch"
    assert send("PATCH", ONE, {"name": "Rome", "actor": "bob"}, bound).json()["code"] == "agent_mismatch"
