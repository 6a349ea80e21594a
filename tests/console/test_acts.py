"""Questions about an act: it is shown in full, granted on its own page, and never for another intent than was shown (rules A-10, A-11)."""

import html
import re

import pytest

from governance.models import Decision, Permit
from tests.conftest import fresh
from tests.console.test_intent_actions import do
from tests.governance.permits import ask, permits

INBOX = "governance/arbitration/"


@pytest.fixture
def asked(agent, make_intent):
    return ask(agent("ada"), make_intent(), bind_version=True, options=["approve", "reject"])


def page_text(response):
    return " ".join(re.sub(r"<[^>]+>", " ", html.unescape(response.text)).split())


@pytest.mark.rule("A-10")
def test_act_is_shown_in_full_with_its_digest(person, asked):
    shown = page_text(person("arbiter").get(f"{INBOX}{asked['id']}/change/"))

    for part in ("payments.refund", "order-1042", '"amount": 120', '"currency": "EUR"', '"id": 1', "version 1"):
        assert part in shown
    assert asked["action_sha256"][:12] in shown


@pytest.mark.rule("A-8")
@pytest.mark.parametrize(("choice", "granted"), [("approve", ["live"]), ("reject", [])])
def test_act_without_options_is_permitted_or_refused_by_a_choice(person, agent, make_intent, choice, granted):
    asked = ask(agent("ada"), make_intent())
    grace = person("arbiter")
    shown = page_text(grace.get(f"{INBOX}{asked['id']}/change/"))

    assert "approve 1 Permits this act, once. reject 2 Permits nothing." in shown
    assert grace.post(f"{INBOX}{asked['id']}/decide/", {"decision": choice}).status_code == 302
    assert [each["status"] for each in permits(agent("ada"), {"id": asked["intent_id"]})] == granted


@pytest.mark.rule("A-8")
def test_other_words_decide_nothing_about_an_act(person, agent, make_intent):
    asked = ask(agent("ada"), make_intent())

    answered = person("arbiter").post(f"{INBOX}{asked['id']}/decide/", {"decision": "Approved, go on"})

    assert "Choose one of the options offered." in page_text(answered)
    assert not Decision.objects.exists()


@pytest.mark.rule("A-8")
def test_decision_on_its_page_grants_the_permit(person, agent, asked):
    answered = person("arbiter").post(f"{INBOX}{asked['id']}/decide/", {"decision": "approve"})
    assert answered.status_code == 302
    assert [each["status"] for each in permits(agent("ada"), {"id": asked["intent_id"]})] == ["live"]


@pytest.mark.rule("A-11")
def test_changed_intent_is_said_and_not_granted(person, api, asked):
    assert api.post(f"/intents/{asked['intent_id']}/state", {"state": {"a": 1}}, version=1).status_code == 200
    grace = person("arbiter")

    assert "Since the request there have changed: version" in page_text(grace.get(f"{INBOX}{asked['id']}/change/"))
    answered = grace.post(f"{INBOX}{asked['id']}/decide/", {"decision": "approve"})

    assert answered.status_code == 409
    assert "Since the request there have changed: version" in page_text(answered)
    assert Permit.objects.count() == 0


def test_inbox_grants_no_act_that_nobody_has_opened(person, asked):
    grace = person("arbiter")
    assert f"answer-{asked['id']}" not in grace.get(INBOX).text
    review = grace.post(f"{INBOX}answer/", {f"answer-{asked['id']}": "approve"})
    assert "open it to read all of it" in review.text
    assert Permit.objects.count() == 0


@pytest.mark.rule("A-13")
def test_vote_is_counted_on_the_page(person, agent, make_intent):
    grace, olga = person("arbiter"), person("operator", "olga")
    asked = ask(agent("ada"), make_intent(), quorum=2)
    first = grace.post(f"{INBOX}{asked['id']}/decide/", {"decision": "approve"}, follow=True)
    assert "1 of 2 have granted it" in first.text
    olga.post(f"{INBOX}{asked['id']}/decide/", {"decision": "approve"})
    assert Permit.objects.count() == 1


@pytest.mark.rule("A-12")
def test_gate_holds_in_the_console_where_operators_give_a_reason(person, api, make_intent):
    intent = make_intent()
    assert api.post("/gates", {"verb": "set_status"}).status_code == 201
    olga = person("operator", "olga")

    refused = do(olga, intent, "abandon", version=1)
    assert "A gate requires a permit for set_status" in page_text(refused)
    assert fresh(api, intent)["status"] == "draft"

    do(olga, intent, "abandon", version=1, reason="Agreed by phone")
    assert fresh(api, intent)["status"] == "abandoned"
    [event] = api.get(f"/intents/{intent['id']}/events", event_type="status_changed").json()["events"]
    assert event["payload"]["gate"]["reason"] == "Agreed by phone"
