"""Gates: operations that need a permit, whatever the transport (rule A-12)."""

from typing import Any

import pytest

from access.services import create_key
from governance.models import Gate, Permit
from governance.operations import ALIASES, OPERATIONS, UNGATED, operation_of
from leasing.models import Lease
from tests.access.operations import HOLDER, everything, make_world, operations
from tests.conftest import Caller, fresh, log
from tests.governance.permits import approve, ask, code, get_permit, permits

pytestmark = pytest.mark.rule("A-12")


def set_gate(api: Caller, verb: str, **fields: Any) -> dict[str, Any]:
    response = api.post("/gates", {"verb": verb, **fields})
    assert response.status_code == 201, response.json()
    return response.json()  # type: ignore[no-any-return]


def complete(caller: Caller, intent: dict[str, Any], **headers: str) -> Any:
    version = fresh(caller, intent)["version"]
    return caller.post(f"/intents/{intent['id']}/status", {"status": "completed"}, version=version, **headers)


def granted(asker: Caller, decider: Caller, intent: dict[str, Any], remedy: dict[str, Any]) -> str:
    """The id of a permit, asked for with the remedy as it is."""
    asked = asker.post(f"/intents/{intent['id']}/arbitrate", remedy)
    assert asked.status_code == 201, asked.json()
    assert approve(decider, asked.json()).status_code == 201
    return str(Permit.objects.get(arbitration=asked.json()["id"]).pk)


WRITES = {name: each for name, each in operations().items() if each.method != "GET"}
GATED = {name: each for name, each in WRITES.items() if operation_of(name) in OPERATIONS}


def test_every_write_is_gated_or_said_to_be_ungated():
    assert {operation_of(name) for name in GATED} == OPERATIONS
    assert set(WRITES) - set(GATED) == UNGATED
    assert {name for name in ALIASES if name not in WRITES} == {"abandon_portfolio", "complete_portfolio"}


_INTENTS = {
    "remove_dependency": "dependent",
    "add_intent_to_portfolio": "other",
    "remove_intent_from_portfolio": "member",
}
"""The intent of the world that these are about, where it is another than of the others: a permit is asked for on it."""

_ARBITERS = ("create_delegation", "revoke_delegation", "revoke_lease")


@pytest.mark.parametrize("name", GATED)
def test_gate_holds_for_each_operation_and_its_permit_passes(api, name):
    world, operation = make_world(api), GATED[name]
    agent = Caller("agent-research-key", HOLDER)
    if name in _ARBITERS:
        agent = Caller(create_key(name="court", role="arbiter", created_by="test")[1], "judge")
        world["delegation_id"] = agent.post("/delegations", {"delegate": "eve"}).json()["id"]
    about = world[_INTENTS.get(name, "intent_id")]
    held = Lease.objects.filter(intent=about, agent_id=agent.headers["X-Agent-ID"]).first()
    token = {"x_fencing_token": str(held.fencing_token)} if held else {}
    set_gate(api, name)
    before = everything()

    refused = operation.send(agent, world)

    assert code(refused) == (403, "permit_required")
    assert everything() == before
    permit = granted(agent, api, {"id": about}, refused.json()["remedy"])
    passed = operation.send(agent, world, headers={"x_permit": permit, **token})
    assert passed.status_code < 300, passed.json()
    assert Permit.objects.get(pk=permit).outcome == "succeeded"
    assert operation.send(agent, world, headers={"x_permit": permit, **token}).status_code >= 400


@pytest.mark.parametrize("name", GATED)
def test_operator_passes_with_a_reason_that_the_events_keep(api, name):
    world = make_world(api)
    operator, operation = Caller("dev-user-key", HOLDER), GATED[name]
    if name in ("renew_lease", "release_lease"):  # Only its holder does that.
        operator = Caller("dev-user-key", "boss")
        world["lease_id"] = operator.post(f"/intents/{world['intent_id']}/leases", {"scope": "own"}).json()["id"]
    set_gate(api, name)
    if name != "revoke_lease":
        assert code(operation.send(operator, world)) == (403, "permit_required")

    passed = operation.send(operator, world, headers={"x_gate_reason": "The customer waits ✓".encode().decode("latin-1")})

    assert passed.status_code < 300, passed.json()
    if name not in ("redeliver", "set_retry_policy"):  # They write no event here: none at all, and the same policy as before.
        newest = api.get("/events", limit=1000).json()["events"]
        reasons = {event["payload"]["gate"]["reason"] for event in newest if "gate" in event["payload"]}
        assert reasons == {"Stuck" if name == "revoke_lease" else "The customer waits ✓"}


# --- one gate, step by step ----------------------------------------------------------------------------------------------


def test_remedy_works_as_it_is_and_the_permit_is_spent_with_the_write(ada, judy, api, intent):
    set_gate(api, "set_status", when={"status": "completed"})

    refused = complete(ada, intent)
    permit = granted(ada, judy, intent, refused.json()["remedy"])
    completed = complete(ada, intent, x_permit=permit)

    assert (completed.status_code, completed.json()["status"]) == (200, "completed")
    assert [name for name, _ in log(api, intent)][-2:] == ["permit_spent", "status_changed"]
    assert (permits(ada, intent)[0]["status"], permits(ada, intent)[0]["outcome"]) == ("spent", "succeeded")


@pytest.mark.rule("A-9")
def test_write_that_is_refused_spends_nothing(ada, judy, api, make_intent):
    intent = make_intent()
    child = api.post(f"/intents/{intent['id']}/children", {"title": "A part"}).json()
    set_gate(api, "set_status", when={"status": "completed"}, intent_id=intent["id"])
    permit = granted(ada, judy, intent, complete(ada, intent).json()["remedy"])

    assert code(complete(ada, intent, x_permit=permit)) == (409, "completion_gate")
    assert ada.get(f"/permits/{permit}").json()["status"] == "live"
    assert complete(ada, child).status_code == 200
    assert complete(ada, intent, x_permit=permit).status_code == 200


def test_gate_is_limited_by_when_and_place(ada, api, make_intent):
    intent, other = make_intent(), make_intent()
    set_gate(api, "set_status", when={"status": "completed"}, intent_id=intent["id"])
    assert ada.post(f"/intents/{intent['id']}/status", {"status": "active"}, version=1).status_code == 200
    assert complete(ada, other).status_code == 200
    assert code(complete(ada, intent)) == (403, "permit_required")


def test_gate_of_a_portfolio_binds_its_members(ada, api, make_intent):
    intent, other = make_intent(), make_intent()
    portfolio = api.post("/portfolios", {"name": "Launch"}).json()
    api.post(f"/portfolios/{portfolio['id']}/intents", {"intent_id": intent["id"]})
    set_gate(api, "set_status", portfolio_id=portfolio["id"])
    assert code(complete(ada, intent)) == (403, "permit_required")
    assert complete(ada, other).status_code == 200


def test_abandoning_with_cascade_does_not_pass_a_childs_gate(ada, api, make_intent):
    intent = make_intent()
    child = api.post(f"/intents/{intent['id']}/children", {"title": "A part"}).json()
    set_gate(api, "set_status", when={"status": "abandoned"}, intent_id=child["id"])
    body = {"status": "abandoned", "cascade": True}
    assert code(ada.post(f"/intents/{intent['id']}/status", body, version=1)) == (403, "permit_required")
    assert fresh(ada, child)["status"] == "draft"


def test_batch_does_not_pass_gates_of_what_it_makes(ada, api, intent):
    body = {"intents": [{"title": "A part"}], "portfolio": {"name": "Launch"}}
    gate = set_gate(api, "create_portfolio")
    assert code(ada.post("/intents/batch", body)) == (403, "permit_required")
    assert api.delete(f"/gates/{gate['id']}").status_code == 204
    set_gate(api, "create_child_intent", intent_id=intent["id"])
    assert ada.post("/intents/batch", body).status_code == 201
    for path, made in (
        ("/intents/batch", {"intents": [{"title": "A part", "parent": intent["id"]}]}),
        ("/intents", {"title": "A part", "parent_intent_id": intent["id"]}),
        (f"/intents/{intent['id']}/children", {"title": "A part"}),
    ):
        assert code(ada.post(path, made)) == (403, "permit_required")


def test_permit_is_for_what_was_sent(ada, judy, api, intent, make_intent):
    set_gate(api, "set_status")
    permit = granted(ada, judy, intent, complete(ada, intent).json()["remedy"])
    body = {"status": "abandoned"}

    altered = ada.post(f"/intents/{intent['id']}/status", body, version=1, x_permit=permit)
    elsewhere = complete(ada, make_intent(), x_permit=permit)

    assert (code(altered), altered.json()["member"]) == ((403, "permit_mismatch"), "params.status")
    assert (code(elsewhere), elsewhere.json()["member"]) == ((403, "permit_mismatch"), "intent_id")
    other = ada.post(f"/intents/{intent['id']}/state", {"state": {"a": 1}}, version=1, x_permit=permit)
    assert (code(other), other.json()["member"]) == ((403, "permit_mismatch"), "verb")
    assert code(ada.post(f"/intents/{intent['id']}/arbitrate", {"reason": "?"}, x_permit=permit)) == (400, "invalid")
    assert code(complete(ada, intent, x_permit="nonsense")) == (400, "invalid")
    assert complete(ada, intent, x_permit=permit).status_code == 200


def test_permit_serves_without_a_gate(ada, judy, intent):
    action = {"verb": "set_status", "target": intent["id"], "params": {"status": "completed"}}
    permit = get_permit(ada, judy, intent, action)
    assert complete(ada, intent, x_permit=permit["id"]).status_code == 200
    assert permits(ada, intent)[0]["status"] == "spent"


@pytest.mark.rule("A-13")
def test_gate_asks_for_its_quorum_whatever_the_request_says(ada, arbiter, api, intent):
    set_gate(api, "payments.refund", quorum=2, permit_seconds=60)
    judy, carl = arbiter("judy"), arbiter("carl")
    asked = ask(ada, intent, quorum=1, permit_seconds=3600)
    assert (asked["quorum"], asked["permit_seconds"]) == (2, 60)
    assert approve(judy, asked).status_code == 202
    assert approve(carl, asked).status_code == 201


@pytest.mark.rule("A-13")
def test_permit_from_before_a_gate_does_not_pass_it(ada, judy, api, intent):
    action = {"verb": "set_status", "target": intent["id"], "params": {"status": "completed"}}
    permit = get_permit(ada, judy, intent, action)
    set_gate(api, "set_status", quorum=2)
    assert code(complete(ada, intent, x_permit=permit["id"])) == (403, "permit_required")


@pytest.mark.rule("A-13")
def test_only_named_deciders_grant(ada, judy, bound, api, intent):
    lead = bound("lead", "arbiter")
    set_gate(api, "payments.refund", deciders=["lead"])
    asked = ask(ada, intent)
    assert code(approve(judy, asked)) == (403, "forbidden")
    assert code(approve(api, asked)) == (403, "forbidden")
    assert approve(lead, asked).status_code == 201


def test_operator_needs_a_reason_and_the_event_keeps_it(api, intent):
    set_gate(api, "set_status")
    path, body = f"/intents/{intent['id']}/status", {"status": "completed"}
    assert code(api.post(path, body, version=1)) == (403, "permit_required")
    assert code(api.post(path, {**body, "reason": "  "}, version=1)) == (403, "permit_required")
    assert api.post(path, {**body, "reason": "Agreed by phone"}, version=1).status_code == 200
    [event] = api.get(f"/intents/{intent['id']}/events", event_type="status_changed").json()["events"]
    assert event["payload"]["gate"] == {"gate_ids": [str(Gate.objects.get().pk)], "reason": "Agreed by phone"}


def test_arbiter_with_a_reason_does_not_pass(judy, api, intent):
    set_gate(api, "set_status")
    body = {"status": "completed", "reason": "I may"}
    assert code(judy.post(f"/intents/{intent['id']}/status", body, version=1)) == (403, "permit_required")


def test_only_operators_set_and_remove_gates(ada, judy, api):
    for caller in (ada, judy):
        assert code(caller.post("/gates", {"verb": "set_status"})) == (403, "forbidden")
    gate = set_gate(api, "set_status")
    for caller in (ada, judy):
        assert code(caller.delete(f"/gates/{gate['id']}")) == (403, "forbidden")
    assert [each["id"] for each in ada.get("/gates").json()["gates"]] == [gate["id"]]


def test_removed_gate_binds_no_more(ada, api, intent):
    gate = set_gate(api, "set_status", intent_id=intent["id"])
    assert code(complete(ada, intent)) == (403, "permit_required")
    assert api.delete(f"/gates/{gate['id']}").status_code == 204
    assert api.delete(f"/gates/{gate['id']}").status_code == 204
    assert complete(ada, intent).status_code == 200
    assert api.get("/gates").json()["gates"] == []
    assert [name for name, _ in log(api, intent)][-3:-1] == ["gate_set", "gate_removed"]


BAD = {
    "no verb": ({}, "verb"),
    "an empty verb": ({"verb": " "}, "verb"),
    "what permits are made with": ({"verb": "record_decision"}, "verb"),
    "a quorum of none": ({"verb": "set_status", "quorum": 0}, "quorum"),
    "an unknown status": ({"verb": "set_status", "when": {"status": "done"}}, "when.status"),
    "an unknown condition": ({"verb": "set_status", "when": {"reason": "x"}}, "when.reason"),
    "a condition of none": ({"verb": "update_state", "when": {"status": "active"}}, "when.status"),
    "an unknown intent": ({"verb": "set_status", "intent_id": "01a2294a-c1d6-76f4-9e8e-4a4b06e19bbc"}, "intent_id"),
    "an unknown portfolio": ({"verb": "set_status", "portfolio_id": "01a2294a-c1d6-76f4-9e8e-4a4b06e19bbc"}, "portfolio_id"),
    "an unknown person": ({"verb": "set_status", "deciders": ["user:nobody"]}, "deciders.0"),
    "an empty group": ({"verb": "set_status", "deciders": ["group:arbiter"]}, "deciders.0"),
    "an agent without a key": ({"verb": "set_status", "deciders": ["eve"]}, "deciders.0"),
    "a permit for too long": ({"verb": "set_status", "permit_seconds": 86_401}, "permit_seconds"),
}


@pytest.mark.parametrize(("body", "field"), BAD.values(), ids=BAD)
def test_bad_gate_is_refused(api, body, field):
    response = api.post("/gates", body)
    assert code(response) == (400, "invalid")
    assert response.json()["errors"][0]["field"] == field
    assert Gate.objects.count() == 0
