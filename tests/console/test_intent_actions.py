"""Intent actions: each by role, and to the version that the person saw."""

import re

import pytest

from intents.models import Intent
from tests.conftest import fresh, log

from .intents import page, patch


def do(person, intent, deed, *, version=None, confirmed=True, **fields):
    sent = {**fields, **({"version": version} if version else {}), **({"confirmed": "yes"} if confirmed else {})}
    return person.post(f"intents/intent/{intent['id']}/do/{deed}/", sent, follow=True)


def test_a_viewer_is_offered_nothing_and_refused_everything(person, make_intent):
    intent, vera = make_intent(assign="ada"), person("viewer", "vera")

    assert "/do/" not in page(vera, intent).text
    for deed in ("status", "abandon", "assign", "unassign", "revoke"):
        assert do(vera, intent, deed, version=1, status="active", agent_id="ada").status_code == 403
    assert do(person("arbiter", "judy"), intent, "status", version=1, status="active").status_code == 403
    assert Intent.objects.get().status == "draft"


def test_only_legal_changes_of_status_are_offered_and_a_reason_is_asked(api, person, make_intent):
    intent, olga = make_intent(status="active"), person("operator")
    offered = re.findall(r'name="status" value="(\w+)"', page(olga, intent).text)
    assert offered == ["completed", "pending", "blocked"]

    question = do(olga, intent, "status", version=2, status="pending", confirmed=False)
    assert "Set this intent to pending?" in question.text
    assert 'name="reason"' in question.text
    assert fresh(api, intent)["status"] == "active"
    do(olga, intent, "status", version=2, status="pending", reason="Wait a little")

    event = api.get(f"/intents/{intent['id']}/events").json()["events"][-1]
    assert (event["actor"], event["payload"]["to"], event["payload"]["reason"]) == ("user:grace", "pending", "Wait a little")


@pytest.mark.rule("I-2")
def test_stale_version_shows_conflict_and_changes_nothing(api, person, make_intent):
    intent, olga = make_intent(status="active"), person("operator")
    patch(api, intent, {"op": "set", "path": "a", "value": 1})

    told = do(olga, intent, "status", version=2, status="completed").text

    assert "This intent changed since you opened it (version 2 → 3). Nothing was saved." in told
    assert fresh(api, intent)["status"] == "active"
    assert "version" in do(olga, intent, "status", status="completed").text
    assert fresh(api, intent)["status"] == "active"


@pytest.mark.rule("I-6")
def test_intent_with_open_dependencies_shows_them_and_cannot_unblock(api, person, make_intent):
    first = make_intent(title="First of all")
    intent, olga = make_intent(depends_on=[first["id"]]), person("operator")

    shown = page(olga, intent).text

    assert re.search(r"Blocked by</b>.*?First of all", shown, re.DOTALL)
    assert not re.search(r">Unblock\b(?!s)", shown)
    assert "waits for dependencies" in do(olga, intent, "status", version=1, status="pending").text
    assert fresh(api, intent)["status"] == "blocked"


def test_manually_blocked_intent_is_unblocked(api, person, make_intent):
    intent, olga = make_intent(status="blocked"), person("operator")
    assert ">Unblock<" in page(olga, intent).text

    do(olga, intent, "status", version=2, status="pending")

    assert fresh(api, intent)["status"] == "pending"


@pytest.mark.rule("G-5")
def test_abandoning_counts_descendants_and_asks_again_if_they_changed(api, person, make_intent):
    root = make_intent(title="Root")
    for number in range(3):
        make_intent(title=f"Child {number}", parent_intent_id=root["id"])
    olga = person("operator")

    question = do(olga, root, "abandon", version=1, confirmed=False).text
    assert "Also abandon 3 open descendants" in question
    make_intent(title="A late child", parent_intent_id=root["id"])
    told = do(olga, root, "abandon", version=1, cascade="yes", counted=3).text
    assert "The number of open descendants changed (3 → 4)." in told
    assert {each.status for each in Intent.objects.all()} == {"draft"}

    do(olga, root, "abandon", version=1, cascade="yes", counted=4, reason="Called off")

    assert {each.status for each in Intent.objects.all()} == {"abandoned"}


def test_agents_are_assigned_and_unassigned_in_the_name_of_the_person(api, person, make_intent):
    intent, olga = make_intent(), person("operator")

    assert "Assigned ada as reviewer" in do(olga, intent, "assign", agent_id=" ada ", role="reviewer").text
    assert "agent_id" in do(olga, intent, "assign", agent_id="").text
    assert fresh(api, intent)["agents"] == [{"agent_id": "ada", "role": "reviewer"}]
    do(olga, intent, "unassign", agent_id="ada")

    assert fresh(api, intent)["agents"] == []
    assert log(api, intent)[1:] == [("agent_assigned", "user:grace"), ("agent_unassigned", "user:grace")]


@pytest.mark.rule("L-5")
def test_an_arbiter_revokes_the_chosen_leases_and_no_others(api, agent, person, make_intent):
    intent, other = make_intent(), make_intent()
    leases = [agent("ada").post(f"/intents/{intent['id']}/leases", {"scope": scope}).json()["id"] for scope in ("a", "b", "c")]
    elsewhere = agent("ada").post(f"/intents/{other['id']}/leases", {"scope": "a"}).json()["id"]
    judy = person("arbiter")

    question = do(judy, intent, "revoke", lease=[*leases[:2], elsewhere], confirmed=False).text
    assert "Revoke 2 leases?" in question
    told = do(judy, intent, "revoke", lease=[*leases[:2], elsewhere, "nonsense"], reason="Too long").text

    assert "Revoked: a held by ada, b held by ada." in told
    still = api.get("/leases", status="active").json()["leases"]
    assert {each["id"] for each in still} == {leases[2], elsewhere}
    assert "None of the selected leases is still active" in do(judy, intent, "revoke", lease=leases[:1]).text
    assert "Select at least one lease" in do(judy, intent, "revoke", confirmed=False).text


def test_deeds_need_their_csrf_token_and_a_post(person, make_intent):
    intent, olga = make_intent(), person("operator", enforce_csrf_checks=True)

    assert do(olga, intent, "status", version=1, status="active").status_code == 403
    assert olga.get(f"intents/intent/{intent['id']}/do/status/").status_code == 405
    assert Intent.objects.get().status == "draft"


@pytest.mark.parametrize("status", ["", "nonsense", "draft"])
def test_a_status_that_cannot_be_is_refused(person, make_intent, status):
    intent, olga = make_intent(), person("operator")

    assert do(olga, intent, "status", version=1, status=status, confirmed=False).status_code == 404
    do(olga, intent, "status", version=1, status=status)
    assert Intent.objects.get().version == 1
    assert do(olga, intent, "nonsense").status_code == 404
