"""Typed questions in the console: a form from the schema, whom it is asked of, and the answer (rules H-1, H-5)."""

import re
from decimal import Decimal

import pytest
from django import forms
from hypothesis import given, settings
from hypothesis import strategies as st

from console.arbitrations.answer_fields import PREFIX, answer_fields, answer_from
from governance.answer_schemas import answer_problems
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

    assert "Asked of user:grace" in henry.get(page(asked)).text
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


def valid_values(field):
    """Values that the API takes for the field, but for an empty text: a form says nothing with it."""
    if "enum" in field:
        return st.sampled_from(field["enum"])
    low, high = field.get("minimum"), field.get("maximum")
    match field["type"]:
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(low, high)
        case "number":
            return (
                st.floats(low, high, allow_nan=False)
                .map(lambda value: round(value, 3))
                .filter(lambda value: low <= value <= high)
            )
    least = max(1, field.get("minLength", 0))
    return st.text("ab é€", min_size=least, max_size=max(least, field.get("maxLength", 4)))


bounded = st.one_of(
    st.fixed_dictionaries({"type": st.just("string")}, optional={"minLength": st.integers(0, 2), "maxLength": st.integers(2, 4)}),
    st.fixed_dictionaries(
        {"type": st.just("string"), "enum": st.lists(st.text("abé€", min_size=1), min_size=1, max_size=3, unique=True)}
    ),
    st.fixed_dictionaries({"type": st.just("number"), "minimum": st.integers(-30, 0), "maximum": st.integers(0, 30)}),
    st.fixed_dictionaries({"type": st.just("integer"), "minimum": st.integers(-30, 0), "maximum": st.integers(0, 30)}),
    st.just({"type": "boolean"}),
)
answered_schemas = st.dictionaries(st.sampled_from("abc"), bounded, min_size=1).flatmap(
    lambda properties: st.tuples(
        st.just({"type": "object", "properties": properties, "additionalProperties": False}),
        st.fixed_dictionaries({}, optional={name: valid_values(field) for name, field in properties.items()}),
    )
)


def as_typed(value):
    """Return what a person types, or chooses, for the value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{Decimal(repr(value)):f}" if isinstance(value, int | float) else value


@settings(max_examples=500, deadline=None)
@given(answered_schemas)
def test_form_makes_every_answer_that_the_api_takes(asked):
    schema, answer = asked
    assert not [*answer_problems(schema, answer)]
    names = {name: f"{PREFIX}{number}" for number, name in enumerate(schema["properties"])}

    form = type("AnswerForm", (forms.Form,), answer_fields(schema))(
        {names[name]: as_typed(value) for name, value in answer.items()}
    )

    assert form.is_valid(), form.errors
    assert answer_from(schema, form.cleaned_data) == answer
