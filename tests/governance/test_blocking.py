"""Arbitrations that block their intent (rule A-2)."""

from datetime import timedelta

import pytest

import governance.services
from governance.models import Arbitration
from intents.log_verification import verify
from tests.conftest import fresh, log, set_status
from tests.governance.conftest import LATER, database_rows, decide, make_arbitration, make_overdue, post_arbitration

pytestmark = pytest.mark.rule("A-2")


def status(api, intent):
    return fresh(api, intent)["status"]


def changes(api, intent):
    events = api.get(f"/intents/{intent['id']}/events", event_type="status_changed").json()["events"]
    return [(each["payload"]["from"], each["payload"]["to"], each["payload"]["reason"], each["actor"]) for each in events]


def try_status(api, intent, wanted):
    return api.post(f"/intents/{intent['id']}/status", {"status": wanted}, version=fresh(api, intent)["version"])


@pytest.mark.parametrize("before", ["draft", "pending", "active"])
def test_decision_restores_the_status_before_the_block(api, ada, make_intent, before):
    intent = make_intent(status=before) if before != "draft" else make_intent()

    make_arbitration(ada, intent, blocking=True)

    assert status(api, intent) == "blocked"
    assert fresh(api, intent)["version"] == intent["version"] + 1
    assert log(api, intent)[-2:] == [("arbitration_requested", "ada"), ("status_changed", "ada")]

    assert decide(api, intent).status_code == 201

    assert status(api, intent) == before
    assert fresh(api, intent)["version"] == intent["version"] + 2
    assert log(api, intent)[-2:] == [("decision_recorded", "dev-user"), ("status_changed", "system")]
    assert changes(api, intent)[-2:] == [
        (before, "blocked", "arbitration_requested", "ada"),
        ("blocked", before, "decision_recorded", "system"),
    ]
    assert list(verify()) == []


def test_withdrawal_restores_the_status_before_the_block(api, ada, make_intent):
    intent = make_intent(status="active")
    arbitration = make_arbitration(ada, intent, blocking=True)

    ada.post(f"/arbitrations/{arbitration['id']}/withdraw", {})

    assert status(api, intent) == "active"
    assert changes(api, intent)[-1] == ("blocked", "active", "arbitration_withdrawn", "system")


@pytest.fixture
def unanswered(ada, make_intent):
    """`unanswered(status="active")`: an intent whose blocking arbitration has expired."""

    def make(**fields):
        intent = make_intent(**fields)
        arbitration = make_arbitration(ada, intent, blocking=True, expires_at=LATER)
        make_overdue(Arbitration, arbitration)
        assert governance.services.expire_arbitration(Arbitration.objects.get(pk=arbitration["id"]).pk)
        return intent

    return make


@pytest.mark.rule("A-5")
@pytest.mark.case("coordination P3")
@pytest.mark.parametrize("before", ["pending", "active"])
def test_expiry_keeps_the_intent_blocked(api, unanswered, before):
    intent = unanswered(status=before)

    assert status(api, intent) == "blocked"
    assert log(api, intent)[-1] == ("arbitration_expired", "system")
    assert changes(api, intent)[-1] == (before, "blocked", "arbitration_requested", "ada")

    assert try_status(api, intent, before).status_code == 200
    assert status(api, intent) == before
    assert list(verify()) == []


@pytest.mark.rule("A-5")
@pytest.mark.case("coordination P3")
def test_completed_dependencies_do_not_unblock_after_expiry(api, make_intent, unanswered):
    dependency = make_intent()
    intent = unanswered(depends_on=[dependency["id"]])

    set_status(api, dependency, "completed")

    assert status(api, intent) == "blocked"


@pytest.mark.rule("A-5")
@pytest.mark.case("coordination P3")
def test_removed_dependency_does_not_unblock_after_expiry(api, make_intent, unanswered):
    dependency = make_intent()
    intent = unanswered(depends_on=[dependency["id"]])

    path = f"/intents/{intent['id']}/dependencies/{dependency['id']}"
    assert api.delete(path, version=fresh(api, intent)["version"]).status_code == 204

    assert status(api, intent) == "blocked"


@pytest.mark.rule("A-5")
@pytest.mark.case("coordination P3")
def test_completed_dependencies_do_not_unblock_before_expiry_is_marked(api, ada, make_intent):
    dependency = make_intent()
    intent = make_intent(depends_on=[dependency["id"]])
    make_overdue(Arbitration, make_arbitration(ada, intent, blocking=True, expires_at=LATER))

    set_status(api, dependency, "completed")

    assert status(api, intent) == "blocked"


@pytest.mark.rule("A-5")
def test_decision_on_a_new_request_ends_the_hold(api, ada, unanswered):
    intent = unanswered(status="active")

    again = make_arbitration(ada, intent, blocking=True)
    assert decide(api, intent, arbitration_id=again["id"]).status_code == 201

    assert status(api, intent) == "active"
    assert list(verify()) == []


@pytest.mark.rule("A-5")
def test_withdrawal_of_a_new_request_does_not_end_the_hold(api, ada, unanswered):
    intent = unanswered(status="active")

    again = make_arbitration(ada, intent, blocking=True)
    assert ada.post(f"/arbitrations/{again['id']}/withdraw", {}).status_code == 200

    assert status(api, intent) == "blocked"


@pytest.mark.rule("A-5")
def test_decision_on_an_older_request_does_not_end_the_hold(api, ada, make_intent):
    intent = make_intent(status="active")
    first, second = make_arbitration(ada, intent, blocking=True, expires_at=LATER), make_arbitration(ada, intent, blocking=True)
    past = Arbitration.objects.get(pk=second["id"]).created_at
    Arbitration.objects.filter(pk=first["id"]).update(
        created_at=past - timedelta(hours=1), expires_at=past + timedelta.resolution
    )
    assert governance.services.expire_arbitration(Arbitration.objects.get(pk=first["id"]).pk)

    decide(api, intent, arbitration_id=second["id"])

    assert status(api, intent) == "blocked"


@pytest.mark.rule("A-5")
def test_decision_ends_the_hold_and_open_dependencies_still_block(api, ada, make_intent, unanswered):
    dependency = make_intent()
    intent = unanswered(depends_on=[dependency["id"]])

    again = make_arbitration(ada, intent, blocking=True)
    decide(api, intent, arbitration_id=again["id"])
    assert status(api, intent) == "blocked"

    set_status(api, dependency, "completed")
    assert status(api, intent) == "pending"


def test_non_blocking_request_keeps_the_status(api, ada, intent):
    make_arbitration(ada, intent)
    decide(api, intent)

    assert fresh(api, intent)["version"] == intent["version"]
    assert changes(api, intent) == []


def test_last_of_several_decisions_restores_the_status(api, ada, make_intent):
    intent = make_intent(status="active")
    first, second = make_arbitration(ada, intent, blocking=True), make_arbitration(ada, intent, blocking=True)
    assert fresh(api, intent)["version"] == intent["version"] + 1

    decide(api, intent, arbitration_id=first["id"])
    assert status(api, intent) == "blocked"

    decide(api, intent, arbitration_id=second["id"])
    assert status(api, intent) == "active"


@pytest.mark.parametrize("wanted", ["pending", "active"])
def test_pending_request_prevents_manual_unblocking(api, ada, intent, wanted):
    arbitration = make_arbitration(ada, intent, blocking=True)
    before = database_rows()

    refused = try_status(api, intent, wanted)

    assert (refused.status_code, refused.json()["code"]) == (409, "completion_gate")
    assert refused.json()["waiting_for"] == [arbitration["id"]]
    assert database_rows() == before


def test_intent_can_be_abandoned_while_a_request_is_pending(api, ada, intent):
    make_arbitration(ada, intent, blocking=True)

    set_status(api, intent, "abandoned")

    assert status(api, intent) == "abandoned"
    assert Arbitration.objects.get().status == "withdrawn"


def test_completed_dependencies_do_not_unblock_a_pending_request(api, ada, make_intent):
    dependency = make_intent()
    intent = make_intent(depends_on=[dependency["id"]])
    make_arbitration(ada, intent, blocking=True)

    set_status(api, dependency, "completed")
    assert status(api, intent) == "blocked"

    decide(api, intent)
    assert status(api, intent) == "pending"


def test_removed_dependency_does_not_unblock_a_pending_request(api, ada, make_intent):
    dependency = make_intent()
    intent = make_intent(depends_on=[dependency["id"]])
    make_arbitration(ada, intent, blocking=True)

    path = f"/intents/{intent['id']}/dependencies/{dependency['id']}"
    assert api.delete(path, version=fresh(api, intent)["version"]).status_code == 204
    assert status(api, intent) == "blocked"

    decide(api, intent)
    assert status(api, intent) == "pending"


def test_open_dependencies_block_after_the_decision(api, ada, make_intent):
    dependency, intent = make_intent(), make_intent(status="active")
    make_arbitration(ada, intent, blocking=True)
    path = f"/intents/{intent['id']}/dependencies"
    api.post(path, {"depends_on": dependency["id"]}, version=fresh(api, intent)["version"])

    decide(api, intent)
    assert status(api, intent) == "blocked"

    set_status(api, dependency, "completed")
    assert status(api, intent) == "pending"


def test_decision_keeps_a_manual_block(api, ada, make_intent):
    intent = make_intent(status="blocked")
    make_arbitration(ada, intent, blocking=True)

    decide(api, intent)

    assert status(api, intent) == "blocked"


@pytest.mark.rule("I-9")
def test_decision_keeps_a_manual_block_made_meanwhile(api, ada, make_intent):
    intent = make_intent(status="active")
    make_arbitration(ada, intent, blocking=True)
    set_status(api, intent, "blocked", reason="Wait for me")

    decide(api, intent)

    assert status(api, intent) == "blocked"
    assert changes(api, intent)[-1] == ("blocked", "blocked", "Wait for me", "dev-user")


def test_decision_keeps_a_status_set_after_expiry(api, ada, make_intent):
    intent = make_intent(status="active")
    arbitration = make_arbitration(ada, intent, blocking=True, expires_at=LATER)
    make_overdue(Arbitration, arbitration)
    set_status(api, intent, "pending")
    set_status(api, intent, "blocked")

    assert governance.services.expire_arbitration(Arbitration.objects.get().pk)

    assert status(api, intent) == "blocked"
    assert Arbitration.objects.get().status == "expired"


def test_new_request_first_expires_an_overdue_one(api, ada, make_intent):
    intent = make_intent(status="active")
    first = make_arbitration(ada, intent, blocking=True, expires_at=LATER)
    make_overdue(Arbitration, first)

    second = make_arbitration(ada, intent, blocking=True)

    assert api.get(f"/arbitrations/{first['id']}").json()["status"] == "expired"
    assert status(api, intent) == "blocked"
    decide(api, intent, arbitration_id=second["id"])
    assert status(api, intent) == "active"
    assert list(verify()) == []


def test_refused_decision_keeps_the_intent_blocked(api, ada, intent):
    make_arbitration(ada, intent, blocking=True, options=["a", "b"])
    before = database_rows()

    assert decide(api, intent, "c").status_code == 400
    assert post_arbitration(ada, intent, blocking="yes").status_code == 400

    assert database_rows() == before
