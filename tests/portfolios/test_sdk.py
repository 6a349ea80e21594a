"""Portfolios in the SDK, both clients against the live server."""

import asyncio

import pytest
from openintent import (
    AsyncOpenIntentClient,
    ConflictError,
    InputValidationError,
    NotFoundError,
    OpenIntentClient,
    PortfolioMember,
    PortfolioStatus,
    ValidationError,
)
from openintent._call import call_builder

from tests.sdk.conftest import BlockingClient


@pytest.fixture(params=[OpenIntentClient, AsyncOpenIntentClient])
def client(request, server):
    made = request.param(server.url, "dev-user-key", "ada")
    with asyncio.Runner() as runner:
        client = BlockingClient(made, runner)
        yield client
        client.close()


def test_sdk_portfolio_lifecycle(client):
    portfolio = client.create_portfolio(
        name="Paris Trip 2024",
        description="Complete vacation planning",
        governance_policy={"require_all_completed": True, "shared_constraints": {"budget": 5000}},
        metadata={"year": 2024},
    )
    flight = client.create_intent(title="Book flights to Paris", constraints={"class": "economy"})
    hotel = client.create_intent(title="Book hotel in Paris")
    added = client.add_intent_to_portfolio(portfolio.id, flight.id, role="primary", priority=90)
    client.add_intent_to_portfolio(portfolio.id, hotel.id, priority=100)

    found = client.get_portfolio(portfolio.id)

    assert (found.status, found.metadata, found.created_by, found.extra) == (PortfolioStatus.ACTIVE, {"year": 2024}, "ada", {})
    assert (type(added), added.role, added.priority) == (PortfolioMember, "primary", 90)
    assert [(each.title, each.role, each.priority) for each in found.intents] == [
        ("Book hotel in Paris", "member", 100),
        ("Book flights to Paris", "primary", 90),
    ]
    assert (found.aggregate_status.total, found.aggregate_status.completion_percentage) == (2, 0)
    assert found.aggregate_status.ready_intents == [hotel.id, flight.id]
    assert client.get_portfolio_intents(portfolio.id, limit=1) == found.intents[:1]
    assert client.get_intent_portfolios(flight.id) == [found]
    assert found in client.list_portfolios(created_by="ada", status=PortfolioStatus.ACTIVE)
    assert client.get_intent(flight.id).effective_constraints is None
    assert client.get_intent(flight.id, effective=True).effective_constraints == {"budget": 5000, "class": "economy"}

    with pytest.raises(ConflictError) as refused:
        client.update_portfolio_status(portfolio.id, "completed")
    assert refused.value.code == "completion_gate"
    for intent in (flight, hotel):
        client.set_status(intent.id, intent.version, "completed")
    assert client.update_portfolio_status(portfolio.id, "completed", "All booked").status is PortfolioStatus.COMPLETED
    with pytest.raises(ValidationError, match="cannot become"):
        client.update_portfolio_status(portfolio.id, PortfolioStatus.ABANDONED)


def test_sdk_changes_details_and_members(client):
    portfolio, intent = (
        client.create_portfolio("Paris", governance_policy={"require_all_completed": False}),
        client.create_intent("Flight"),
    )
    client.add_intent_to_portfolio(portfolio.id, intent.id)

    changed = client.update_portfolio(portfolio.id, name="Rome", description=None, governance_policy={})

    assert (changed.name, changed.description, changed.governance_policy) == ("Rome", None, {})
    for _ in range(2):
        assert client.remove_intent_from_portfolio(portfolio.id, intent.id) is None
    assert client.get_portfolio_intents(portfolio.id) == []
    with pytest.raises(NotFoundError):
        client.get_portfolio(intent.id)


@pytest.mark.parametrize(
    ("name", "arguments", "field"),
    [
        ("create_portfolio", {"name": ""}, "name"),
        ("create_portfolio", {"name": "Paris", "governance_policy": ["all"]}, "governance_policy"),
        ("create_portfolio", {"name": "Paris", "metadata": {"at": object()}}, "metadata.at"),
        ("create_portfolio", {"name": "Paris", "created_by": ""}, "created_by"),
        ("update_portfolio", {"portfolio_id": "x"}, None),
        ("update_portfolio", {"portfolio_id": "x", "description": "x" * 10_001}, "description"),
        ("add_intent_to_portfolio", {"portfolio_id": "x", "intent_id": "y", "priority": 1.5}, "priority"),
    ],
)
def test_sdk_refuses_invalid_values_before_sending(name, arguments, field):
    with pytest.raises(InputValidationError) as refused:
        call_builder(getattr(OpenIntentClient, name))(**arguments)

    assert refused.value.field == field
