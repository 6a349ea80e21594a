"""Budgets that several processes spend from at the same moment."""

from decimal import Decimal
from typing import Any

import pytest

from tests.system.concurrent_clients import Action, rounds, statuses

pytestmark = pytest.mark.full


RECORDERS = 20
EACH = 5


def spend(intent: dict[str, Any], amount: str, agent: str = "ada") -> Action:
    body = {"cost_type": "api_call", "amount": amount, "agent_id": agent, "provider": "openai"}
    return lambda client: client.post(f"/intents/{intent['id']}/costs", body)


def add(portfolio: dict[str, Any], intent: dict[str, Any]) -> Action:
    return lambda client: client.post(f"/portfolios/{portfolio['id']}/intents", {"intent_id": intent["id"]})


def abandon(intent: dict[str, Any]) -> Action:
    body = {"status": "abandoned", "cascade": True}
    return lambda client: client.post(f"/intents/{intent['id']}/status", body, version=intent["version"])


def limit(intent: dict[str, Any], constraints: dict[str, Any]) -> Action:
    return lambda client: client.patch(f"/intents/{intent['id']}", {"constraints": constraints}, version=1)


def budget_events(events: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    found = [event for event in events if event["event_type"].startswith("budget_")]
    return [(event["event_type"], event["payload"]["limit_kind"], event["payload"]["spent_usd"]) for event in found]


@pytest.mark.rule("C-3")
def test_two_recorders_in_two_children_cross_their_parents_budget_once(http, crowd):
    together = crowd(2)
    for _ in range(rounds(100, 10)):
        parent = http.create(constraints={"max_cost": 10})
        children = [http.post(f"/intents/{parent['id']}/children", {"title": "A part"}).body for _ in range(2)]

        answers = together.at_once(*[spend(child, "5.5") for child in children])

        assert statuses(answers) == [201, 201]
        crossed = [("budget_alert", "max_cost", "11"), ("budget_exceeded", "max_cost", "11")]
        assert budget_events(http.events(parent["id"])) == crossed


@pytest.mark.rule("C-3", "C-1")
def test_twenty_recorders_lose_no_cent_and_alert_exactly_once(http, crowd):
    constraints = {"max_cost": 8, "budget": {"max_per_agent_cents": 400, "max_per_call_cents": 9}}
    root = http.create(constraints=constraints)
    children = [http.post(f"/intents/{root['id']}/children", {"title": "A part"}).body for _ in range(3)]
    policy = {"shared_constraints": {"budget": 7}}
    portfolio = http.post("/portfolios", {"name": "All of them", "governance_policy": policy}).body
    for intent in [root, *children]:
        assert http.post(f"/portfolios/{portfolio['id']}/intents", {"intent_id": intent["id"]}).status == 201
    where = [root, *children]
    together = crowd(RECORDERS)

    for _ in range(EACH):
        recorders = [spend(where[number % 4], "0.1", f"agent-{number % 2}") for number in range(RECORDERS)]
        assert statuses(together.at_once(*recorders)) == [201] * RECORDERS

    summary = http.get(f"/intents/{root['id']}/costs/summary?rollup=tree").body
    assert (Decimal(str(summary["total"])), summary["count"]) == (Decimal(10), RECORDERS * EACH)
    events = budget_events(http.events(root["id"]))
    by_kind = {kind: [event for event in events if event[1] == kind] for _, kind, _ in events}
    assert by_kind["max_cost"] == [("budget_alert", "max_cost", "6.4"), ("budget_exceeded", "max_cost", "8.1")]
    assert sorted(by_kind["max_per_agent_cents"]) == [
        *[("budget_alert", "max_per_agent_cents", "3.2")] * 2,
        *[("budget_exceeded", "max_per_agent_cents", "4.1")] * 2,
    ]
    assert len(by_kind["max_per_call_cents"]) == RECORDERS * EACH
    assert [budget_events(http.events(child["id"])) for child in children] == [[], [], []]
    of_portfolio = [event for event in all_events(http) if event["portfolio_id"] == portfolio["id"]]
    assert budget_events(of_portfolio) == [("budget_alert", "budget", "5.6"), ("budget_exceeded", "budget", "7.1")]


@pytest.mark.rule("C-3")
def test_recorders_and_verbs_on_the_whole_tree_wait_in_no_circle(http, crowd):
    together = crowd(6)
    for _ in range(rounds(50, 8)):
        root = http.create(constraints={"max_cost": 1})
        child = http.post(f"/intents/{root['id']}/children", {"title": "A part", "constraints": {"max_cost": 1}}).body
        policy = {"shared_constraints": {"budget": 1}, "auto_complete_threshold": 100}
        portfolio = http.post("/portfolios", {"name": "Both", "governance_policy": policy}).body

        answers = together.at_once(
            spend(root, "2"),
            spend(child, "2"),
            add(portfolio, child),
            add(portfolio, root),
            abandon(root),
            spend(child, "2"),
        )

        assert {answer.status for answer in answers} <= {200, 201, 409}  # The portfolio may be closed before it is full.
        assert [kind for kind, *_ in budget_events(http.events(root["id"]))] == ["budget_alert", "budget_exceeded"]


def all_events(http: Any) -> list[dict[str, Any]]:
    page = http.get("/events?limit=1000").body
    events: list[dict[str, Any]] = page["events"]
    while page["next"]:
        page = http.get(f"/events?limit=1000&cursor={page['next']}").body
        events += page["events"]
    return events


@pytest.mark.rule("C-5")
@pytest.mark.case("coordination P14")
def test_a_limit_that_is_set_while_it_is_crossed_says_so_once(http, crowd):
    together = crowd(2)
    for _ in range(rounds(100, 10)):
        intent = http.create()

        answers = together.at_once(spend(intent, "50"), limit(intent, {"max_cost": 10}))

        assert sorted(statuses(answers)) == [200, 201]
        crossed = [("budget_alert", "max_cost", "50"), ("budget_exceeded", "max_cost", "50")]
        assert budget_events(http.events(intent["id"])) == crossed
