"""Drafts: each is recorded once, and the browser is told which were."""

import re

import pytest

from access.models import ApiKey
from leasing.models import Lease

INBOX = "governance/arbitration/"


@pytest.fixture
def lease(agent, make_intent):
    path = f"/intents/{make_intent()['id']}/leases"
    return agent("ada").post(path, {"scope": "flights"}).json()


def recorded(person):
    return re.search(r'data-recorded="([^"]*)"', person.get("agents/").text)[1].split()


def test_the_session_names_its_person_and_has_a_token_for_forms(person, client):
    grace = person("viewer")

    told = grace.get("session/")

    assert told.json()["user"] == str(grace.user.pk)
    assert told.json()["csrf_token"]
    assert client.get("/admin/session/").status_code == 401


def test_a_draft_is_recorded_once(person, lease):
    arbiter = person("arbiter")
    arbiter.act("leasing/lease", "revoke", lease["id"], draft="abc", reason="Too dear")
    assert recorded(arbiter) == ["abc"]
    Lease.objects.update(status="active")

    again = arbiter.act("leasing/lease", "revoke", lease["id"], draft="abc", reason="Too dear")

    assert "not recorded again" in again.text
    assert Lease.objects.get().status == "active"


def test_a_form_that_is_shown_again_or_refused_has_recorded_nothing(person, lease, ask):
    operator = person("operator")
    operator.post("access/apikey/add/", {"draft": "refused", "name": ""})
    operator.act("leasing/lease", "revoke", "0" * 32, draft="gone")
    operator.post("leasing/lease/", {"action": "revoke", "index": 0, "_selected_action": lease["id"], "draft": "asks"})

    assert recorded(operator) == []


def test_a_result_on_a_page_of_its_own_has_recorded_the_draft(person):
    operator = person("operator")

    operator.post("access/apikey/add/", {"draft": "made", "name": "night", "role": "agent", "lasts": "never"})

    assert ApiKey.objects.count() == 1
    assert recorded(operator) == ["made"]


def test_a_confirmation_passes_on_the_draft_of_the_form_before_it(person, ask):
    asked = ask("Ship?", options=["Ship"])

    review = person("arbiter").post(f"{INBOX}answer/", {f"answer-{asked['id']}": "Ship", "draft": "picks"})

    assert '<input type="hidden" name="draft" value="picks">' in review.text
