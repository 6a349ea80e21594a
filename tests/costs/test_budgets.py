"""Budget alerts (rule C-3)."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from costs.models import BudgetAlert
from intents.models import Intent
from tests.conftest import fresh, log

pytestmark = pytest.mark.rule("C-3")


def child_of(api, parent, **fields):
    return api.post(f"/intents/{parent['id']}/children", {"title": "A part", **fields}).json()


def budget_events(api, intent):
    """Return the budget events in the intent's log: (type, kind, limit, spent)."""
    return [short(event) for event in api.get(f"/intents/{intent['id']}/events").json()["events"] if is_about_budgets(event)]


def heard_by_portfolio(api, portfolio):
    events = api.get("/events", limit=1000).json()["events"]
    return [short(event) for event in events if event["portfolio_id"] == portfolio["id"] and is_about_budgets(event)]


def is_about_budgets(event):
    return event["event_type"].startswith("budget_")


def short(event):
    assert event["actor"] == "system"
    payload = event["payload"]
    return event["event_type"].removeprefix("budget_"), payload["limit_kind"], payload["limit_usd"], payload["spent_usd"]


def shared(**constraints):
    return {"governance_policy": {"shared_constraints": constraints}}


def test_alert_and_excess_are_each_recorded_once(api, spend, make_intent):
    intent = make_intent(constraints={"max_cost": 10})

    spend(intent, "7.99")
    assert budget_events(api, intent) == []
    spend(intent, "0.01")
    assert budget_events(api, intent) == [("alert", "max_cost", "10", "8")]
    spend(intent, 2)
    assert len(budget_events(api, intent)) == 1  # All of it is not more than it.
    spend(intent, "0.000000000001", "cents")
    spend(intent, 50)
    assert budget_events(api, intent)[1:] == [("exceeded", "max_cost", "10", "10.00000000000001")]


def test_single_cost_can_trigger_alert_and_excess(api, agent, make_intent):
    intent = make_intent(constraints={"max_cost": 10})

    cost = agent("ada").post(f"/intents/{intent['id']}/costs", {"cost_type": "x", "amount": 10.5}).json()

    assert log(api, intent)[1:] == [("cost_recorded", "ada"), ("budget_alert", "system"), ("budget_exceeded", "system")]
    *_, event = api.get(f"/intents/{intent['id']}/events").json()["events"]
    assert event["payload"] == {
        "limit_kind": "max_cost",
        "limit_usd": "10",
        "spent_usd": "10.5",
        "threshold_percent": 80,
        "agent_id": "ada",
        "intent_id": intent["id"],
        "cost_id": cost["id"],
    }
    assert BudgetAlert.objects.count() == 2


def test_budget_is_in_cents_with_its_own_threshold(api, spend, make_intent):
    intent = make_intent(constraints={"budget": {"max_total_cents": 250, "alert_threshold_percent": 50}})

    spend(intent, 1, agent_id="ada")
    spend(intent, 25, "cents", agent_id="bob")
    spend(intent, 2, agent_id="bob")

    assert budget_events(api, intent) == [
        ("alert", "max_total_cents", "2.5", "1.25"),
        ("exceeded", "max_total_cents", "2.5", "3.25"),
    ]


def test_limit_per_agent_counts_each_agent(api, spend, make_intent):
    intent = make_intent(constraints={"budget": {"max_per_agent_cents": 100}})

    for agent in ("ada", "bob", "ada", "ada", "bob"):
        spend(intent, "0.6", agent_id=agent)

    kind = "max_per_agent_cents"
    assert budget_events(api, intent) == [
        ("alert", kind, "1", "1.2"),
        ("exceeded", kind, "1", "1.2"),
        ("alert", kind, "1", "1.2"),
        ("exceeded", kind, "1", "1.2"),
    ]
    assert {crossing.agent_id for crossing in BudgetAlert.objects.all()} == {"ada", "bob"}


def test_each_call_above_its_limit_is_recorded_without_alert(api, spend, make_intent):
    intent = make_intent(constraints={"budget": {"max_per_call_cents": 10}})

    for amount in ("0.09", "0.1", "0.11", "0.11", "0.05"):
        spend(intent, amount)

    assert budget_events(api, intent) == [("exceeded", "max_per_call_cents", "0.1", "0.11")] * 2
    assert not BudgetAlert.objects.exists()


def test_budget_of_every_ancestor_counts_its_whole_tree(api, spend, make_intent):
    root = make_intent(constraints={"max_cost": 10})
    middle = child_of(api, root)
    one = child_of(api, middle, constraints={"max_cost": 5})
    other = child_of(api, middle)

    spend(one, 4)
    spend(other, 5)
    spend(root, 2)

    assert budget_events(api, one) == [("alert", "max_cost", "5", "4")]
    assert budget_events(api, middle) == budget_events(api, other) == []
    assert budget_events(api, root) == [("alert", "max_cost", "10", "9"), ("exceeded", "max_cost", "10", "11")]


def test_budget_of_a_child_does_not_count_its_parent(api, spend, make_intent):
    parent = make_intent()
    child = child_of(api, parent, constraints={"max_cost": 1})

    spend(parent, 50)

    assert budget_events(api, child) == []


def test_limit_per_agent_counts_the_whole_tree(api, spend, make_intent):
    root = make_intent(constraints={"budget": {"max_per_agent_cents": 1000}})
    one, other = child_of(api, root), child_of(api, root)

    spend(one, 6, agent_id="ada")
    spend(other, 6, agent_id="bob")
    spend(other, 6, agent_id="ada")

    assert [event[0] for event in budget_events(api, root)] == ["alert", "exceeded"]


@pytest.mark.parametrize(
    ("constraints", "kind"),
    [
        ({"budget": 5000}, "budget"),
        ({"max_cost": 5000}, "max_cost"),
        ({"budget": {"max_total_cents": 500_000}}, "max_total_cents"),
    ],
)
def test_budget_of_a_portfolio_counts_its_members(api, spend, make_intent, make_portfolio, constraints, kind):
    one, other, stranger = make_intent(), make_intent(), make_intent()
    portfolio = make_portfolio(one, other, **shared(**constraints))
    grandchild = child_of(api, one)

    spend(one, 3000)
    spend(stranger, 9000)
    spend(grandchild, 9000)
    spend(other, 1500)
    spend(one, 1000)

    assert heard_by_portfolio(api, portfolio) == [("alert", kind, "5000", "4500"), ("exceeded", kind, "5000", "5500")]
    assert budget_events(api, one) == budget_events(api, other) == []


def test_all_budgets_alert_in_the_same_write(api, spend, make_intent, make_portfolio):
    root = make_intent(constraints={"max_cost": 1})
    child = child_of(api, root, constraints={"max_cost": 1, "budget": {"max_per_call_cents": 1}})
    portfolios = [make_portfolio(child, **shared(budget=1)), make_portfolio(child, root, **shared(max_cost=1))]

    spend(child, 2)

    assert [event[0] for event in budget_events(api, root)] == ["alert", "exceeded"]
    assert [event[0] for event in budget_events(api, child)] == ["alert", "exceeded", "exceeded"]
    assert [len(heard_by_portfolio(api, portfolio)) for portfolio in portfolios] == [2, 2]


def test_closed_and_former_portfolios_do_not_count_costs(api, spend, make_intent, make_portfolio):
    intent = make_intent()
    closed, left = make_portfolio(intent, **shared(budget=1)), make_portfolio(intent, **shared(budget=1))
    assert api.patch(f"/portfolios/{closed['id']}/status", {"status": "abandoned"}).status_code == 200
    assert api.delete(f"/portfolios/{left['id']}/intents/{intent['id']}").status_code == 204

    spend(intent, 2)

    assert heard_by_portfolio(api, closed) == heard_by_portfolio(api, left) == []


def test_raised_limit_can_be_exceeded_again(api, spend, make_intent):
    intent = make_intent(constraints={"max_cost": 1})
    spend(intent, 2)

    def allow(limit):
        body = {"constraints": {"max_cost": limit}}
        assert api.patch(f"/intents/{intent['id']}", body, version=fresh(api, intent)["version"]).status_code == 200

    allow(3)
    spend(intent, "0.5")
    allow(1.0)  # The same as 1, and said already.
    spend(intent, 2)

    assert budget_events(api, intent)[2:] == [("alert", "max_cost", "3", "2.5")]


def test_only_money_counts_for_budgets(api, spend, make_intent):
    intent = make_intent(constraints={"max_cost": 0})

    spend(intent, 10**6, "tokens")
    spend(intent, 0)
    assert budget_events(api, intent) == []

    spend(intent, 1, "cents")
    assert budget_events(api, intent) == [("alert", "max_cost", "0", "0.01"), ("exceeded", "max_cost", "0", "0.01")]


@pytest.mark.parametrize(
    "constraints",
    [
        {"max_cost": "1"},
        {"max_cost": None},
        {"budget": 1},
        {"budget": [{"max_total_cents": 1}]},
        {"budget": {"max_total_cents": "1", "max_per_agent_cents": {}, "max_per_call_cents": False}},
        {"rules": [{"max_cost": 1, "budget": {"max_total_cents": 1}}]},
    ],
)
def test_invalid_limits_of_older_servers_are_ignored(api, spend, make_intent, constraints):
    intent = make_intent()
    Intent.objects.filter(pk=intent["id"]).update(constraints=constraints)

    spend(child_of(api, intent), 100)

    assert budget_events(api, intent) == []


@pytest.mark.parametrize("limit", [1e-300, 1e300, 0.30000000000000004, 2**53 - 1])
def test_extreme_limits_are_enforced(api, spend, make_intent, limit):
    intent = make_intent(constraints={"max_cost": limit})

    spend(intent, "999999999999.999999999999")

    assert len(budget_events(api, intent)) == (2 if limit < 1 else 0)


def test_money_without_a_budget_costs_one_more_query_than_tokens(api, spend, make_intent):
    intent = child_of(api, child_of(api, make_intent(constraints={"deadline": "2027-01-15"})))
    body = {"cost_type": "x", "amount": 1}
    counted = []
    for unit in ("tokens", "USD"):
        spend(intent, 1, unit, cost_type="x")
        with CaptureQueriesContext(connection) as captured:
            assert api.post(f"/intents/{intent['id']}/costs", {**body, "unit": unit}).status_code == 201
        counted.append(len(captured))

    assert counted[1] == counted[0] + 1


def test_database_allows_each_alert_once(make_intent):
    fields = {"limit_kind": "max_cost", "limit": "1", "agent_id": "", "level": "alert"}
    for owner in ({"intent_id": make_intent()["id"]}, {"portfolio_id": make_intent()["id"]}):
        BudgetAlert.objects.create(**fields, **owner, crossed_at="2027-01-01T00:00:00Z")
        with pytest.raises(IntegrityError), transaction.atomic():
            BudgetAlert.objects.create(**fields, **owner, crossed_at="2027-01-02T00:00:00Z")
