"""Stream start: topics and start position of a stream (rule S-2)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from intents import positions, topics
from intents.models import Intent
from intents.topics import Topic
from portfolios.models import Portfolio


def intent_topic(intent_id: UUID | str) -> Topic:
    """Return the topic of an intent. Raise IntentNotFound if there is none."""
    return topics.for_intent(Intent.objects.require(intent_id))


def portfolio_topic(portfolio_id: UUID | str) -> Topic:
    """Return the topic of a portfolio. Raise PortfolioNotFound if there is none."""
    return topics.for_portfolio(Portfolio.objects.require(portfolio_id))


def resolve_topic(named: Mapping[str, Any]) -> Topic:
    """Return the topic of `{"intent": id}`, `{"portfolio": id}`, `{"agent": id}` or `{"all": true}`.

    Raise IntentNotFound or PortfolioNotFound if there is none.
    """
    match dict(named):
        case {"intent": intent_id}:
            return intent_topic(intent_id)
        case {"portfolio": portfolio_id}:
            return portfolio_topic(portfolio_id)
        case {"agent": agent_id}:
            return topics.for_agent(agent_id)
    return topics.ALL


def start_position(after: int | None) -> int:
    """Return the position after which a stream starts: the requested one, or the newest committed one.

    A position beyond the log's end is from before a restored backup. It counts as now, and the stream says so.
    """
    newest = positions.head()
    if after is not None and after <= newest:
        return after
    positions.assign_pending_positions()
    newest = positions.head()
    return newest if after is None else min(after, newest)
