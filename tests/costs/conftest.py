"""Helpers and fixtures of costs, with exact numbers."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.conftest import Caller

Spend = Callable[..., Any]


def exact_json(response: Any) -> Any:
    """Return the body of a response with its numbers as exact decimals."""
    assert response.status_code in (200, 201), response.content
    return json.loads(response.content, parse_float=Decimal, parse_int=Decimal)


@pytest.fixture
def spend(api: Caller) -> Spend:
    """`spend(intent, "0.05", agent_id="ada")`: the recorded cost."""

    def record(intent: dict[str, Any], amount: Any, unit: str = "USD", *, cost_type: str = "api_call", **fields: Any) -> Any:
        body = {"cost_type": cost_type, "amount": amount, "unit": unit, **fields}
        return exact_json(api.post(f"/intents/{intent['id']}/costs", body))

    return record


@pytest.fixture
def summary(api: Caller) -> Spend:
    """`summary(intent, rollup="tree")`."""
    return lambda intent, **query: exact_json(api.get(f"/intents/{intent['id']}/costs/summary", **query))


@pytest.fixture
def make_portfolio(api: Caller) -> Callable[..., dict[str, Any]]:
    """`make_portfolio(intent, another, governance_policy={…})`."""

    def make(*intents: dict[str, Any], **fields: Any) -> dict[str, Any]:
        portfolio = api.post("/portfolios", {"name": "Launch", **fields}).json()
        for intent in intents:
            response = api.post(f"/portfolios/{portfolio['id']}/intents", {"intent_id": intent["id"]})
            assert response.status_code == 201, response.content
        return portfolio  # type: ignore[no-any-return]

    return make
