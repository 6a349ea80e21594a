"""Bad input of requests for acts, decisions on them and permits: refused, with the field, and nothing is written."""

from typing import Any

import pytest

from tests.governance.conftest import database_rows, make_arbitration
from tests.governance.permits import REFUND, approve, ask, code, get_permit

pytestmark = pytest.mark.rule("A-10")

SOME = "01a2294a-c1d6-76f4-9e8e-4a4b06e19bbc"

REQUESTS: dict[str, tuple[dict[str, Any], str]] = {
    "no verb": ({"action": {"target": "a"}}, "action.verb"),
    "a blank verb": ({"action": {"verb": " ", "target": "a"}}, "action.verb"),
    "a long verb": ({"action": {"verb": "v" * 101, "target": "a"}}, "action.verb"),
    "no target": ({"action": {"verb": "a"}}, "action.target"),
    "a number as target": ({"action": {"verb": "a", "target": 5}}, "action.target"),
    "parameters that are a list": ({"action": {"verb": "a", "target": "b", "params": []}}, "action.params"),
    "an empty effect key": ({"action": {"verb": "a", "target": "b", "effect_key": ""}}, "action.effect_key"),
    "an unknown member": ({"action": {"verb": "a", "target": "b", "parameters": {}}}, "action.parameters"),
    "text as action": ({"action": "deploy"}, "action"),
    "a path that is no pointer": ({"action": REFUND, "bind_paths": ["amount"]}, "bind_paths.0"),
    "a pointer with a wrong escape": ({"action": REFUND, "bind_paths": ["/a", "/a~2"]}, "bind_paths.1"),
    "an empty pointer": ({"action": REFUND, "bind_paths": [""]}, "bind_paths.0"),
    "101 pointers": ({"action": REFUND, "bind_paths": ["/a"] * 101}, "bind_paths"),
    "no seconds": ({"action": REFUND, "permit_seconds": 0}, "permit_seconds"),
    "more than a day": ({"action": REFUND, "permit_seconds": 86_401}, "permit_seconds"),
    "seconds as text": ({"action": REFUND, "permit_seconds": "900"}, "permit_seconds"),
    "half a second": ({"action": REFUND, "permit_seconds": 0.5}, "permit_seconds"),
    "a quorum of none": ({"action": REFUND, "quorum": 0}, "quorum"),
    "a quorum of too many": ({"action": REFUND, "quorum": 101}, "quorum"),
    "nothing that grants": ({"action": REFUND, "grants": []}, "grants"),
    "a blank label that grants": ({"action": REFUND, "grants": [" "]}, "grants.0"),
    "a label that is no option": ({"action": REFUND, "options": ["yes", "no"]}, "grants"),
    "seconds without an action": ({"permit_seconds": 60}, "permit_seconds"),
    "a binding without an action": ({"bind_version": True}, "bind_version"),
    "grants without anything to grant": ({"grants": ["yes"]}, "grants"),
}


@pytest.mark.parametrize(("fields", "field"), REQUESTS.values(), ids=REQUESTS)
def test_bad_request_for_an_act_is_refused(ada, intent, fields, field):
    before = database_rows()

    response = ada.post(f"/intents/{intent['id']}/arbitrate", {"reason": "May I?", **fields})

    assert code(response) == (400, "invalid")
    assert response.json()["errors"][0]["field"] == field
    assert database_rows() == before


@pytest.mark.parametrize("params", [b'{"a": NaN}', b'{"a": 9007199254740993}', b'{"a": 1e999}', b'{"a": "\\u0000"}'])
def test_parameters_that_no_canonical_form_has_are_refused(ada, judy, intent, params):
    permit = get_permit(ada, judy, intent)
    action = b'{"verb": "a", "target": "b", "params": ' + params + b"}"
    before = database_rows()

    asking = ada.post(f"/intents/{intent['id']}/arbitrate", b'{"reason": "?", "action": ' + action + b"}")
    spending = ada.post(f"/permits/{permit['id']}/spend", b'{"action": ' + action + b"}")

    assert code(asking) == code(spending) == (400, "invalid")
    assert database_rows() == before


def test_action_above_its_limit_is_refused(ada, judy, intent):
    large = {**REFUND, "params": {"a": "x" * 2**16}}
    permit = get_permit(ada, judy, intent)
    before = database_rows()
    asking = ada.post(f"/intents/{intent['id']}/arbitrate", {"reason": "?", "action": large})
    spending = ada.post(f"/permits/{permit['id']}/spend", {"action": large})
    assert database_rows() == before
    assert code(asking) == code(spending) == (413, "too_large")
    assert asking.json()["limit"] == 2**16


def test_request_that_is_too_large_for_a_permit_has_no_remedy(ada, api, intent):
    assert api.post("/gates", {"verb": "update_state"}).status_code == 201
    response = ada.post(f"/intents/{intent['id']}/state", {"state": {"a": "x" * 2**16}}, version=1)
    assert (code(response), response.json()["remedy"]) == ((403, "permit_required"), None)


@pytest.mark.parametrize("body", [{}, {"action": None}, {"action": {}}, {"action": REFUND, "permit_id": SOME}])
def test_bad_spending_is_refused(ada, judy, intent, body):
    permit = get_permit(ada, judy, intent)
    assert code(ada.post(f"/permits/{permit['id']}/spend", body)) == (400, "invalid")


@pytest.mark.parametrize("body", [{}, {"outcome": "done"}, {"outcome": None}, {"outcome": "failed", "note": "x" * 2_001}])
def test_bad_outcome_is_refused(ada, judy, intent, body):
    permit = get_permit(ada, judy, intent)
    assert code(ada.post(f"/permits/{permit['id']}/outcome", body)) == (400, "invalid")


@pytest.mark.parametrize("pk", [SOME, "nonsense"])
def test_unknown_permits_and_gates_are_not_found(ada, api, pk):
    for path in ("spend", "outcome", "revoke"):
        bodies = {"spend": {"action": REFUND}, "outcome": {"outcome": "failed"}, "revoke": {}}
        assert code(ada.post(f"/permits/{pk}/{path}", bodies[path])) == (404, "not_found")
    assert code(ada.get(f"/permits/{pk}")) == (404, "not_found")
    assert code(api.delete(f"/gates/{pk}")) == (404, "not_found")


def test_unknown_status_of_permits_is_refused(ada, intent):
    assert code(ada.get(f"/intents/{intent['id']}/permits", status="open")) == (400, "invalid")


@pytest.mark.rule("A-11")
@pytest.mark.parametrize("fields", [{"rebind": True}, {"rebind": "yes", "seen_version": 1}, {"seen_version": 0}])
def test_bad_rebinding_is_refused(ada, judy, intent, fields):
    assert code(approve(judy, ask(ada, intent), **fields)) == (400, "invalid")


@pytest.mark.rule("A-11")
def test_seen_version_is_checked_without_an_act_too(ada, judy, intent):
    assert code(approve(judy, make_arbitration(ada, intent), seen_version=7)) == (409, "version_conflict")
