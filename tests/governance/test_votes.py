"""Quorum and votes (rule A-13)."""

from typing import Any

import pytest
from django.contrib.auth.models import Group

from access.services import create_key
from governance.models import Decision, Permit, Vote
from tests.conftest import Caller, fresh, log
from tests.governance.conftest import database_rows, make_arbitration
from tests.governance.permits import approve, ask, code, permits


@pytest.fixture
def council(arbiter: Any) -> list[Caller]:
    return [arbiter(name) for name in ("judy", "carl", "dora")]


@pytest.mark.rule("A-13")
def test_the_vote_that_completes_the_quorum_decides(ada, council, intent, api):
    asked = ask(ada, intent, quorum=2)

    first = approve(council[0], asked, rationale="Fine")

    assert first.status_code == 202
    assert first.json()["status"] == "pending"
    assert [(each["decided_by"], each["decision"], each["counts"]) for each in first.json()["votes"]] == [
        ("judy", "approve", True)
    ]
    assert permits(ada, intent) == []
    assert log(api, intent)[-1] == ("vote_recorded", "judy")

    second = approve(council[1], asked)

    assert (second.status_code, second.json()["decided_by"]) == (201, "carl")
    assert len(permits(ada, intent)) == 1
    assert log(api, intent)[-3:] == [("vote_recorded", "carl"), ("decision_recorded", "carl"), ("permit_granted", "carl")]
    seen = api.get(f"/arbitrations/{asked['id']}").json()
    assert [each["decided_by"] for each in seen["votes"]] == ["judy", "carl"]
    assert [each["votes"] for each in api.get("/arbitrations").json()["arbitrations"]] == [seen["votes"]]


@pytest.mark.rule("A-13")
def test_key_under_three_agent_ids_has_one_vote(ada, intent):
    _, secret = create_key(name="court", role="arbiter", created_by="test")
    create_key(name="other", role="arbiter", created_by="test")
    asked = ask(ada, intent, quorum=2)
    assert approve(Caller(secret, "one"), asked).status_code == 202
    before = database_rows()
    for name in ("one", "two", "three"):
        assert code(approve(Caller(secret, name), asked)) == (409, "already_voted")
    assert database_rows() == before
    assert Vote.objects.count() == 1


@pytest.mark.rule("A-13")
def test_refusal_by_one_resolves_it_as_refused(ada, council, intent, api):
    asked = ask(ada, intent, quorum=2)
    approve(council[0], asked)
    assert approve(council[1], asked, "no").status_code == 201
    assert permits(ada, intent) == []
    assert api.get(f"/arbitrations/{asked['id']}").json()["decision"]["decision"] == "no"
    assert code(approve(council[2], asked)) == (409, "arbitration_resolved")


@pytest.mark.rule("A-13")
def test_the_requesters_principal_has_no_vote(api, council, intent):
    asked = ask(api, intent, quorum=1)
    assert code(approve(api, asked)) == (403, "self_decision")
    assert code(approve(Caller("dev-user-key", "somebody"), asked)) == (403, "self_decision")
    assert approve(council[0], asked).status_code == 201


@pytest.mark.rule("A-13")
def test_quorum_above_the_eligible_is_refused(ada, council, intent, api):
    body = {"reason": "May I?", "quorum": 5}
    before = database_rows()
    response = ada.post(f"/intents/{intent['id']}/arbitrate", body)  # Three arbiters and dev mode's operator.
    assert code(response) == (400, "quorum_impossible")
    assert database_rows() == before
    assert make_arbitration(ada, intent, quorum=4)["quorum"] == 4
    assert code(api.post(f"/intents/{intent['id']}/arbitrate", {**body, "quorum": 4})) == (400, "quorum_impossible")


@pytest.mark.rule("A-13")
def test_people_and_delegates_are_eligible(ada, api, bound, intent, django_user_model):
    person = django_user_model.objects.create_user("grace", is_staff=True)
    person.groups.add(Group.objects.get(name="arbiter"))
    bound("bob")
    assert code(ada.post(f"/intents/{intent['id']}/arbitrate", {"reason": "?", "quorum": 3})) == (400, "quorum_impossible")
    assert api.post("/delegations", {"delegate": "bob", "scope": {"actions": ["decide"]}}).status_code == 201
    assert make_arbitration(ada, intent, quorum=3)["quorum"] == 3


@pytest.mark.rule("A-13", "A-11")
def test_votes_for_another_version_no_longer_count(ada, council, intent, api):
    asked = ask(ada, intent, quorum=2, bind_version=True)
    approve(council[0], asked)
    ada.post(f"/intents/{intent['id']}/state", {"state": {"a": 1}}, version=1)
    version = fresh(ada, intent)["version"]

    assert code(approve(council[1], asked)) == (409, "arbitration_stale")
    seen = approve(council[1], asked, rebind=True, seen_version=version)

    assert seen.status_code == 202
    assert [each["counts"] for each in seen.json()["votes"]] == [False, True]
    assert approve(council[0], asked).status_code == 201
    assert Permit.objects.get().intent_version == version


@pytest.mark.rule("A-13")
def test_quorum_without_an_action_makes_a_decision_alone(ada, council, intent):
    asked = make_arbitration(ada, intent, quorum=2)
    assert approve(council[0], asked).status_code == 202
    assert approve(council[1], asked).status_code == 201
    assert (Decision.objects.count(), Permit.objects.count()) == (1, 0)
