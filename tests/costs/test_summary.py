"""Cost summaries (RFC-0009 "Response Format")."""

from decimal import Decimal

import pytest

from costs.models import CostTotal
from tests.conftest import set_status
from tests.costs.conftest import exact_json

pytestmark = pytest.mark.database("sqlite", "postgresql")


NOTHING = {"by_type": {}, "by_agent": {}, "by_provider": {}, "by_model": {}}


@pytest.mark.rule("C-2")
def test_summary_without_costs_is_zero_dollars(summary, make_intent):
    assert summary(make_intent()) == {"unit": "USD", "total": 0, **NOTHING, "by_unit": {}, "count": 0}


@pytest.mark.rule("C-2")
def test_summary_adds_money_in_dollars_and_keeps_other_units_apart(spend, summary, make_intent):
    intent = make_intent()
    spend(intent, "1.5", cost_type="api_call", agent_id="ada", provider="openai", model="gpt-4")
    spend(intent, "0.000000000001", "cents", cost_type="api_call", agent_id="bob", provider="openai")
    spend(intent, 25, "cents", cost_type="compute", agent_id="ada")
    spend(intent, 1500, "tokens", cost_type="api_call", agent_id="ada", provider="openai", model="gpt-4")

    assert summary(intent) == {
        "unit": "USD",
        "total": Decimal("1.75000000000001"),
        "by_type": {"api_call": Decimal("1.50000000000001"), "compute": Decimal("0.25")},
        "by_agent": {"ada": Decimal("1.75"), "bob": Decimal("0.00000000000001")},
        "by_provider": {"openai": Decimal("1.50000000000001")},
        "by_model": {"gpt-4": Decimal("1.5")},
        "by_unit": {"USD": Decimal("1.5"), "cents": Decimal("25.000000000001"), "tokens": 1500},
        "count": 4,
    }


@pytest.mark.rule("C-2")
def test_summary_without_money_is_in_the_only_unit(spend, summary, make_intent):
    intent = make_intent()
    spend(intent, 1500, "tokens", agent_id="ada")
    spend(intent, "0.5", "tokens", agent_id="ada")

    found = summary(intent)

    assert (found["unit"], found["total"], found["by_agent"]) == ("tokens", Decimal("1500.5"), {"ada": Decimal("1500.5")})


@pytest.mark.rule("C-2")
def test_summary_of_several_units_without_money_has_no_total(spend, summary, make_intent):
    intent = make_intent()
    spend(intent, 1500, "tokens")
    spend(intent, 12, "seconds")

    by_unit = {"seconds": 12, "tokens": 1500}
    assert summary(intent) == {"unit": None, "total": None, **NOTHING, "by_unit": by_unit, "count": 2}


@pytest.mark.rule("C-4")
def test_tree_summary_counts_each_descendant_once(api, spend, summary, make_intent):
    root = make_intent()
    children = [api.post(f"/intents/{root['id']}/children", {"title": "A part"}).json() for _ in range(2)]
    grandchild = api.post(f"/intents/{children[0]['id']}/children", {"title": "x", "depends_on": [children[1]["id"]]}).json()
    for amount, intent in zip((1, 10, 100, 1000), [root, *children, grandchild], strict=True):
        spend(intent, amount)
    spend(make_intent(), 5000)

    assert summary(root, rollup="tree")["total"] == 1111
    assert summary(children[0], rollup="tree")["total"] == 1010
    assert (summary(root)["total"], summary(root)["count"]) == (1, 1)


@pytest.mark.rule("C-4")
def test_portfolio_summary_counts_only_each_member_once(api, spend, make_intent, make_portfolio):
    parent = make_intent()
    child = api.post(f"/intents/{parent['id']}/children", {"title": "A part"}).json()
    grandchild = api.post(f"/intents/{child['id']}/children", {"title": "A part"}).json()
    portfolio = make_portfolio(parent, child)
    make_portfolio(child)
    for amount, intent in zip((1, 10, 100), [parent, child, grandchild], strict=True):
        spend(intent, amount)

    body = exact_json(api.get(f"/portfolios/{portfolio['id']}/costs"))

    assert [cost["amount"] for cost in body["costs"]] == [1, 10]
    assert (body["summary"]["total"], body["summary"]["count"], body["next"]) == (11, 2, None)


def test_empty_portfolio_has_no_costs(api, make_portfolio):
    body = exact_json(api.get(f"/portfolios/{make_portfolio()['id']}/costs"))

    assert (body["costs"], body["summary"]["total"], body["summary"]["count"]) == ([], 0, 0)


def test_closed_portfolio_keeps_its_summary(api, spend, make_intent, make_portfolio):
    intent = make_intent()
    portfolio = make_portfolio(intent)
    spend(intent, 4)
    set_status(api, intent, "abandoned")
    assert api.patch(f"/portfolios/{portfolio['id']}/status", {"status": "abandoned"}).status_code == 200

    assert exact_json(api.get(f"/portfolios/{portfolio['id']}/costs"))["summary"]["total"] == 4


@pytest.mark.rule("C-2")
def test_summary_reads_totals_and_not_costs(api, make_intent, django_assert_max_num_queries):
    intent = make_intent()
    kinds = [(unit, agent, model) for unit in ("USD", "cents", "tokens") for agent in range(10) for model in range(5)]
    CostTotal.objects.bulk_create(
        CostTotal(
            intent_id=intent["id"],
            unit=unit,
            cost_type="api_call",
            agent_id=f"agent-{agent}",
            provider="openai",
            model=f"model-{model}",
            whole=1,
            parts=0,
            count=100_000 // len(kinds) + 1,
        )
        for unit, agent, model in kinds
    )

    with django_assert_max_num_queries(2):
        found = exact_json(api.get(f"/intents/{intent['id']}/costs/summary"))

    assert found["count"] > 100_000
    assert found["total"] == Decimal("50.5")
