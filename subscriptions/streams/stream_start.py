"""Who may follow what, and from where (rule S-2)."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from intents import positions, topics
from intents.models import Intent
from intents.topics import Topic
from portfolios.models import Portfolio


def intent_topic(intent_id: UUID | str) -> Topic:
    """Raises IntentNotFound."""
    return topics.for_intent(Intent.objects.require(intent_id))


def portfolio_topic(portfolio_id: UUID | str) -> Topic:
    """Raises PortfolioNotFound."""
    return topics.for_portfolio(Portfolio.objects.require(portfolio_id))


def resolve_topic(named: Mapping[str, Any]) -> Topic:
    """That of `{"intent": id}`, `{"portfolio": id}`, `{"agent": id}` or `{"all": true}`. Raises IntentNotFound, PortfolioNotFound."""
    match dict(named):
        case {"intent": intent_id}:
            return intent_topic(intent_id)
        case {"portfolio": portfolio_id}:
            return portfolio_topic(portfolio_id)
        case {"agent": agent_id}:
            return topics.for_agent(agent_id)
    return topics.ALL


def start_position(after: int | None) -> int:
    """The position after which a stream starts: that one, or the newest of what is committed by now.

    One beyond the log's end is of a log that has been set back to a backup since. It counts as now, and its reader is told.
    """
    newest = positions.head()
    if after is not None and after <= newest:
        return after
    positions.assign_pending_positions()
    newest = positions.head()
    return newest if after is None else min(after, newest)
