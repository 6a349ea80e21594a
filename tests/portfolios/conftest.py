"""Helpers and fixtures of portfolios."""

from collections.abc import Callable
from typing import Any

import pytest

from intents.models import Event
from portfolios.models import Membership, Portfolio
from tests.conftest import Caller


@pytest.fixture
def make_portfolio(api: Caller) -> Callable[..., dict[str, Any]]:
    """`make_portfolio(intent, other, auto_complete_threshold=50)`: a portfolio with these members and that policy."""

    def make(*members: dict[str, Any], metadata: Any = None, name: str = "Paris", **policy: Any) -> dict[str, Any]:
        response = api.post("/portfolios", {"name": name, "governance_policy": policy, "metadata": metadata or {}})
        assert response.status_code == 201, response.json()
        for member in members:
            added = add(api, response.json(), member)
            assert added.status_code == 201, added.json()
        return get_portfolio(api, response.json())

    return make


def add(api: Caller, portfolio: dict[str, Any], intent: dict[str, Any], **fields: Any) -> Any:
    return api.post(f"/portfolios/{portfolio['id']}/intents", {"intent_id": intent["id"], **fields})


def remove(api: Caller, portfolio: dict[str, Any], intent: dict[str, Any]) -> Any:
    return api.delete(f"/portfolios/{portfolio['id']}/intents/{intent['id']}")


def close(api: Caller, portfolio: dict[str, Any], status: str = "completed", **fields: Any) -> Any:
    return api.patch(f"/portfolios/{portfolio['id']}/status", {"status": status, **fields})


def get_portfolio(api: Caller, portfolio: dict[str, Any]) -> dict[str, Any]:
    """Return the current representation of the portfolio."""
    return api.get(f"/portfolios/{portfolio['id']}").json()  # type: ignore[no-any-return]


def portfolio_events(api: Caller, portfolio: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the events of the portfolio and its members, as (type, actor)."""
    found = api.get("/events", limit=1000).json()["events"]
    return [(each["event_type"], each["actor"]) for each in found if each["portfolio_id"] == portfolio["id"]]


def database_rows() -> Any:
    """Return the rows that a refused request must not change."""
    return [
        *Portfolio.objects.order_by("pk").values_list(),
        *Membership.objects.order_by("pk").values_list(),
        *Event.objects.order_by("pk").values_list("uid"),
    ]
