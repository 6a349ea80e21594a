"""Validation of limits wherever constraints are written (rule I-7)."""

import pytest

from intents.models import Event, Intent
from portfolios.models import Portfolio
from tests.conftest import fresh

pytestmark = [pytest.mark.rule("I-7"), pytest.mark.case("coordination O14")]

UNREADABLE = [
    ({"budget": 5}, "budget", "max_total_cents"),
    ({"budget": "5"}, "budget", "max_total_cents"),
    ({"budget": [{"max_total_cents": 1}]}, "budget", "max_total_cents"),
    ({"budget": None}, "budget", "max_total_cents"),
    ({"max_cost": "5.00"}, "max_cost", "number"),
    ({"max_cost": True}, "max_cost", "number"),
    ({"max_cost": -1}, "max_cost", "0 or more"),
    ({"max_cost": None}, "max_cost", "number"),
    ({"max_cost": [1]}, "max_cost", "number"),
    ({"budget": {"max_total_cents": "500"}}, "budget.max_total_cents", "in cents"),
    ({"budget": {"max_per_agent_cents": -1}}, "budget.max_per_agent_cents", "0 or more"),
    ({"budget": {"max_per_call_cents": {}}}, "budget.max_per_call_cents", "number"),
    ({"budget": {"max_total": 5}}, "budget.max_total", "did you mean max_total_cents?"),
    ({"budget": {"max_total_cents": 5, "currency": "EUR"}}, "budget.currency", "known: max_total_cents"),
    *(
        ({"budget": {"max_total_cents": 5, "alert_threshold_percent": value}}, "budget.alert_threshold_percent", "at most 100")
        for value in (120, 0, "50", -5, None, True, [])
    ),
    ({"budget": {"alert_threshold_percent": 50}}, "budget.alert_threshold_percent", "none is set"),
    *(
        ({name: 5}, name, "did you mean max_cost?")
        for name in ("max_costs", "maxcost", "max-cost", "MAX_COST", "max_cots", "max_cst")
    ),
    *(({name: 5}, name, "did you mean max_cost?") for name in ("max_cost_usd", "max_cost_cents", "maxCostUSD")),
    *(({name: 5}, name, "did you mean budget?") for name in ("budgets", "Budget", "buget", "bugdet", "budget_usd")),
    ({"max_total_cents": 500}, "max_total_cents", "put it into budget"),
    ({"alert_threshold_percent": 50}, "alert_threshold_percent", "put it into budget"),
    ([{"max_cost": 5}], "rules", "rule 0"),
    (["be kind", {"budget": {"max_total_cents": 5}}], "rules", "rule 1"),
    ([{"type": "max_cost", "value": 5}], "rules", "rule 0"),
    (["max_cost <= 5"], "rules", "rule 0"),
    ({"rules": [{"max_costs": 5}]}, "rules", "rule 0"),
]

READABLE = [
    {"max_cost": 50.0, "deadline": "2024-01-15", "quality_threshold": 0.95},
    {"max_cost": 0},
    {"max_cost": 5, "budget": {"alert_threshold_percent": 50}},
    {"budget": {}},
    {"budget": {"max_total_cents": 0.5, "max_per_agent_cents": 1, "max_per_call_cents": 2, "alert_threshold_percent": 100}},
    *(
        {name: 1}
        for name in ("max_count", "max_hosts", "max_host", "max_post", "max_steps", "cost", "cost_center", "budget_owner")
    ),
    *({name: 1} for name in ("budgeting", "max_cost_eur", "max_time", "maximum_length", "gadget")),
    ["stay within the budget", "no more than 5 calls", {"deadline": "2030-01-01"}, {"id": "budget", "text": "ask Jo"}, 5, None],
]


def written():
    return [*Event.objects.order_by("row").values_list("uid"), *Intent.objects.values_list("pk", "version", "constraints")]


def make(api, intent, constraints):
    return api.post("/intents", {"title": "x", "constraints": constraints})


def make_child(api, intent, constraints):
    return api.post(f"/intents/{intent['id']}/children", {"title": "x", "constraints": constraints})


def change(api, intent, constraints):
    return api.patch(f"/intents/{intent['id']}", {"constraints": constraints}, version=fresh(api, intent)["version"])


@pytest.mark.parametrize("write", [make, make_child, change])
@pytest.mark.parametrize(("constraints", "field", "hint"), UNREADABLE)
def test_invalid_limit_is_refused_with_a_hint(api, make_intent, write, constraints, field, hint):
    intent = make_intent()
    before = written()

    refused = write(api, intent, constraints)

    assert (refused.status_code, refused.json()["code"]) == (400, "invalid")
    [error] = refused.json()["errors"]
    assert (error["field"], error["code"]) == (f"constraints.{field}", "unreadable_limit")
    assert hint in error["message"]
    assert written() == before


@pytest.mark.parametrize("write", [make, make_child, change])
@pytest.mark.parametrize("constraints", READABLE)
def test_unrelated_constraints_are_kept(api, make_intent, write, constraints):
    answer = write(api, make_intent(), constraints)

    assert answer.status_code in (200, 201), answer.json()
    assert answer.json()["constraints"] == ({"rules": constraints} if isinstance(constraints, list) else constraints)


PLAIN = [each for each in UNREADABLE if isinstance(each[0], dict) and each[0] != {"budget": 5}]


@pytest.mark.parametrize(("constraints", "field", "hint"), PLAIN)
def test_shared_constraints_are_validated_alike(api, constraints, field, hint):
    portfolio = api.post("/portfolios", {"name": "Paris"}).json()
    before = [*Event.objects.values_list("uid"), *Portfolio.objects.values_list()]
    policy = {"shared_constraints": constraints}

    for refused in (
        api.post("/portfolios", {"name": "Rome", "governance_policy": policy}),
        api.patch(f"/portfolios/{portfolio['id']}", {"governance_policy": policy}),
    ):
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid")
        [error] = refused.json()["errors"]
        assert (error["field"], error["code"]) == (f"governance_policy.shared_constraints.{field}", "unreadable_limit")
        assert hint in error["message"]
    assert [*Event.objects.values_list("uid"), *Portfolio.objects.values_list()] == before


@pytest.mark.parametrize("budget", [5000, 0.5, 0, {"max_total_cents": 5}])
def test_plain_number_is_a_portfolio_budget(api, budget):
    policy = {"shared_constraints": {"budget": budget, "deadline": "2030-06-30"}}

    assert api.post("/portfolios", {"name": "Paris", "governance_policy": policy}).json()["governance_policy"] == policy


def test_all_errors_of_limits_are_reported_at_once(api):
    constraints = {"max_cost": "5", "budgets": 1, "budget": {"max_total": 1, "max_per_call_cents": "1"}, "rules": [{"budget": 1}]}

    errors = api.post("/intents", {"title": "x", "constraints": constraints}).json()["errors"]

    assert {each["field"] for each in errors} == {
        "constraints.max_cost",
        "constraints.budgets",
        "constraints.budget.max_total",
        "constraints.budget.max_per_call_cents",
        "constraints.rules",
    }


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"1e400"])
def test_non_numeric_values_are_no_limits(api, number):
    refused = api.post("/intents", b'{"title": "x", "constraints": {"max_cost": ' + number + b"}}")

    assert refused.status_code == 400
    assert not Intent.objects.exists()
