"""Effective constraints: `?effective=true` (rule P-3)."""

import pytest

from tests.conftest import fresh
from tests.portfolios.conftest import add, close

pytestmark = pytest.mark.rule("P-3")


def effective(api, intent):
    return api.get(f"/intents/{intent['id']}", effective="true").json()["effective_constraints"]


def test_own_constraints_override_shared_ones(api, make_intent, make_portfolio):
    intent = make_intent(constraints={"budget": {"max_total_cents": 10}, "own": True})
    make_portfolio(intent, shared_constraints={"budget": 5000, "deadline": "2027-01-01"})

    body = api.get(f"/intents/{intent['id']}", effective="true").json()

    assert body.pop("effective_constraints") == {"budget": {"max_total_cents": 10}, "own": True, "deadline": "2027-01-01"}
    assert body == fresh(api, intent)
    assert body["constraints"] == {"budget": {"max_total_cents": 10}, "own": True}


def test_intent_without_portfolios_has_its_own_constraints(api, make_intent, make_portfolio):
    make_portfolio(make_intent(), shared_constraints={"budget": 1})

    assert effective(api, make_intent(constraints=["no night flights"])) == {"rules": ["no night flights"]}


def test_higher_priority_wins_then_the_older_membership(api, make_intent, make_portfolio):
    intent = make_intent()
    shares = [{"a": 1, "b": 1, "c": 1}, {"a": 2, "b": 2}, {"a": 3}, {"d": 4, "a": 4}]
    portfolios = [make_portfolio(shared_constraints=shared) for shared in shares]
    for number, priority in [(1, 5), (0, 0), (2, 9), (3, 9)]:
        add(api, portfolios[number], intent, priority=priority)

    assert effective(api, intent) == {"a": 3, "b": 2, "c": 1, "d": 4}


@pytest.mark.parametrize("status", ["completed", "abandoned"])
def test_closed_portfolio_shares_no_constraints(api, make_intent, make_portfolio, status):
    intent = make_intent()
    portfolio = make_portfolio(intent, shared_constraints={"budget": 1})
    make_portfolio(intent)
    assert effective(api, intent) == {"budget": 1}

    close(api, portfolio, status)

    assert effective(api, intent) == {}


def test_effective_constraints_are_only_returned_on_request(api, make_intent, make_portfolio):
    intent = make_intent()
    make_portfolio(intent, shared_constraints={"budget": 1})

    assert "effective_constraints" not in fresh(api, intent)
    assert api.get(f"/intents/{intent['id']}", effective="false").json() == fresh(api, intent)


@pytest.mark.parametrize("given", ["1", "True", "", "yes"])
def test_effective_accepts_only_true_and_false(api, make_intent, given):
    response = api.get(f"/intents/{make_intent()['id']}", effective=given)

    assert response.status_code == 400
    assert response.json()["errors"][0]["field"] == "effective"
