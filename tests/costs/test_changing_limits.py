"""Changes of limits: rights, and alerts about limits already exceeded (rule C-5)."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from costs.models import LimitSetter
from intents.models import Event, Intent
from tests.conftest import Caller, fresh, log
from tests.costs.test_budgets import budget_events, child_of, heard_by_portfolio

pytestmark = pytest.mark.rule("C-5")

LIMITS = {"max_cost": 10, "budget": {"max_total_cents": 500, "max_per_agent_cents": 100, "max_per_call_cents": 50}}
LOOSER = [
    {**LIMITS, "max_cost": 10.01},
    {"budget": LIMITS["budget"]},
    {"max_cost": 10},
    {"max_cost": 10, "budget": {}},
    {},
    [],
    {**LIMITS, "budget": {**LIMITS["budget"], "max_total_cents": 501}},
    {**LIMITS, "budget": {**LIMITS["budget"], "max_per_agent_cents": 101}},
    {**LIMITS, "budget": {**LIMITS["budget"], "max_per_call_cents": 51}},
    {**LIMITS, "budget": {**LIMITS["budget"], "alert_threshold_percent": 81}},
]


@pytest.fixture
def key(api):
    """`key("arbiter")`: a caller with a key of its own."""
    return lambda role="agent": Caller(api.post("/keys", {"name": f"a {role}", "role": role}).json()["key"])


def change(caller, intent, constraints, **fields):
    return caller.patch(
        f"/intents/{intent['id']}", {"constraints": constraints, **fields}, version=fresh(caller, intent)["version"]
    )


def everything():
    return [
        *Event.objects.values_list("uid"),
        *Intent.objects.values_list("pk", "version", "constraints", "title"),
        *LimitSetter.objects.values_list(),
    ]


@pytest.mark.parametrize("constraints", LOOSER)
def test_other_key_cannot_loosen_a_limit_under_any_agent_id(api, key, make_intent, constraints):
    intent = make_intent(constraints=LIMITS)
    before = everything()
    stranger = key()
    stranger.headers["X-Agent-ID"] = "dev-user"  # The name of who has set it: what counts is the key.

    refused = change(stranger, intent, constraints, title="Cheaper")

    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert everything() == before


@pytest.mark.parametrize("role", ["arbiter", "operator"])
@pytest.mark.parametrize("constraints", LOOSER)
def test_arbiters_and_operators_loosen_a_limit(key, constraints, role):
    maker = key()
    intent = maker.post("/intents", {"title": "x", "constraints": LIMITS}).json()

    assert change(key(role), intent, constraints).status_code == 200


@pytest.mark.parametrize("constraints", LOOSER)
def test_principal_that_set_a_limit_loosens_it(key, constraints):
    maker = key()
    intent = maker.post("/intents", {"title": "x", "constraints": LIMITS}).json()

    assert change(maker, intent, constraints).status_code == 200


@pytest.mark.parametrize(
    "constraints",
    [
        {**LIMITS, "max_cost": 9},
        {**LIMITS, "deadline": "2030-01-01"},
        {"max_cost": 0, "budget": dict.fromkeys(LIMITS["budget"], 0)},
        {**LIMITS, "budget": {**LIMITS["budget"], "alert_threshold_percent": 10}},
    ],
)
def test_any_writer_lowers_limits_and_changes_other_constraints(key, make_intent, constraints):
    intent = make_intent(constraints=LIMITS)

    assert change(key(), intent, constraints).json()["constraints"] == constraints


def test_lowering_a_limit_does_not_change_its_principal(api, key, make_intent):
    intent, other = make_intent(constraints={"max_cost": 10}), key()
    assert change(other, intent, {"max_cost": 9}).status_code == 200

    assert change(other, intent, {"max_cost": 9.5}).status_code == 403
    assert change(api, intent, {"max_cost": 10}).status_code == 200


def test_limit_lowered_by_an_operator_is_not_raised_by_its_principal(api, key):
    maker = key()
    intent = maker.post("/intents", {"title": "x", "constraints": {"max_cost": 10}}).json()
    assert change(api, intent, {"max_cost": 5}).status_code == 200

    assert change(maker, intent, {"max_cost": 6}).status_code == 403
    assert change(maker, intent, {"max_cost": 4}).status_code == 200
    assert change(maker, intent, {"max_cost": 5}).status_code == 403


def test_each_limit_belongs_to_the_principal_that_set_it(key):
    first, second = key(), key()
    intent = first.post("/intents", {"title": "x", "constraints": {"max_cost": 10}}).json()
    assert change(second, intent, {"max_cost": 10, "budget": {"max_total_cents": 500}}).status_code == 200

    assert change(first, intent, {"max_cost": 11, "budget": {"max_total_cents": 501}}).status_code == 403
    assert change(first, intent, {"max_cost": 11, "budget": {"max_total_cents": 500}}).status_code == 200
    assert change(second, intent, {"max_cost": 11, "budget": {"max_total_cents": 600}}).status_code == 200
    assert change(second, intent, {"max_cost": 12, "budget": {"max_total_cents": 600}}).status_code == 403


def test_limit_set_again_belongs_to_its_new_principal(api, key, make_intent):
    intent, other = make_intent(constraints={"max_cost": 10}), key()
    change(api, intent, {})
    assert change(other, intent, {"max_cost": 1}).status_code == 200

    assert change(other, intent, {"max_cost": 2}).status_code == 200


# --- crossed already ------------------------------------------------------------------------------------------------


@pytest.mark.case("coordination P14")
def test_limit_set_below_the_costs_alerts_in_the_same_write(api, spend, make_intent):
    intent = make_intent()
    spend(child_of(api, intent), 50, agent_id="ada")

    change(api, intent, {"max_cost": 10})

    assert budget_events(api, intent) == [("alert", "max_cost", "10", "50"), ("exceeded", "max_cost", "10", "50")]
    assert [kind for kind, _ in log(api, intent)] == ["intent_created", "intent_updated", "budget_alert", "budget_exceeded"]
    *_, event = api.get(f"/intents/{intent['id']}/events").json()["events"]
    assert (event["payload"]["agent_id"], event["payload"]["intent_id"], event["payload"]["cost_id"]) == (None, None, None)
    spend(intent, 1)
    assert len(budget_events(api, intent)) == 2


@pytest.mark.case("coordination P14")
def test_lowered_limit_alerts_only_at_the_levels_reached(api, spend, make_intent):
    intent = make_intent(constraints={"max_cost": 100})
    spend(intent, 50)

    change(api, intent, {"max_cost": 60})
    assert budget_events(api, intent) == [("alert", "max_cost", "60", "50")]
    change(api, intent, {"max_cost": 50})
    assert budget_events(api, intent)[1:] == [("alert", "max_cost", "50", "50")]
    change(api, intent, {"max_cost": 49.99})
    assert budget_events(api, intent)[2:] == [("alert", "max_cost", "49.99", "50"), ("exceeded", "max_cost", "49.99", "50")]


@pytest.mark.case("coordination P14")
def test_limit_per_agent_set_below_the_costs_alerts_for_each(api, spend, make_intent):
    intent = make_intent()
    for agent, amount in (("ada", 3), ("bob", 1), ("cyd", 5)):
        spend(intent, amount, agent_id=agent)

    change(api, intent, {"budget": {"max_per_agent_cents": 250, "max_per_call_cents": 1}})

    events = api.get(f"/intents/{intent['id']}/events").json()["events"]
    found = [(each["event_type"], each["payload"]["agent_id"]) for each in events if each["event_type"].startswith("budget_")]
    assert found == [("budget_alert", "ada"), ("budget_exceeded", "ada"), ("budget_alert", "cyd"), ("budget_exceeded", "cyd")]


def test_limit_of_zero_without_costs_does_not_alert(api, spend, make_intent):
    intent = make_intent()
    spend(intent, 10, "tokens")

    change(api, intent, {"max_cost": 0})

    assert budget_events(api, intent) == []


@pytest.mark.case("coordination P14")
def test_new_member_with_costs_can_exceed_the_portfolio_budget(api, spend, make_intent, make_portfolio):
    intent = make_intent()
    spend(intent, 50)

    portfolio = make_portfolio(intent, governance_policy={"shared_constraints": {"budget": 40}})

    assert heard_by_portfolio(api, portfolio) == [("alert", "budget", "40", "50"), ("exceeded", "budget", "40", "50")]
    kinds = [each["event_type"] for each in api.get("/events", limit=1000).json()["events"]]
    assert kinds[-3:] == ["added_to_portfolio", "budget_alert", "budget_exceeded"]


@pytest.mark.case("coordination P14")
def test_portfolio_budget_lowered_below_the_costs_alerts(api, spend, make_intent, make_portfolio):
    intent = make_intent()
    portfolio = make_portfolio(intent, governance_policy={"shared_constraints": {"budget": 100}})
    spend(intent, 50)

    api.patch(f"/portfolios/{portfolio['id']}", {"governance_policy": {"shared_constraints": {"budget": 40}}})

    assert heard_by_portfolio(api, portfolio) == [("alert", "budget", "40", "50"), ("exceeded", "budget", "40", "50")]


# --- what it costs --------------------------------------------------------------------------------------------------


def test_writes_without_limits_cost_no_extra_queries(api, make_intent):
    make_intent()  # The first request looks up more than the next ones.
    counted = []
    for constraints in ({}, {"deadline": "2030-01-01"}, {"max_cost": 5}):
        with CaptureQueriesContext(connection) as captured:
            make_intent(constraints=constraints)
        counted.append(len(captured))

    assert counted == [counted[0], counted[0], counted[0] + 1]
