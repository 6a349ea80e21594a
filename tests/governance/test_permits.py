"""Permits: made by a decision that grants, spent once on exactly the act that was approved (rules A-8 to A-11, A-14 to A-16)."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest

from access.services import create_key
from core.db import database_now
from governance import services
from governance.models import Permit
from intents.models import Event
from tests.conftest import Caller, fresh, log, set_status
from tests.governance.conftest import database_rows, make_arbitration, make_overdue
from tests.governance.permits import REFUND, approve, ask, code, get_permit, outcome, permits, spend


def events(caller: Caller, intent: dict[str, Any], event_type: str) -> list[dict[str, Any]]:
    found = caller.get(f"/intents/{intent['id']}/events", event_type=event_type).json()["events"]
    return [event["payload"] for event in found]


def rows() -> list[Any]:
    return [*database_rows(), list(Permit.objects.order_by("pk").values())]


def refused(response: Any, before: list[Any]) -> tuple[int, str]:
    """Check that nothing was written, and return the refusal."""
    assert rows() == before
    return code(response)


# --- granting --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("A-8")
def test_granting_decision_makes_one_permit_with_its_event(ada, judy, intent, api):
    asked = ask(ada, intent)

    decision = approve(judy, asked).json()

    [permit] = permits(ada, intent)
    assert permit == {
        "id": permit["id"],
        "arbitration_id": asked["id"],
        "decision_id": decision["id"],
        "intent_id": intent["id"],
        "agent_id": "ada",
        "verb": "payments.refund",
        "target": "order-1042",
        "action_sha256": asked["action_sha256"],
        "intent_version": 1,
        "status": "live",
        "expires_at": permit["expires_at"],
        "spent_at": None,
        "outcome": None,
        "outcome_note": None,
        "created_at": decision["created_at"],
    }
    assert ada.get(f"/permits/{permit['id']}").json() == permit
    assert log(api, intent)[-2:] == [("decision_recorded", "judy"), ("permit_granted", "judy")]
    [granted] = events(api, intent, "permit_granted")
    assert granted["permit_id"] == permit["id"]
    assert granted["action_sha256"] == asked["action_sha256"]


@pytest.mark.rule("A-8")
def test_digest_is_that_of_the_canonical_action(ada, intent):
    action = {"verb": "v", "target": "t", "params": {"b": 1.0, "a": "é"}}
    canonical = '{"effect_key":null,"params":{"a":"é","b":1},"target":"t","verb":"v"}'

    assert ask(ada, intent, action)["action_sha256"] == hashlib.sha256(canonical.encode()).hexdigest()


@pytest.mark.rule("A-8")
@pytest.mark.parametrize("decision", ["reject", "Approve", "approve ", "approved"])
def test_any_other_label_makes_no_permit(ada, judy, intent, decision):
    assert approve(judy, ask(ada, intent), decision).status_code == 201
    assert permits(ada, intent) == []


@pytest.mark.rule("A-8")
def test_labels_that_grant_are_named_in_the_request(ada, judy, intent):
    asked = ask(ada, intent, options=["yes", "no"], grants=["yes"])
    assert asked["grants"] == ["yes"]
    assert approve(judy, asked, "yes").status_code == 201
    assert [permit["status"] for permit in permits(ada, intent)] == ["live"]


@pytest.mark.rule("A-8")
def test_arbitration_without_action_makes_no_permit(ada, judy, intent):
    assert approve(judy, make_arbitration(ada, intent)).status_code == 201
    assert permits(ada, intent) == []


# --- spending --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("A-9")
def test_permit_is_spent_once(ada, judy, intent, api):
    permit = get_permit(ada, judy, intent)

    spent = spend(ada, permit)

    assert (spent.status_code, spent.json()["status"]) == (200, "spent")
    assert spent.json()["spent_at"]
    assert log(api, intent)[-1] == ("permit_spent", "ada")
    before = rows()
    assert refused(spend(ada, permit), before) == (409, "permit_spent")


@pytest.mark.rule("A-9")
def test_lost_answer_is_repeated_under_its_idempotency_key(ada, judy, intent):
    permit = get_permit(ada, judy, intent)
    first = spend(ada, permit, idempotency_key="refund-1")
    again = spend(ada, permit, idempotency_key="refund-1")
    assert again.json() == first.json()
    assert again["Idempotency-Replayed"] == "true"


ALTERED = {
    "verb": ({"verb": "payments.charge"}, "verb"),
    "target": ({"target": "order-1043"}, "target"),
    "a value": ({"params": {**REFUND["params"], "amount": 1200}}, "params.amount"),
    "a value of another type": ({"params": {**REFUND["params"], "amount": "120"}}, "params.amount"),
    "one more": ({"params": {**REFUND["params"], "to": "me"}}, "params.to"),
    "one less": ({"params": {"amount": 120, "currency": "EUR"}}, "params.lines"),
    "a value within": ({"params": {**REFUND["params"], "lines": [{"id": 2}]}}, "params.lines.0.id"),
    "a longer list": ({"params": {**REFUND["params"], "lines": [{"id": 1}, {"id": 2}]}}, "params.lines.1"),
    "key": ({"effect_key": "refund"}, "effect_key"),
}


@pytest.mark.rule("A-10")
@pytest.mark.parametrize(("change", "member"), ALTERED.values(), ids=ALTERED)
def test_altered_act_is_refused_and_the_permit_stays_live(ada, judy, intent, change, member):
    permit = get_permit(ada, judy, intent)
    before = rows()

    response = spend(ada, permit, {**REFUND, **change})

    assert refused(response, before) == (403, "permit_mismatch")
    assert response.json()["member"] == member
    assert spend(ada, permit).status_code == 200


@pytest.mark.rule("A-10")
def test_equal_parameters_in_another_spelling_are_the_same(ada, judy, intent):
    permit = get_permit(ada, judy, intent)
    params = {"lines": [{"id": 1.0}], "currency": "EUR", "amount": 1.2e2}
    assert spend(ada, permit, {"verb": REFUND["verb"], "target": REFUND["target"], "params": params}).status_code == 200


# --- what it is bound to -----------------------------------------------------------------------------------------------


def patch(caller: Caller, intent: dict[str, Any], **state: Any) -> None:
    version = fresh(caller, intent)["version"]
    assert caller.post(f"/intents/{intent['id']}/state", {"state": state}, version=version).status_code == 200


@pytest.mark.rule("A-11")
def test_changed_version_stops_the_grant_unless_it_was_seen(ada, judy, intent):
    asked = ask(ada, intent, bind_version=True)
    patch(ada, intent, a=1)
    before = rows()

    response = approve(judy, asked)

    assert refused(response, before) == (409, "arbitration_stale")
    assert response.json()["changed"] == ["version"]
    assert code(approve(judy, asked, rebind=True)) == (400, "invalid")
    assert code(approve(judy, asked, rebind=True, seen_version=1)) == (409, "version_conflict")
    assert approve(judy, asked, rebind=True, seen_version=2).status_code == 201
    [permit] = permits(ada, intent)
    assert permit["intent_version"] == 2
    assert spend(ada, permit).status_code == 200


@pytest.mark.rule("A-11")
def test_refusal_needs_no_current_version(ada, judy, intent):
    asked = ask(ada, intent, bind_version=True)
    patch(ada, intent, a=1)
    assert approve(judy, asked, "no").status_code == 201


@pytest.mark.rule("A-11")
def test_changed_version_stops_the_spending(ada, judy, intent):
    permit = get_permit(ada, judy, intent, bind_version=True)
    patch(ada, intent, a=1)
    before = rows()

    response = spend(ada, permit)

    assert refused(response, before) == (409, "permit_stale")
    assert response.json()["changed"] == ["version"]
    assert ada.get(f"/permits/{permit['id']}").json()["status"] == "stale"
    assert code(spend(ada, permit)) == (409, "permit_stale")


@pytest.mark.rule("A-11")
@pytest.mark.parametrize("bound", ["/order/amount", "/order", "/order/lines/0"])
def test_changed_value_under_a_bound_path_stops_both(ada, judy, intent, bound):
    patch(ada, intent, order={"amount": 120, "lines": ["a"]}, other=1)
    asked = ask(ada, intent, bind_paths=[bound])
    permit = get_permit(ada, judy, intent, bind_paths=[bound])
    patch(ada, intent, other=2)
    assert spend(ada, get_permit(ada, judy, intent, bind_paths=[bound])).status_code == 200
    patch(ada, intent, order={"amount": 121, "lines": ["b"]})

    assert code(approve(judy, asked)) == (409, "arbitration_stale")
    assert approve(judy, asked).json()["changed"] == [bound]
    assert code(spend(ada, permit)) == (409, "permit_stale")


@pytest.mark.rule("A-11")
def test_writes_of_request_and_decision_do_not_count(ada, judy, make_intent):
    intent = make_intent(status="active")
    permit = get_permit(ada, judy, intent, blocking=True, bind_version=True)
    assert fresh(ada, intent)["version"] == permit["intent_version"] == 4
    assert spend(ada, permit).status_code == 200


@pytest.mark.rule("A-11")
def test_operations_of_the_api_are_bound_to_the_version_by_default(ada, intent):
    assert ask(ada, intent)["bind_version"] is False
    action = {"verb": "set_status", "target": intent["id"], "params": {"status": "active"}}
    assert ask(ada, intent, action)["bind_version"] is True


# --- who, and until when -----------------------------------------------------------------------------------------------


@pytest.mark.rule("A-14")
def test_only_the_agent_that_asked_spends(ada, judy, agent, bob, api, intent):
    permit = get_permit(ada, judy, intent)
    _, other = create_key(name="other", role="agent", created_by="test")
    before = rows()
    for caller in (agent("eve"), bob, judy, api, Caller(other, "ada")):
        assert refused(spend(caller, permit), before) == (403, "forbidden")
    assert spend(ada, permit).status_code == 200


@pytest.mark.rule("A-14")
def test_holder_of_a_lease_sends_its_token(ada, judy, intent):
    permit = get_permit(ada, judy, intent)
    lease = ada.post(f"/intents/{intent['id']}/leases", {"scope": "refunds"}).json()
    assert code(spend(ada, permit)) == (400, "invalid")
    assert code(spend(ada, permit, x_fencing_token=str(lease["fencing_token"] + 1))) == (409, "lease_lost")
    assert spend(ada, permit, x_fencing_token=str(lease["fencing_token"])).status_code == 200


@pytest.mark.rule("A-14")
def test_expired_permit_is_not_spent_and_is_marked(ada, judy, intent, api):
    permit = get_permit(ada, judy, intent)
    make_overdue(Permit, permit)
    before = rows()
    assert refused(spend(ada, permit), before) == (409, "permit_expired")

    assert services.due_permits(10) == [Permit.objects.get().pk]
    assert services.end_permit(Permit.objects.get().pk) is True
    assert services.end_permit(Permit.objects.get().pk) is False
    assert [each["status"] for each in permits(ada, intent, status="expired")] == ["expired"]
    assert log(api, intent)[-1] == ("permit_expired", "system")
    assert code(spend(ada, permit)) == (409, "permit_expired")


@pytest.mark.rule("A-14")
def test_permit_lasts_as_long_as_was_asked(ada, judy, intent):
    get_permit(ada, judy, intent, permit_seconds=60)
    permit = Permit.objects.get()
    assert permit.expires_at - permit.created_at == timedelta(seconds=60)
    assert permit.expires_at > database_now()


@pytest.mark.rule("A-14")
def test_revoked_permit_is_not_spent(ada, judy, agent, bob, intent, api):
    permit = get_permit(ada, judy, intent)
    assert code(bob.post(f"/permits/{permit['id']}/revoke", {})) == (403, "forbidden")

    revoked = judy.post(f"/permits/{permit['id']}/revoke", {"reason": "Cancelled"})

    assert (revoked.status_code, revoked.json()["status"]) == (200, "revoked")
    assert log(api, intent)[-1] == ("permit_revoked", "judy")
    assert judy.post(f"/permits/{permit['id']}/revoke", {}).json() == revoked.json()
    assert code(spend(ada, permit)) == (409, "permit_revoked")


@pytest.mark.rule("A-14")
def test_spent_permit_is_not_revoked(ada, judy, intent):
    permit = get_permit(ada, judy, intent)
    spend(ada, permit)
    assert code(judy.post(f"/permits/{permit['id']}/revoke", {})) == (409, "permit_spent")


@pytest.mark.rule("A-14")
def test_permit_of_a_closed_intent_is_not_spent(ada, judy, intent, api):
    permit = get_permit(ada, judy, intent)
    set_status(api, intent, "abandoned")
    assert code(spend(ada, permit)) == (409, "intent_closed")


# --- outcomes ----------------------------------------------------------------------------------------------------------


@pytest.mark.rule("A-15")
def test_outcome_is_recorded_once(ada, judy, agent, intent, api):
    permit = get_permit(ada, judy, intent)
    assert code(outcome(ada, permit, "succeeded")) == (409, "permit_not_spent")
    spend(ada, permit)
    assert code(outcome(agent("eve"), permit, "succeeded")) == (403, "forbidden")

    recorded = outcome(ada, permit, "succeeded", note="re_1")

    assert recorded.json()["outcome"] == "succeeded"
    assert recorded.json()["outcome_note"] == "re_1"
    assert log(api, intent)[-1] == ("outcome_recorded", "ada")
    before = rows()
    assert outcome(ada, permit, "succeeded", note="re_1").status_code == 200
    assert refused(outcome(ada, permit, "failed"), before) == (409, "outcome_recorded")


@pytest.mark.rule("A-15")
def test_unknown_outcome_is_settled_later(ada, judy, intent):
    permit = get_permit(ada, judy, intent)
    spend(ada, permit)
    assert outcome(ada, permit, "unknown").status_code == 200
    assert outcome(judy, permit, "failed", note="Never arrived").json()["outcome"] == "failed"
    assert code(outcome(ada, permit, "succeeded")) == (409, "outcome_recorded")


@pytest.mark.rule("A-15")
def test_missing_outcome_becomes_unknown_and_never_failed(ada, judy, intent, api):
    permit = get_permit(ada, judy, intent)
    spend(ada, permit)
    make_overdue(Permit, permit)
    assert ada.get(f"/permits/{permit['id']}").json()["outcome"] == "unknown"
    assert log(api, intent)[-1] == ("outcome_recorded", "system")
    assert outcome(ada, permit, "succeeded").json()["outcome"] == "succeeded"


# --- effect keys ---------------------------------------------------------------------------------------------------------

ONCE = {**REFUND, "effect_key": "refund:order-1042"}


@pytest.fixture
def elsewhere(make_intent: Any) -> dict[str, Any]:
    return make_intent()  # type: ignore[no-any-return]


@pytest.mark.rule("A-16")
@pytest.mark.parametrize("end", ["live", "spent", "succeeded", "unknown"])
def test_effect_is_taken_by_a_permit_that_may_have_done_it(ada, judy, bob, intent, elsewhere, end):
    asked_before = ask(bob, elsewhere, ONCE)
    permit = get_permit(ada, judy, intent, ONCE)
    if end != "live":
        spend(ada, permit, ONCE)
    if end in ("succeeded", "unknown"):
        outcome(ada, permit, end)
    before = rows()

    asking = bob.post(f"/intents/{elsewhere['id']}/arbitrate", {"reason": "Again", "action": ONCE})
    granting = approve(judy, asked_before)

    assert refused(asking, before) == refused(granting, before) == (409, "effect_taken")
    assert asking.json()["permit_id"] == granting.json()["permit_id"] == permit["id"]


@pytest.mark.rule("A-16")
@pytest.mark.parametrize("end", ["failed", "revoked", "expired", "stale"])
@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_effect_is_free_once_it_did_not_happen(ada, judy, bob, intent, elsewhere, end, where):
    permit = get_permit(ada, judy, intent, ONCE, bind_version=True)
    if end == "failed":
        spend(ada, permit, ONCE)
        outcome(ada, permit, "failed")
    elif end == "revoked":
        ada.post(f"/permits/{permit['id']}/revoke", {})
    elif end == "expired":
        make_overdue(Permit, permit)
    else:
        patch(ada, intent, a=1)
    asking_on = intent if where == "here" else elsewhere

    again = get_permit(bob, judy, asking_on, ONCE)

    assert spend(bob, again, ONCE).status_code == 200
    sequences = [*Event.objects.filter(intent=intent["id"]).order_by("sequence").values_list("sequence", flat=True)]
    assert sequences == [*range(1, len(sequences) + 1)]


@pytest.mark.rule("A-16")
def test_the_database_itself_refuses_a_second_holder(ada, judy, bob, intent, elsewhere, monkeypatch):
    monkeypatch.setattr("governance.services.votes.require_effect_free", lambda *_: None)
    asked = ask(bob, elsewhere, ONCE)
    get_permit(ada, judy, intent, ONCE)
    assert code(approve(judy, asked)) == (409, "effect_taken")
