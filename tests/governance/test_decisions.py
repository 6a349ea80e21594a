"""POST /intents/{id}/decisions (rules A-1, A-3, A-4)."""

import pytest
from django.db import IntegrityError, connection, transaction

from access.models import Role
from access.services import create_key
from governance import services, triggers
from governance.models import Arbitration, Decision
from tests.conftest import Caller, log, set_status
from tests.governance.conftest import LATER, database_rows, decide, make_arbitration, make_overdue, post_arbitration

pytestmark = pytest.mark.database("sqlite", "postgresql")


@pytest.mark.rule("A-1", "A-3")
def test_decision_resolves_the_only_pending_arbitration(api, ada, judy, intent):
    arbitration = make_arbitration(ada, intent, options=["a", "b"])
    evidence = [{"source": "report", "summary": "A costs half"}, {"source": "mail"}]

    response = decide(judy, intent, "a", rationale="cheaper", evidence=evidence, decision_type="budget")

    decision = response.json()
    assert response.status_code == 201
    assert {**decision, "id": "", "created_at": ""} == {
        "id": "",
        "intent_id": intent["id"],
        "arbitration_id": arbitration["id"],
        "decision": "a",
        "rationale": "cheaper",
        "decision_type": "budget",
        "evidence": [{"source": "report", "summary": "A costs half"}, {"source": "mail", "summary": None}],
        "answer": None,
        "decided_by": "judy",
        "created_at": "",
    }
    now = api.get(f"/arbitrations/{arbitration['id']}").json()
    assert (now["status"], now["decision"], now["resolved_at"]) == ("resolved", decision, decision["created_at"])
    assert api.get(f"/intents/{intent['id']}/decisions").json() == {"decisions": [decision], "next": None}
    assert log(api, intent)[-1] == ("decision_recorded", "judy")
    [event] = api.get(f"/intents/{intent['id']}/events", event_type="decision_recorded").json()["events"]
    told = ("arbitration_id", "decision", "answer", "rationale", "decision_type", "evidence")
    assert event["payload"] == {"decision_id": decision["id"], **{name: decision[name] for name in told}}


@pytest.mark.rule("A-3")
def test_decision_without_a_pending_arbitration_stands_alone(api, intent):
    response = decide(api, intent, "go on")

    assert response.status_code == 201
    assert (response.json()["arbitration_id"], response.json()["decision_type"]) == (None, "arbitration")
    assert log(api, intent)[-1] == ("decision_recorded", "dev-user")


def test_aliases_of_fields_are_accepted(api, intent):
    response = api.post(f"/intents/{intent['id']}/decisions", {"outcome": "go", "reasoning": "why not", "decided_by": "eve"})

    assert (response.json()["decision"], response.json()["rationale"], response.json()["decided_by"]) == ("go", "why not", "eve")


@pytest.mark.rule("A-3")
def test_arbitration_id_is_required_if_several_are_pending(api, ada, intent):
    first, second = make_arbitration(ada, intent), make_arbitration(ada, intent)
    before = database_rows()

    refused = decide(api, intent)

    assert (refused.status_code, refused.json()["code"]) == (400, "invalid")
    assert refused.json()["errors"][0]["field"] == "arbitration_id"
    assert database_rows() == before
    assert decide(api, intent, arbitration_id=second["id"]).json()["arbitration_id"] == second["id"]
    assert decide(api, intent).json()["arbitration_id"] == first["id"]


@pytest.mark.rule("A-3")
def test_decision_must_be_one_of_the_options(api, ada, intent):
    make_arbitration(ada, intent, options=["a", "b"])
    before = database_rows()

    refused = decide(api, intent, "c")

    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "decision")
    assert "a, b" in refused.json()["detail"]
    assert database_rows() == before


@pytest.mark.rule("A-3")
def test_second_decision_is_refused(api, ada, intent):
    arbitration = make_arbitration(ada, intent)
    decide(api, intent, "a")
    before = database_rows()

    refused = decide(api, intent, "b", arbitration_id=arbitration["id"])

    assert (refused.status_code, refused.json()["code"]) == (409, "arbitration_resolved")
    assert database_rows() == before


@pytest.mark.rule("A-3")
def test_database_allows_one_decision_per_arbitration(api, ada, intent):
    make_arbitration(ada, intent)
    decide(api, intent)
    decision = Decision.objects.get()

    with pytest.raises(IntegrityError), transaction.atomic():
        Decision.objects.create(
            intent_id=decision.intent_id,
            arbitration_id=decision.arbitration_id,
            decision="b",
            decision_type="x",
            decided_by="eve",
            created_at=decision.created_at,
        )


ENDINGS = {
    "decided": lambda api, ada, intent, asked_one: decide(api, intent, "yes", arbitration_id=asked_one["id"]),
    "withdrawn": lambda api, ada, intent, asked_one: ada.post(f"/arbitrations/{asked_one['id']}/withdraw", {}),
    "expired": lambda api, ada, intent, asked_one: make_overdue(Arbitration, asked_one),
    "marked expired": lambda api, ada, intent, asked_one: [
        make_overdue(Arbitration, asked_one),
        services.expire_arbitration(Arbitration.objects.get(pk=asked_one["id"]).pk),
    ],
    "completed": lambda api, ada, intent, asked_one: set_status(api, intent, "completed"),
    "abandoned": lambda api, ada, intent, asked_one: set_status(api, intent, "abandoned"),
}


@pytest.mark.rule("A-3")
@pytest.mark.case("coordination P1")
@pytest.mark.parametrize(
    ("ending", "blocking"),
    [(ending, blocking) for ending in ENDINGS for blocking in (False, True) if (ending, blocking) != ("completed", True)],
)
def test_late_decision_without_an_id_is_refused(api, ada, intent, ending, blocking):
    question = make_arbitration(ada, intent, options=["yes", "no"], blocking=blocking, expires_at=LATER)
    ENDINGS[ending](api, ada, intent, question)
    before = database_rows()

    refused = decide(api, intent, "no")

    assert (refused.status_code, refused.json()["code"]) == (409, "arbitration_resolved")
    assert refused.json()["arbitration_id"] == question["id"]
    assert database_rows() == before


@pytest.mark.rule("A-3")
@pytest.mark.case("coordination P1")
@pytest.mark.parametrize("ending", ENDINGS)
def test_decision_of_another_type_is_accepted_without_arbitration(api, ada, intent, ending):
    question = make_arbitration(ada, intent, options=["yes", "no"], expires_at=LATER)
    ENDINGS[ending](api, ada, intent, question)

    response = decide(api, intent, "go on", decision_type="review")

    assert (response.status_code, response.json()["arbitration_id"]) == (201, None)


@pytest.mark.rule("A-3")
@pytest.mark.case("coordination P1")
def test_decision_with_an_id_never_resolves_another_arbitration(api, ada, intent):
    first = make_arbitration(ada, intent, reason="Delete staging?", options=["yes", "no"])
    ada.post(f"/arbitrations/{first['id']}/withdraw", {})
    second = make_arbitration(ada, intent, reason="Delete PRODUCTION?", options=["yes", "no"])
    before = database_rows()

    refused = decide(api, intent, "yes", arbitration_id=first["id"])

    assert (refused.status_code, refused.json()["code"]) == (409, "arbitration_resolved")
    assert database_rows() == before
    assert api.get(f"/arbitrations/{second['id']}").json()["status"] == "pending"


@pytest.mark.rule("A-3")
@pytest.mark.parametrize("status", ["completed", "abandoned"])
def test_closed_intent_without_arbitrations_accepts_a_decision(api, make_intent, status):
    assert decide(api, make_intent(status=status), "as it should be").status_code == 201


# --- who decides ---------------------------------------------------------------------------------------------------


@pytest.mark.rule("A-4")
def test_operator_decides_its_own_request(api, intent):
    make_arbitration(api, intent)

    assert decide(api, intent).status_code == 201


@pytest.mark.rule("A-4")
def test_arbiter_does_not_decide_its_own_request(api, judy, arbiter, intent):
    make_arbitration(judy, intent)
    before = database_rows()

    refused = decide(judy, intent)

    assert (refused.status_code, refused.json()["code"]) == (403, "self_decision")
    assert database_rows() == before
    assert decide(arbiter("ruth"), intent).status_code == 201


@pytest.mark.rule("A-4")
@pytest.mark.case("security H5")
@pytest.mark.parametrize("alias", ["ruth", "user.alice", "bob"])
def test_arbiter_does_not_decide_its_own_request_under_another_agent_id(judy, intent, alias):
    make_arbitration(judy, intent)
    before = database_rows()
    judy.headers["X-Agent-ID"] = alias

    for refused in (decide(judy, intent), decide(judy, intent, decided_by=alias)):
        assert (refused.status_code, refused.json()["code"]) == (403, "self_decision")
    assert database_rows() == before


@pytest.mark.rule("A-4")
@pytest.mark.case("security H5")
def test_request_under_another_agent_id_belongs_to_its_principal(api, judy, arbiter, intent):
    post_arbitration(judy, intent, requested_by="someone")
    before = database_rows()

    refused = decide(judy, intent)

    assert (refused.status_code, refused.json()["code"]) == (403, "self_decision")
    assert database_rows() == before
    assert decide(arbiter("ruth"), intent).status_code == 201


@pytest.mark.rule("A-4")
def test_two_keys_bound_to_one_agent_are_the_same_requester(bound, intent):
    first, second = bound("ada", Role.ARBITER), bound("ada", Role.ARBITER)
    make_arbitration(first, intent)

    assert decide(second, intent).json()["code"] == "self_decision"


@pytest.mark.rule("A-4")
@pytest.mark.parametrize("with_arbitration", [True, False])
def test_agent_without_delegation_does_not_decide(ada, bob, intent, with_arbitration):
    if with_arbitration:
        make_arbitration(ada, intent)
    before = database_rows()

    refused = decide(bob, intent)

    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert database_rows() == before


def test_observer_neither_requests_nor_decides(ada, intent):
    make_arbitration(ada, intent)
    observer = Caller(create_key(name="eye", role=Role.OBSERVER, created_by="test")[1])
    before = database_rows()

    for path in (f"/intents/{intent['id']}/arbitrate", f"/intents/{intent['id']}/decisions", "/delegations"):
        assert observer.post(path, {}).json()["code"] == "forbidden"

    assert database_rows() == before
    assert observer.get("/arbitrations").status_code == 200


# --- for good ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found.update(decision="b"),
        lambda found: found.delete(),
        lambda found: found._raw_delete("default"),
        lambda found: found.get().delete(),
    ],
)
def test_database_refuses_to_change_a_decision(api, intent, change):
    decide(api, intent)
    connection.check_constraints()

    with pytest.raises(IntegrityError, match=triggers.REFUSAL), transaction.atomic():
        change(Decision.objects.all())

    assert Decision.objects.get().decision == "a"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_no_route_changes_a_decision(api, intent, method):
    decision = decide(api, intent).json()

    for path in (f"/intents/{intent['id']}/decisions", f"/intents/{intent['id']}/decisions/{decision['id']}"):
        assert api.send(method, path, {"decision": "b"}).status_code in (404, 405)

    assert Decision.objects.get().decision == "a"
