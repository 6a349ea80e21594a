"""Each example runs as it stands, and leaves behind what it says."""

from collections import Counter
from decimal import Decimal

import pytest

from .conftest import kinds

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql")]


def newest(client, title):
    return max(client.list_intents(q=title), key=lambda intent: intent.created_at)


def test_basic_usage(run, client):
    said = run("basic_usage.py")

    intent = newest(client, "Summarise the customer feedback")
    assert (intent.status, intent.created_by, len(intent.state["findings"])) == ("completed", "agent:analyst", 3)
    assert kinds(client, intent) == [
        "intent_created",
        "status_changed",
        "lease_acquired",
        *["state_patched"] * 3,
        "lease_released",
        "cost_recorded",
        "attachment_added",
        "status_changed",
    ]
    assert client.get_cost_summary(intent.id)["total"] == Decimal("0.042")
    (attachment,) = client.get_attachments(intent.id)
    assert client.get_attachment_content(intent.id, attachment.id).decode().splitlines() == intent.state["findings"]
    assert f"created    {intent.id}" in said


def test_auth_identity(run, client):
    said = run("auth_identity.py")

    intent = newest(client, "Close the account of customer 7")
    assert intent.created_by == "agent:worker"
    assert [(each.decided_by, each.decision) for each in client.get_decisions(intent.id)] == [
        ("agent:arbiter", "collect"),
        ("agent:worker", "by instalments"),
    ]
    assert {event.actor for event in client.get_events(intent.id)} == {"agent:worker", "agent:arbiter"}
    assert [
        key.agent_id for key in client.list_keys() if key.revoked_at is None and key.agent_id in ("agent:worker", "agent:arbiter")
    ] == []
    assert [line.split(": ")[1] for line in said.splitlines() if line.startswith("refused")] == [
        "403 forbidden",
        "403 agent_mismatch",
        "403 forbidden",
        "403 forbidden",
        "401 unauthenticated",
    ]


def test_portfolio_multi_intent(run, client):
    said = run("portfolio_multi_intent.py")

    portfolio = max(client.list_portfolios(status="completed"), key=lambda portfolio: portfolio.created_at)
    assert [(each.title, each.status, each.state["booked"]) for each in portfolio.intents] == [
        ("Book flights to Paris", "completed", True),
        ("Book a hotel in Paris", "completed", True),
        ("Reserve a table", "completed", True),
    ]
    assert sum(cost.amount for cost in client.get_portfolio_costs(portfolio.id)) == 4890
    events = [event for event in client.list_events(event_type="budget_alert") if event.portfolio_id == portfolio.id]
    assert len(events) == 1
    assert said.splitlines()[-1] == "completed  100 % of 3, 4890 USD"


def test_openai_multi_agent(run, client):
    said = run("openai_multi_agent.py")

    intent = newest(client, "Why bees dance")
    assert said.startswith("There is no OPENAI_API_KEY: a fake provider answers.\n")
    assert (intent.status, intent.state["first_draft"]) == ("completed", "You said: Write a paragraph: Why bees dance")
    assert intent.state["draft"] == f"You said: Make this shorter: {intent.state['first_draft']}"
    turns = [event for event in client.get_events(intent.id) if event.event_type in {"lease_acquired", "lease_released"}]
    assert [(event.event_type, event.actor) for event in turns[:3]] == [
        ("lease_acquired", "agent:author"),
        ("lease_released", "agent:author"),
        ("lease_acquired", "agent:editor"),
    ]
    assert kinds(client, intent).count("llm_request_completed") == 2
    assert {cost.agent_id for cost in client.get_costs(intent.id)} == {"agent:author", "agent:editor"}


def test_streaming_adapter(run, client):
    said = run("streaming_adapter.py")

    counted = Counter(kinds(client, newest(client, "Explain the weather")))
    assert said.startswith("There is no OPENAI_API_KEY: a fake provider answers.\n")
    assert (counted["stream_started"], counted["stream_completed"], counted["stream_cancelled"]) == (4, 3, 1)
    assert (counted["llm_request_started"], counted["llm_request_completed"], counted["cost_recorded"]) == (4, 3, 3)
    assert counted["stream_chunk"] >= 3
