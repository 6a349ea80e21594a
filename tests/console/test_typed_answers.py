"""Typed questions in the console: a form from the schema, whom it is asked of, and the answer (rules H-1, H-5)."""

import re

import pytest

from governance.models import Arbitration, Decision
from tests.console.test_arbitrations import INBOX, page, rows, send

pytestmark = pytest.mark.rule("H-1")

SCHEMA = {
    "type": "object",
    "title": "Refund",
    "properties": {
        "amount": {"type": "number", "title": "Amount", "description": "In euro", "minimum": 0, "maximum": 500},
        "day": {"type": "string", "format": "date"},
        "size": {"type": "string", "enum": ["s", "m"], "enumNames": ["Small", "Medium"], "default": "m"},
        "copies": {"type": "integer"},
        "urgent": {"type": "boolean"},
        "<b>note</b>": {"type": "string"},
    },
    "required": ["amount", "urgent"],
}


def names(html):
    return re.findall(r'<(?:input|select)[^>]* name="(field-\d)"', html)


def test_question_shows_a_field_for_each_property(person, ask):
    asked = ask("How much?", response_schema=SCHEMA)

    shown = person("arbiter").get(page(asked)).text

    assert names(shown) == [f"field-{number}" for number in range(6)]
    for text in ("Refund", "Amount", "In euro", "day (optional)", '<option value="m" selected>Medium</option>', 'type="date"'):
        assert text in shown
    assert "<b>note</b>" not in shown
    assert 'name="decision"' not in shown


def test_entered_answer_is_recorded(person, ask, api):
    asked = ask("How much?", response_schema=SCHEMA)

    sent = {"field-0": "12.50", "field-1": "2027-03-01", "field-3": "3", "field-4": "false", "field-5": " as agreed "}
    assert send(person("arbiter"), asked, **sent, rationale="Fine").status_code == 302

    seen = api.get(f"/arbitrations/{asked['id']}").json()["decision"]
    assert seen["answer"] == {"amount": 12.5, "day": "2027-03-01", "copies": 3, "urgent": False, "<b>note</b>": " as agreed "}
    assert (seen["decision"], seen["decided_by"], seen["rationale"]) == ("answered", "user:grace", "Fine")
    assert "12.5" in person("viewer", "vera").get(page(asked)).text


def test_invalid_answer_is_shown_again_with_what_is_wrong(person, ask):
    asked = ask("How much?", response_schema=SCHEMA)
    before = rows()

    refused = send(person("arbiter"), asked, **{"field-0": "much", "field-1": "2027-02-30", "field-3": "1.5", "field-2": "xl"})

    assert refused.status_code == 400
    assert rows() == before
    for text in ("Amount: must be a number.", "day (optional): must be a date", "must be a whole number", "is required", "xl"):
        assert text in refused.text
    assert 'value="much"' in refused.text


def test_options_and_a_schema_need_both(person, ask, api):
    asked = ask("How much?", response_schema={**SCHEMA, "required": []}, options=["pay", "wait"])
    grace = person("arbiter")

    assert send(grace, asked, **{"field-0": "1"}).status_code == 400
    assert send(grace, asked, decision="pay", **{"field-0": "1"}).status_code == 302
    assert (Decision.objects.get().decision, Decision.objects.get().answer) == ("pay", {"amount": 1})


def test_refusal_of_an_act_needs_no_answer(person, ask):
    action = {"verb": "payments.refund", "target": "order-1"}
    asked = ask("May I?", response_schema=SCHEMA, options=["approve", "no"], action=action)

    assert send(person("arbiter"), asked, decision="no").status_code == 302
    assert (Decision.objects.get().decision, Decision.objects.get().answer) == ("no", None)


@pytest.mark.rule("H-5")
def test_person_of_the_audience_answers_without_a_role_of_their_own(person, ask):
    grace, henry = person("viewer", "grace"), person("viewer", "henry")
    asked = ask("How much?", response_schema=SCHEMA, audience=["user:grace"])

    assert "Asked of <bdi>user:grace</bdi>" in henry.get(page(asked)).text
    assert names(henry.get(page(asked)).text) == []
    assert send(henry, asked, **{"field-0": "1", "field-4": "true"}).status_code == 403
    assert Arbitration.objects.get().status == "pending"

    assert names(grace.get(page(asked)).text)
    assert send(grace, asked, **{"field-0": "1", "field-4": "true"}).status_code == 302
    assert Decision.objects.get().decided_by == "user:grace"


def test_inbox_leads_to_the_form_and_records_no_label_for_it(person, ask):
    asked = ask("How much?", response_schema={**SCHEMA, "required": []}, options=["pay", "wait"])
    grace = person("arbiter")

    assert "Answer in a form" in grace.get(INBOX).text
    review = grace.post(f"{INBOX}answer/", {f"answer-{asked['id']}": "pay"}).text
    assert "It needs an answer in a form" in review
    assert Arbitration.objects.get().status == "pending"
