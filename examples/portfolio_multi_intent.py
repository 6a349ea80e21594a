"""A trip as a portfolio: several intents with dependencies, a shared budget and one event stream.

    make run                              # or openintent-server, in another terminal
    python examples/portfolio_multi_intent.py

For a server that is not local, set OPENINTENT_URL and OPENINTENT_API_KEY.
"""

import os
from decimal import Decimal

from openintent import ConflictError, EventType, Intent, OpenIntentClient, Portfolio

URL = os.environ.get("OPENINTENT_URL", "http://localhost:8000")
KEY = os.environ.get("OPENINTENT_API_KEY", "dev-user-key")

PRICES = {"Book flights to Paris": "3200", "Book a hotel in Paris": "1450", "Reserve a table": "240"}


def main() -> None:
    with OpenIntentClient(URL, api_key=KEY, agent_id="agent:travel") as client:
        portfolio = plan(client)

        # Opened before the work begins, so that it gets every event of the portfolio and its members.
        with client.stream(portfolio_id=portfolio.id) as stream:
            try:
                client.update_portfolio_status(portfolio.id, "completed")
            except ConflictError as error:
                print(f"not yet    {len(error.waiting_for)} members are open")

            book_what_is_ready(client, portfolio.id)
            for event in stream:
                if event.event_type == EventType.PORTFOLIO_STATUS_CHANGED:
                    break
                if event.event_type == EventType.BUDGET_ALERT:
                    print(f"alert      {event.payload['spent_usd']} of {event.payload['limit_usd']} USD are spent")
                book_what_is_ready(client, portfolio.id)

        show(client, portfolio.id)


def plan(client: OpenIntentClient) -> Portfolio:
    """Create the portfolio: flights first, then hotel and table. The budget is 5,000 USD, with an alert at 90 %."""
    portfolio = client.create_portfolio(
        name="Paris trip",
        governance_policy={
            "require_all_completed": True,
            "auto_complete_threshold": 100,
            "shared_constraints": {"budget": {"max_total_cents": 500_000, "alert_threshold_percent": 90}},
        },
    )
    flights, hotel, table = PRICES
    first = client.create_intent(title=flights)
    client.add_intent_to_portfolio(portfolio.id, first.id, role="primary", priority=100)
    for priority, title in ((50, hotel), (10, table)):
        intent = client.create_intent(title=title, depends_on=[first.id])
        client.add_intent_to_portfolio(portfolio.id, intent.id, role="member", priority=priority)
    return portfolio


def book_what_is_ready(client: OpenIntentClient, portfolio_id: str) -> None:
    """Work on every ready member, the highest priority first. Idempotent."""
    for intent in client.get_portfolio_intents(portfolio_id):
        if intent.status in {"draft", "pending"}:
            book(client, intent)


def book(client: OpenIntentClient, intent: Intent) -> None:
    """Book once, even if the program is killed and restarted: the idempotency keys derive from the intent's id."""
    price = Decimal(PRICES[intent.title])
    client.record_cost(intent.id, "booking", price, "USD", idempotency_key=f"pay:{intent.id}")
    intent = client.update_state(intent.id, intent.version, {"booked": True, "price": str(price)})
    client.set_status(intent.id, intent.version, "completed")
    print(f"booked     {intent.title} for {price} USD")


def show(client: OpenIntentClient, portfolio_id: str) -> None:
    portfolio = client.get_portfolio(portfolio_id)
    spent = sum(cost.amount for cost in client.get_portfolio_costs(portfolio_id))
    print(
        f"{portfolio.status:<10} {portfolio.aggregate_status.completion_percentage:.0f} % of {portfolio.aggregate_status.total}, {spent} USD"
    )


if __name__ == "__main__":
    main()
