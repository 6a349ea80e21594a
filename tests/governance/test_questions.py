"""Questions to people: audience, urgency, reminders, escalation and fallback (rules H-1, H-2, H-5)."""

from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import F

from access.identity import Actor
from access.models import Role
from governance import services
from governance.errors import MayNotDecide
from governance.models import Arbitration
from jobs.worker import run_due_tasks
from tests.conftest import fresh, log
from tests.governance.conftest import LATER, database_rows, decide, make_arbitration, post_arbitration

SCHEMA = {
    "type": "object",
    "properties": {
        "amount": {"type": "number", "title": "Amount", "minimum": 0, "maximum": 500},
        "day": {"type": "string", "format": "date"},
    },
    "required": ["amount"],
}


def person(django_user_model: Any, name: str, *groups: str) -> Actor:
    """Return the actor of a person who can sign in, without a role of their own."""
    made = django_user_model.objects.create_user(name, is_staff=True)
    for group in groups:
        made.groups.add(Group.objects.get_or_create(name=group)[0])
    return Actor(f"user:{name}", role=Role.OBSERVER)


def answer_as(actor: Actor, asked: dict[str, Any], decision: str = "yes", **fields: Any) -> Any:
    return services.record_decision(
        intent_id=Arbitration.objects.get(pk=asked["id"]).intent_id,
        arbitration_id=Arbitration.objects.get(pk=asked["id"]).pk,
        actor=actor,
        decision=decision,
        **fields,
    )


@contextmanager
def refused():
    """Expect that the person may not answer."""
    with pytest.raises(MayNotDecide), transaction.atomic():
        yield


def pass_time(asked: dict[str, Any], seconds: float) -> None:
    """Move the arbitration into the past by so many seconds."""
    by = timedelta(seconds=seconds)
    Arbitration.objects.filter(pk=asked["id"]).update(
        created_at=F("created_at") - by, next_step_at=F("next_step_at") - by, expires_at=F("expires_at") - by
    )


@pytest.fixture
def grace(django_user_model):
    return person(django_user_model, "grace", "billing")


def refusal(response: Any) -> tuple[int, str, list[tuple[str, str]]]:
    body = response.json()
    return response.status_code, body["code"], [(each["field"], each["code"]) for each in body.get("errors", ())]


@pytest.mark.rule("H-1")
def test_typed_answer_is_recorded_with_the_decision(ada, arbiter, intent, api):
    asked = make_arbitration(ada, intent, response_schema=SCHEMA)
    assert asked["response_schema"] == SCHEMA

    made = arbiter("judy").post(f"/intents/{intent['id']}/decisions", {"answer": {"amount": 20.5, "day": "2027-03-01"}})

    assert made.status_code == 201, made.json()
    assert made.json()["decision"] == "answered"
    seen = api.get(f"/arbitrations/{asked['id']}").json()
    assert seen["decision"]["answer"] == {"amount": 20.5, "day": "2027-03-01"}
    assert api.get(f"/intents/{intent['id']}/events").json()["events"][-1]["payload"]["answer"] == seen["decision"]["answer"]


@pytest.mark.rule("H-1")
def test_invalid_answer_is_refused_by_field_and_the_question_stays_open(ada, arbiter, intent, api):
    asked = make_arbitration(ada, intent, response_schema=SCHEMA)
    before = database_rows()

    wrong = {"amount": 501, "day": "soon", "more": 1}
    response = decide(arbiter("judy"), intent, "yes", answer=wrong)
    assert refusal(response) == (
        400,
        "invalid",
        [("answer.more", "unknown_field"), ("answer.amount", "max_value"), ("answer.day", "invalid")],
    )
    assert refusal(decide(arbiter("judy"), intent, "yes"))[2] == [("answer.amount", "required")]
    assert refusal(arbiter("judy").post(f"/intents/{intent['id']}/decisions", {}))[2] == [("decision", "no_decision")]

    assert database_rows() == before
    assert api.get(f"/arbitrations/{asked['id']}").json()["status"] == "pending"


@pytest.mark.rule("H-1")
def test_answer_without_a_schema_is_refused(ada, arbiter, intent):
    assert refusal(decide(arbiter("judy"), intent, "yes", answer={}))[2] == [("answer", "no_schema")]
    make_arbitration(ada, intent)
    assert refusal(decide(arbiter("judy"), intent, "yes", answer={}))[2] == [("answer", "no_schema")]


BAD = [
    ({"response_schema": {**SCHEMA, "type": "array"}}, ("response_schema.type", "invalid")),
    (
        {"response_schema": {"type": "object", "properties": {"a": {"type": "object", "properties": {}}}}},
        ("response_schema.properties.a", "invalid"),
    ),
    ({"response_schema": {"type": "object", "properties": {"a": {"$ref": "#"}}}}, ("response_schema.properties.a", "invalid")),
    (
        {"response_schema": {"type": "object", "properties": {f"f{n}": {"type": "string"} for n in range(31)}}},
        ("response_schema.properties", "max_length"),
    ),
    (
        {"response_schema": {"type": "object", "properties": {"a": {"type": "string", "pattern": "a"}}}},
        ("response_schema.properties.a.pattern", "unknown_field"),
    ),
    ({"response_schema": SCHEMA, "quorum": 1}, ("response_schema", "quorum")),
    ({"audience": ["user:nobody"]}, ("audience.0", "unknown_person")),
    ({"audience": ["user:grace", "group:none"]}, ("audience.1", "unknown_group")),
    ({"audience": ["group:empty"]}, ("audience.0", "empty_group")),
    ({"audience": ["grace"]}, ("audience.0", "invalid")),
    ({"audience": ["user:"]}, ("audience.0", "invalid")),
    ({"urgency": "urgent"}, ("urgency", "invalid_choice")),
    ({"remind_after_seconds": [0]}, ("remind_after_seconds.0", "min_value")),
    ({"remind_after_seconds": [90 * 86_400 + 1]}, ("remind_after_seconds.0", "max_value")),
    ({"remind_after_seconds": [*range(1, 12)]}, ("remind_after_seconds", "max_length")),
    ({"escalation": [{"after_seconds": 5}]}, ("escalation.0.to", "required")),
    ({"escalation": [{"after_seconds": 5, "to": "user:nobody"}]}, ("escalation.0.to", "unknown_person")),
    ({"fallback": {"do": "approve"}}, ("fallback.do", "invalid_choice")),
    ({"fallback": {"do": "decide"}, "expires_at": LATER}, ("fallback.decision", "no_decision")),
    ({"fallback": {"do": "fail"}}, ("fallback", "never")),
    ({"fallback": {"do": "expire", "decision": "yes"}}, ("fallback.do", "not_decided")),
    (
        {"fallback": {"do": "decide", "decision": "c"}, "options": ["a", "b"], "expires_at": LATER},
        ("fallback.decision", "no_such_option"),
    ),
    (
        {"fallback": {"do": "decide", "decision": "a", "answer": {}}, "expires_at": LATER},
        ("fallback.answer", "no_schema"),
    ),
    (
        {"fallback": {"do": "decide", "decision": "a"}, "response_schema": SCHEMA, "expires_at": LATER},
        ("fallback.answer.amount", "required"),
    ),
    (
        {"fallback": {"do": "decide", "decision": "approve"}, "quorum": 1, "expires_at": LATER},
        ("fallback.decision", "grants"),
    ),
]


@pytest.mark.rule("H-2", "H-5")
@pytest.mark.parametrize(("fields", "error"), BAD)
def test_question_that_cannot_be_asked_is_refused(ada, arbiter, grace, intent, fields, error):
    arbiter("judy")
    Group.objects.create(name="empty")
    before = database_rows()

    response = post_arbitration(ada, intent, **fields)

    assert refusal(response) == (400, "invalid", [error])
    assert database_rows() == before


@pytest.mark.rule("H-5")
def test_only_the_audience_arbiters_and_operators_answer(ada, bob, arbiter, grace, intent, api, django_user_model):
    henry = person(django_user_model, "henry")
    arbiter("judy").post("/delegations", {"delegate": "bob"})
    asked = make_arbitration(ada, intent, audience=["group:billing"])
    before = database_rows()

    for stranger in (henry, Actor("grace", role=Role.OBSERVER), Actor("user:grace", key_id=asked["id"], role=Role.OBSERVER)):
        with refused():
            answer_as(stranger, asked)
    assert decide(bob, intent, arbitration_id=asked["id"]).status_code == 403  # A delegate is not of the audience.
    assert database_rows() == before

    assert answer_as(grace, asked).decided_by == "user:grace"
    other = make_arbitration(ada, intent, audience=["user:henry"])
    assert decide(arbiter("judy"), intent, arbitration_id=other["id"]).status_code == 201
    third = make_arbitration(ada, intent, audience=["user:henry"])
    assert decide(api, intent, arbitration_id=third["id"]).status_code == 201


@pytest.mark.rule("H-5")
def test_audience_without_a_role_grants_no_act(ada, arbiter, grace, intent):
    asked = make_arbitration(ada, intent, audience=["user:grace"], action={"verb": "deploy", "target": "shop"})

    with refused():
        answer_as(grace, asked, "approve")


@pytest.mark.rule("H-5")
def test_audience_that_cannot_sign_in_any_more_leaves_it_to_operators(ada, arbiter, grace, intent, django_user_model):
    asked = make_arbitration(ada, intent, audience=["user:grace"])
    django_user_model.objects.update(is_active=False)

    with refused():
        answer_as(grace, asked)
    assert decide(arbiter("judy"), intent, arbitration_id=asked["id"]).status_code == 201


@pytest.mark.rule("H-2", "H-5")
def test_reminders_and_escalations_happen_once_each_in_their_order(ada, grace, intent, api, django_user_model):
    henry = person(django_user_model, "henry")
    escalation = [{"after_seconds": 200, "to": "user:henry"}]
    asked = make_arbitration(ada, intent, audience=["user:grace"], remind_after_seconds=[300, 100], escalation=escalation)
    assert (asked["remind_after_seconds"], asked["escalation"]) == ([100, 300], escalation)
    assert run_due_tasks() == 0
    with refused():
        answer_as(henry, asked)

    for _ in range(4):
        pass_time(asked, 101)
        run_due_tasks()
        run_due_tasks()

    events = api.get(f"/intents/{intent['id']}/events").json()["events"]
    about = [(each["event_type"], each["actor"], each["payload"]) for each in events[-3:]]
    names = {"arbitration_id": asked["id"]}
    assert about == [
        ("arbitration_reminded", "system", {**names, "after_seconds": 100, "to": ["user:grace"]}),
        ("arbitration_escalated", "system", {**names, "after_seconds": 200, "to": ["user:henry"]}),
        ("arbitration_reminded", "system", {**names, "after_seconds": 300, "to": ["user:grace", "user:henry"]}),
    ]
    assert answer_as(henry, asked)


@pytest.mark.rule("H-2")
def test_no_reminder_after_the_answer_or_the_end(ada, arbiter, intent, api):
    answered = make_arbitration(ada, intent, remind_after_seconds=[100])
    decide(arbiter("judy"), intent, arbitration_id=answered["id"])
    ended = make_arbitration(ada, intent, remind_after_seconds=[100], expires_at=LATER)
    services.withdraw_arbitration(
        arbitration_id=Arbitration.objects.get(pk=ended["id"]).pk, actor=Actor("ada", role=Role.OPERATOR)
    )
    for each in (answered, ended):
        pass_time(each, 200)

    run_due_tasks()

    assert "arbitration_reminded" not in [kind for kind, _ in log(api, intent)]


@pytest.mark.rule("H-2")
def test_fallback_that_decides_is_the_decision_that_was_agreed(ada, intent, api):
    asked = make_arbitration(
        ada,
        intent,
        options=["wait", "cancel"],
        blocking=True,
        response_schema=SCHEMA,
        expires_at=LATER,
        fallback={"do": "decide", "decision": "cancel", "answer": {"amount": 0}},
    )
    Arbitration.objects.filter(pk=asked["id"]).update(
        created_at=F("created_at") - timedelta(days=2), expires_at=F("created_at") - timedelta(days=1)
    )

    run_due_tasks()
    run_due_tasks()

    seen = api.get(f"/arbitrations/{asked['id']}").json()
    assert (seen["status"], seen["decision"]["decision"], seen["decision"]["decided_by"]) == ("resolved", "cancel", "system")
    assert seen["decision"]["answer"] == {"amount": 0}
    assert fresh(api, intent)["status"] == "draft"
    kinds = [kind for kind, _ in log(api, intent)]
    assert kinds.count("decision_recorded") == kinds.count("arbitration_fell_back") == 1
    assert refusal(decide(api, intent, arbitration_id=asked["id"], answer={"amount": 1}))[:2] == (409, "arbitration_resolved")


@pytest.mark.rule("H-2")
def test_fallback_that_fails_is_a_failure_of_who_asked(ada, intent, api):
    asked = make_arbitration(ada, intent, blocking=True, expires_at=LATER, fallback={"do": "fail"})
    Arbitration.objects.filter(pk=asked["id"]).update(
        created_at=F("created_at") - timedelta(days=2), expires_at=F("created_at") - timedelta(days=1)
    )

    run_due_tasks()
    run_due_tasks()

    assert api.get(f"/arbitrations/{asked['id']}").json()["status"] == "expired"
    assert fresh(api, intent)["status"] == "blocked"
    [failure] = api.get(f"/intents/{intent['id']}/failures").json()["failures"]
    assert (failure["agent_id"], failure["error_type"]) == ("ada", "unanswered_question")


@pytest.mark.rule("H-2")
def test_reminder_by_hand(ada, bob, arbiter, intent, api):
    asked = make_arbitration(ada, intent)

    assert ada.post(f"/arbitrations/{asked['id']}/remind", {}).status_code == 200
    before = database_rows()
    assert refusal(ada.post(f"/arbitrations/{asked['id']}/remind", {}))[:2] == (429, "rate_limited")
    assert bob.post(f"/arbitrations/{asked['id']}/remind", {}).status_code == 403
    assert api.post(f"/arbitrations/{intent['id']}/remind", {}).status_code == 404
    assert database_rows() == before
    assert log(api, intent)[-1] == ("arbitration_reminded", "ada")

    decide(arbiter("judy"), intent)
    assert refusal(ada.post(f"/arbitrations/{asked['id']}/remind", {}))[:2] == (409, "arbitration_resolved")


@pytest.mark.rule("H-2")
def test_policy_of_a_portfolio_fills_what_the_question_leaves_out(ada, bob, grace, intent, api, settings):
    settings.QUESTIONS = {"urgency": "low", "remind_after_seconds": [60]}
    assert make_arbitration(ada, intent)["urgency"] == "low"
    policy = {
        "questions": {"audience": ["user:grace"], "urgency": "high", "expires_after_seconds": 3600, "fallback": {"do": "fail"}}
    }
    portfolio = api.post("/portfolios", {"name": "Shop", "governance_policy": policy}).json()
    api.post(f"/portfolios/{portfolio['id']}/intents", {"intent_id": intent["id"]})

    asked = make_arbitration(ada, intent, urgency="normal")

    assert (asked["audience"], asked["urgency"], asked["remind_after_seconds"]) == (["user:grace"], "normal", [])
    assert asked["fallback"] == {"do": "fail", "decision": None, "answer": None}
    assert asked["expires_at"] is not None


@pytest.mark.rule("H-5")
def test_policy_of_a_strangers_portfolio_chooses_no_audience(ada, bob, grace, intent):
    portfolio = bob.post("/portfolios", {"name": "Mine", "governance_policy": {"questions": {"audience": ["user:grace"]}}}).json()
    assert bob.post(f"/portfolios/{portfolio['id']}/intents", {"intent_id": intent["id"]}).status_code == 201

    assert make_arbitration(ada, intent)["audience"] == []


@pytest.mark.rule("P-5")
@pytest.mark.parametrize(
    "questions", [{"audiense": []}, {"urgency": "urgent"}, {"fallback": {"do": "decide", "decision": "yes"}}, 5]
)
def test_policy_of_questions_is_checked_when_it_is_set(api, questions):
    assert api.post("/portfolios", {"name": "Shop", "governance_policy": {"questions": questions}}).status_code == 400
