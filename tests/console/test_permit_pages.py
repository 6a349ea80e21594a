"""Permits in the console: the act in full, who granted it, and what came of it (rules A-8, A-14, A-15)."""

import html
import re
from datetime import timedelta

import pytest
from django.db.models import F

from governance.models import Permit
from tests.conftest import log
from tests.governance.permits import ask, permits

PERMITS = "governance/permit"


def text(response):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.text)).split())


@pytest.fixture
def granted(agent, api, make_intent):
    """`granted()`: the id of a permit of ada's, that an operator has granted."""

    def make(**fields):
        ada, intent = agent("ada"), make_intent(title="Repay the order")
        asked = ask(ada, intent, **fields)
        api.post(
            f"/intents/{intent['id']}/decisions", {"decision": "approve", "arbitration_id": asked["id"], "rationale": "Agreed"}
        )
        return permits(ada, intent)[0]["id"]

    return make


@pytest.fixture
def unknown(granted, agent):
    """The id of a permit that was spent, and of which nobody has said what came of the act."""
    pk = granted()
    spent = agent("ada").post(f"/permits/{pk}/spend", {"action": Permit.objects.get(pk=pk).arbitration.action})
    assert spent.status_code == 200, spent.json()
    Permit.objects.update(created_at=F("created_at") - timedelta(hours=2), expires_at=F("expires_at") - timedelta(hours=2))
    return pk


@pytest.mark.rule("A-10")
def test_permit_has_its_act_in_full_and_who_granted_it(person, granted):
    pk = granted()
    vera = person("viewer", "vera")

    shown = text(vera.get(f"{PERMITS}/{pk}/change/"))

    for part in (
        "payments.refund",
        "order-1042",
        '"amount": 120',
        '"currency": "EUR"',
        "approve dev-user via dev-user",
        "Agreed",
    ):
        assert part in shown
    assert Permit.objects.get().action_sha256[:12] in shown
    assert "Revoke" not in shown
    assert "payments.refund order-1042" in text(vera.get(f"{PERMITS}/"))


@pytest.mark.rule("A-14")
def test_arbiter_revokes_a_live_permit_with_a_reason(person, api, granted):
    pk = granted()

    told = text(person("arbiter").act(PERMITS, "revoke", pk, reason="The customer has cancelled"))

    assert "Revoked: payments.refund order-1042 (ada)." in told
    permit = Permit.objects.get()
    assert permit.status == "revoked"
    assert ("permit_revoked", "user:grace") in log(api, {"id": str(permit.intent_id)})


def test_only_what_cannot_be_undone_has_a_button_of_danger(person, granted, unknown):
    grace, live = person("arbiter"), granted()

    def asked(name, pk):
        return grace.post(f"{PERMITS}/", {"action": name, "index": 0, "_selected_action": pk}).text

    assert "oi-button-danger" not in asked("record_outcome", unknown)
    assert "oi-button-danger" in asked("revoke", live)


@pytest.mark.rule("A-15")
def test_unknown_outcome_is_shown_at_home_and_in_the_inbox(person, api, unknown):
    grace = person("arbiter")
    page = f"{PERMITS}/{unknown}/change/"
    assert "Nobody has said what came of this act." in text(grace.get(page))
    for path in ("", "governance/arbitration/"):
        assert "1 act with an unknown outcome. Look at it" in text(grace.get(path))
    assert "order-1042" in text(grace.get(f"{PERMITS}/", {"state": "unknown"}))

    told = text(grace.act(PERMITS, "record_outcome", unknown, outcome="succeeded", note="Seen at the bank"))

    assert "Outcome recorded: payments.refund order-1042 (ada)" in told
    assert (Permit.objects.get().outcome, Permit.objects.get().outcome_note) == ("succeeded", "Seen at the bank")
    assert "unknown outcome" not in text(grace.get(""))
    assert "Record outcome" not in text(grace.get(page))


@pytest.mark.rule("A-15")
def test_permit_that_is_not_spent_has_no_outcome(person, granted):
    told = text(person("arbiter").act(PERMITS, "record_outcome", granted(), outcome="failed"))

    assert "is live, not spent" in told
    assert Permit.objects.get().outcome is None


def test_lists_of_permits_have_a_fixed_number_of_queries(person, granted):
    grace = person("arbiter")
    granted()
    before = grace.queries(f"{PERMITS}/")
    for _ in range(3):
        granted()
    assert grace.queries(f"{PERMITS}/") == before


def test_empty_list_of_permits_says_how_to_ask_for_one(person, db):
    assert "client.permit(" in text(person("viewer").get(f"{PERMITS}/"))
