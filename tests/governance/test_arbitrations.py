"""POST /intents/{id}/arbitrate, withdrawal and expiry (RFC-0004)."""

import pytest

import governance.services
from governance.models import Arbitration
from jobs.worker import periodic_tasks, run_due_tasks
from tests.conftest import fresh, log, set_status
from tests.governance.conftest import LATER, database_rows, decide, make_arbitration, make_overdue, post_arbitration

CREATED = ("intent_created", "dev-user")


def payloads(api, intent, event_type):
    events = api.get(f"/intents/{intent['id']}/events", event_type=event_type).json()["events"]
    return [event["payload"] for event in events]


@pytest.mark.rule("A-1")
def test_request_is_a_row_with_a_status_and_an_event(api, ada, intent):
    options = [{"label": "a", "rationale": "cheap"}, "b"]
    response = post_arbitration(ada, intent, context={"cost": 5}, options=options, expires_at=LATER)

    arbitration = response.json()
    assert response.status_code == 201
    assert {**arbitration, "id": "", "created_at": ""} == {
        "id": "",
        "intent_id": intent["id"],
        "requester_id": "ada",
        "reason": "We disagree",
        "context": {"cost": 5},
        "options": [{"label": "a", "rationale": "cheap"}, {"label": "b", "rationale": None}],
        "blocking": False,
        "expires_at": "2999-01-01T00:00:00.000000Z",
        "status": "pending",
        "decision": None,
        "created_at": "",
        "resolved_at": None,
        "action": None,
        "action_sha256": None,
        "bind_version": False,
        "bind_paths": [],
        "intent_version": None,
        "grants": [],
        "permit_seconds": None,
        "quorum": None,
        "votes": [],
        "response_schema": None,
        "audience": [],
        "urgency": "normal",
        "remind_after_seconds": [],
        "escalation": [],
        "fallback": {"do": "expire", "decision": None, "answer": None},
        "told": [],
        "assignee": None,
        "information": [],
    }
    assert Arbitration.objects.get().status == "pending"
    assert api.get(f"/arbitrations/{arbitration['id']}").json() == arbitration
    assert log(api, intent) == [CREATED, ("arbitration_requested", "ada")]
    [payload] = payloads(api, intent, "arbitration_requested")
    told = ("requester_id", "reason", "context", "options", "blocking", "expires_at")
    assert payload == {"arbitration_id": arbitration["id"], **{name: arbitration[name] for name in told}}
    assert fresh(api, intent)["version"] == intent["version"]


def test_unbound_key_may_name_the_requester(api, intent):
    assert make_arbitration(api, intent, requested_by="eve")["requester_id"] == "eve"


def test_arbitrations_are_listed_by_intent_and_by_status(api, ada, make_intent):
    one, other = make_intent(), make_intent()
    first, second, third = make_arbitration(ada, one), make_arbitration(ada, one), make_arbitration(ada, other)
    decide(api, one, arbitration_id=first["id"])

    def ids(path, **query):
        return [each["id"] for each in api.get(path, **query).json()["arbitrations"]]

    assert ids(f"/intents/{one['id']}/arbitrations") == [first["id"], second["id"]]
    assert ids(f"/intents/{one['id']}/arbitrations", status="resolved") == [first["id"]]
    assert ids("/arbitrations", status="pending") == [second["id"], third["id"]]
    assert ids("/arbitrations", status="resolved,withdrawn") == [first["id"]]
    page = api.get("/arbitrations", limit=2).json()
    assert ids("/arbitrations", cursor=page["next"]) == [third["id"]]
    assert page["arbitrations"][0]["decision"]["decision"] == "a"


def test_requester_withdraws_and_repetition_changes_nothing(api, ada, intent):
    arbitration = make_arbitration(ada, intent)

    for _ in range(2):
        response = ada.post(f"/arbitrations/{arbitration['id']}/withdraw", {"reason": "settled"})
        assert response.status_code == 200
        assert response.json()["status"] == "withdrawn"
        assert response.json()["resolved_at"] is not None

    assert log(api, intent) == [CREATED, ("arbitration_requested", "ada"), ("arbitration_withdrawn", "ada")]
    assert payloads(api, intent, "arbitration_withdrawn") == [{"arbitration_id": arbitration["id"], "reason": "settled"}]


def test_only_arbiters_and_operators_withdraw_for_others(api, ada, bob, judy, intent):
    first, second = make_arbitration(ada, intent), make_arbitration(ada, intent)
    before = database_rows()

    refused = bob.post(f"/arbitrations/{first['id']}/withdraw", {})

    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert database_rows() == before
    bob.headers["X-Agent-ID"] = "ada"  # Another's name is no right.
    assert bob.post(f"/arbitrations/{first['id']}/withdraw", {}).status_code == 403
    assert database_rows() == before
    assert judy.post(f"/arbitrations/{first['id']}/withdraw", {}).status_code == 200
    assert api.post(f"/arbitrations/{second['id']}/withdraw", {}).status_code == 200


def test_decided_arbitration_cannot_be_withdrawn(api, ada, intent):
    arbitration = make_arbitration(ada, intent)
    decide(api, intent)
    before = database_rows()

    refused = ada.post(f"/arbitrations/{arbitration['id']}/withdraw", {})

    assert (refused.status_code, refused.json()["code"]) == (409, "arbitration_resolved")
    assert refused.json()["arbitration_status"] == "resolved"
    assert database_rows() == before


@pytest.mark.parametrize("status", ["completed", "abandoned"])
def test_final_intent_withdraws_pending_requests_and_accepts_none(api, ada, intent, status):
    arbitration = make_arbitration(ada, intent)

    set_status(api, intent, status)

    assert api.get(f"/arbitrations/{arbitration['id']}").json()["status"] == "withdrawn"
    assert log(api, intent)[-1] == ("arbitration_withdrawn", "system")
    before = database_rows()
    refused = post_arbitration(ada, intent)
    assert (refused.status_code, refused.json()["code"]) == (409, "intent_closed")
    assert database_rows() == before


def test_cascade_withdraws_pending_requests_of_descendants(api, ada, make_intent):
    parent = make_intent()
    child = make_intent(parent_intent_id=parent["id"])
    pending = [make_arbitration(ada, child, blocking=True), make_arbitration(ada, parent)]

    set_status(api, parent, "abandoned", cascade=True)

    assert {api.get(f"/arbitrations/{each['id']}").json()["status"] for each in pending} == {"withdrawn"}
    assert fresh(api, child)["status"] == "abandoned"


# --- expiry --------------------------------------------------------------------------------------------------------


def read_one(api, arbitration):
    return api.get(f"/arbitrations/{arbitration['id']}").json()


def read_list(api, arbitration):
    found = api.get("/arbitrations").json()["arbitrations"]
    return next(each for each in found if each["id"] == arbitration["id"])


def read_filtered(api, arbitration):
    return api.get("/arbitrations", status="expired").json()["arbitrations"][0]


@pytest.mark.rule("A-5", "E-8")
@pytest.mark.parametrize("read", [read_one, read_list, read_filtered])
def test_overdue_request_is_marked_before_it_is_read_as_expired(api, ada, intent, read):
    arbitration, other = make_arbitration(ada, intent, expires_at=LATER), make_arbitration(ada, intent, expires_at=LATER)
    make_overdue(Arbitration, arbitration)
    assert Arbitration.objects.get(pk=arbitration["id"]).status == "pending"

    told = read(api, arbitration)

    assert (told["id"], told["status"]) == (arbitration["id"], "expired")
    assert Arbitration.objects.get(pk=arbitration["id"]).status == "expired"
    assert log(api, intent)[-1] == ("arbitration_expired", "system")
    assert [each["id"] for each in api.get("/arbitrations", status="pending").json()["arbitrations"]] == [other["id"]]
    assert read(api, arbitration) == told
    assert [kind for kind, _ in log(api, intent)].count("arbitration_expired") == 1


@pytest.mark.rule("A-5")
def test_worker_marks_an_overdue_request(api, ada, intent):
    arbitration = make_arbitration(ada, intent, expires_at=LATER)
    make_overdue(Arbitration, arbitration)

    assert run_due_tasks([task for task in periodic_tasks() if task.name == "expire arbitrations"]) == 1

    assert Arbitration.objects.get(pk=arbitration["id"]).status == "expired"
    assert log(api, intent)[-1] == ("arbitration_expired", "system")
    assert payloads(api, intent, "arbitration_expired")[0]["arbitration_id"] == arbitration["id"]
    assert run_due_tasks([task for task in periodic_tasks() if task.name == "expire arbitrations"]) == 0


@pytest.mark.rule("A-5")
@pytest.mark.parametrize("marked", [False, True])
def test_overdue_request_is_neither_decided_nor_withdrawn(api, ada, intent, marked):
    arbitration = make_arbitration(ada, intent, expires_at=LATER)
    make_overdue(Arbitration, arbitration)
    if marked:
        governance.services.expire_arbitration(Arbitration.objects.get().pk)
    before = database_rows()

    for refused in (
        decide(api, intent, arbitration_id=arbitration["id"]),
        ada.post(f"/arbitrations/{arbitration['id']}/withdraw", {}),
    ):
        assert (refused.status_code, refused.json()["code"]) == (409, "arbitration_resolved")
        assert refused.json()["arbitration_status"] == "expired"
    assert database_rows() == before


def test_request_is_not_expired_before_its_end(ada, intent):
    arbitration = make_arbitration(ada, intent, expires_at=LATER)

    assert governance.services.overdue_arbitrations(10) == []
    assert governance.services.expire_arbitration(Arbitration.objects.get().pk) is False
    assert ada.get(f"/arbitrations/{arbitration['id']}").json() == arbitration


def test_final_intent_expires_overdue_requests(api, ada, intent):
    arbitration = make_arbitration(ada, intent, expires_at=LATER)
    make_overdue(Arbitration, arbitration)

    set_status(api, intent, "completed")

    assert Arbitration.objects.get().status == "expired"
