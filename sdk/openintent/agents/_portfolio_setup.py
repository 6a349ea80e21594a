"""A portfolio, brought about from its description: once, however often it is begun.

A coordinator that dies in between begins again, and finds what is there: the portfolio by its name, its members by their titles, and
what it made a moment before it died by the idempotency key with which it made it. Nobody is assigned before all members are there,
with their retry policies: an agent is faster than one thinks, and would complete the first of them as if it were the last.
"""

import json
import logging
from hashlib import sha256
from typing import Any

from ..client import OpenIntentClient
from ..enums import IntentStatus, PortfolioStatus
from ..errors import ConflictError
from ..models import Portfolio
from ._specs import IntentSpec, PortfolioSpec

MARK = "openintent.coordinator"
"""In the portfolio's metadata: `titles` of all that it is to have, `members` that are set up, by title; `told` when it is complete."""

NEWEST = 100
"""Completed portfolios that a coordinator looks at when it starts: one of them may have been completed while it was away."""

log = logging.getLogger("openintent.agents")


def begin(client: OpenIntentClient, agent_id: str, spec: PortfolioSpec) -> Portfolio:
    """The portfolio, made without members where it was missing. Raises OpenIntentError; to begin again after that is safe."""
    return _find(client, agent_id, spec.name) or _create(client, agent_id, spec)


def fill(client: OpenIntentClient, portfolio: Portfolio, spec: PortfolioSpec) -> Portfolio:
    """The portfolio, with what was missing in it. Raises OpenIntentError; to begin again after that is safe."""
    known = mark_of(portfolio).get("members", {})
    if all(each.title in known for each in spec.intents):
        return portfolio
    ids = {**{each.title: each.id for each in portfolio.intents}, **known}
    for each in spec.in_order():
        if each.title not in ids:
            ids[each.title] = _add(client, portfolio, each, [ids[title] for title in each.depends_on])
    for each in spec.intents:
        if each.title not in known:
            _hand_out(client, ids[each.title], each)
    titles = sorted({*mark_of(portfolio).get("titles", ()), *ids})
    return set_mark(client, portfolio.id, titles=titles, members=ids)


def mark_of(portfolio: Portfolio) -> dict[str, Any]:
    found = portfolio.metadata.get(MARK)
    return found if isinstance(found, dict) else {}


def unfinished(client: OpenIntentClient, agent_id: str) -> list[Portfolio]:
    """Those that this coordinator has made and not told of yet. Raises OpenIntentError."""
    active = client.list_portfolios(created_by=agent_id, status=PortfolioStatus.ACTIVE)
    newest = client.list_portfolios(created_by=agent_id, status=PortfolioStatus.COMPLETED, limit=NEWEST)
    return [each for each in (*active, *newest) if is_built(each) and not was_told(each)]


def is_complete(portfolio: Portfolio) -> bool:
    """Return whether it is completed, or has no open member (protocol P-5): one that was abandoned is not waited for."""
    if portfolio.status == PortfolioStatus.COMPLETED:
        return True
    done = {IntentStatus.COMPLETED, IntentStatus.ABANDONED}
    return is_built(portfolio) and all(each.status in done for each in portfolio.intents)


def is_over(portfolio: Portfolio) -> bool:
    """Whether nothing more can come of it."""
    return is_complete(portfolio) or portfolio.status != PortfolioStatus.ACTIVE


def was_told(portfolio: Portfolio) -> bool:
    """Whether the coordinator's methods know that it is complete."""
    return bool(mark_of(portfolio).get("told"))


def close(client: OpenIntentClient, portfolio: Portfolio) -> None:
    """Complete it, if its policy lets it be completed."""
    try:
        client.update_portfolio_status(portfolio.id, PortfolioStatus.COMPLETED, "all its members are completed")
    except ConflictError as error:
        log.warning("The portfolio %r cannot be completed: %s", portfolio.name, error)


def is_built(portfolio: Portfolio) -> bool:
    """Whether a coordinator has made it, and all that was to be in it is."""
    mark = mark_of(portfolio)
    return bool(mark) and set(mark.get("titles", ())) <= set(mark.get("members", {}))


def set_mark(client: OpenIntentClient, portfolio_id: str, **changes: Any) -> Portfolio:
    """Keep what is known of the portfolio in its metadata, beside what others write there at the same time (protocol P-4).

    Others do not erase it: without the version they leave members of this name alone, and with it they know of them.
    """
    while True:  # Somebody's change went through each time that this one did not.
        now = client.get_portfolio(portfolio_id)
        metadata = {**now.metadata, MARK: {**mark_of(now), **changes}}
        try:
            return client.update_portfolio(portfolio_id, metadata=metadata, version=now.version)
        except ConflictError as error:
            if error.code != "version_conflict":
                raise


def _find(client: OpenIntentClient, agent_id: str, name: str) -> Portfolio | None:
    return next((each for each in client.list_portfolios(created_by=agent_id) if each.name == name and mark_of(each)), None)


def _create(client: OpenIntentClient, agent_id: str, spec: PortfolioSpec) -> Portfolio:
    body: dict[str, Any] = {
        "name": spec.name,
        "description": spec.description,
        "governance_policy": spec.governance_policy,
        "metadata": {**(spec.metadata or {}), MARK: {"titles": [each.title for each in spec.intents]}},
    }
    return client.create_portfolio(**body, idempotency_key=_key(agent_id, body))


def _add(client: OpenIntentClient, portfolio: Portfolio, spec: IntentSpec, depends_on: list[str]) -> str:
    """A member that nobody is assigned to yet."""
    body: dict[str, Any] = {
        "title": spec.title,
        "description": spec.description,
        "state": spec.state,
        "constraints": spec.constraints,
        "confidence": spec.confidence,
        "depends_on": depends_on or None,
    }
    intent = client.create_intent(**body, idempotency_key=_key(portfolio.id, body))
    try:
        client.add_intent_to_portfolio(portfolio.id, intent.id, spec.role, spec.priority)
    except ConflictError as error:
        if error.code != "duplicate_member":
            raise
    return intent.id


def _hand_out(client: OpenIntentClient, intent_id: str, spec: IntentSpec) -> None:
    """Let it have its policy and its agents, unless others have taken over by now."""
    assigned = {each.agent_id for each in client.get_intent(intent_id).agents}
    if not assigned <= set(spec.agents):
        return
    if spec.retry_policy is not None:
        client.set_retry_policy(intent_id, **spec.retry_policy)
    for agent_id in spec.agents:
        client.assign_agent(intent_id, agent_id)


def _key(owner: str, body: dict[str, Any]) -> str:
    """The same for the same body of the same owner."""
    return sha256(json.dumps([owner, body], sort_keys=True, default=list).encode()).hexdigest()
