"""Portfolio setup from a specification: once, however often it is started.

The portfolio and its members are created in one request, so a coordinator that dies finds all of them or none. Members with a
retry policy get their agents once it is set. A server that does not know plans, and a portfolio that lacks some members, need
single requests: there a coordinator that starts again finds the portfolio by its name, its members by their titles, and a
request whose response it never saw by its idempotency key.
"""

import json
import logging
from hashlib import sha256
from typing import Any

from ..client import OpenIntentClient
from ..enums import IntentStatus, PortfolioStatus
from ..errors import ConflictError, OpenIntentError
from ..models import Portfolio
from ..resources.plans import PlannedIntent
from ..validation.plans import PLAN_LINKS, PLAN_SIZE
from ._specs import PortfolioSpec

MARK = "openintent.coordinator"
"""The key in the portfolio's metadata: `titles` of all members to create, `planned` those that the creation has set up, `members` by
title that were set up later; `told` when its completion was reported."""

UNKNOWN_OPERATION = (404, 405)
"""Statuses with which a server answers that does not know plans."""

MAX_COMPLETED = 100
"""Completed portfolios that a coordinator checks when it starts: one of them may have been completed while it was down."""

log = logging.getLogger("openintent.agents")


def find(client: OpenIntentClient, agent_id: str, spec: PortfolioSpec) -> Portfolio | None:
    """Return the portfolio if it exists. Raise OpenIntentError."""
    found = client.list_portfolios(created_by=agent_id)
    return next((each for each in found if each.name == spec.name and read_mark(each)), None)


def create(client: OpenIntentClient, agent_id: str, spec: PortfolioSpec) -> Portfolio:
    """Create the portfolio with its members, which `add_missing_members` completes. Idempotent. Raise OpenIntentError."""
    if 0 < len(spec.intents) <= PLAN_SIZE and sum(len(each.depends_on or ()) for each in spec.intents) <= PLAN_LINKS:
        planned = [each.title for each in spec.intents if each.retry_policy is None]
        body: dict[str, Any] = {"intents": _planned_intents(spec), "portfolio": _portfolio_body(spec, planned=planned)}
        try:
            plan = client.create_intents(**body, idempotency_key=_idempotency_key(agent_id, body))
        except OpenIntentError as error:
            if error.status_code not in UNKNOWN_OPERATION:
                raise
        else:
            assert plan.portfolio
            return plan.portfolio
    body = _portfolio_body(spec)
    return client.create_portfolio(**body, idempotency_key=_idempotency_key(agent_id, body))


def add_missing_members(client: OpenIntentClient, portfolio: Portfolio, spec: PortfolioSpec) -> Portfolio:
    """Return the portfolio with all members of the specification. Idempotent. Raise OpenIntentError."""
    mark = read_mark(portfolio)
    members = mark.get("members", {})
    known = {*members, *mark.get("planned", ())}
    if all(each.title in known for each in spec.intents):
        return portfolio
    ids = {**{each.title: each.id for each in portfolio.intents}, **members}
    for each in spec.in_order():
        if each.title in ids:
            continue
        body: dict[str, Any] = {
            "title": each.title,
            "description": each.description,
            "state": each.state,
            "constraints": each.constraints,
            "confidence": each.confidence,
            "depends_on": [ids[title] for title in each.depends_on or ()] or None,
        }
        intent = client.create_intent(**body, idempotency_key=_idempotency_key(portfolio.id, body))
        try:
            client.add_intent_to_portfolio(portfolio.id, intent.id, each.role, each.priority)
        except ConflictError as error:
            if error.code != "duplicate_member":
                raise
        ids[each.title] = intent.id
    for each in spec.intents:
        if each.title in known:
            continue
        assigned = {agent.agent_id for agent in client.get_intent(ids[each.title]).agents}
        if not assigned <= set(each.agents):  # Other agents are assigned by now.
            continue
        if each.retry_policy is not None:
            client.set_retry_policy(ids[each.title], **each.retry_policy)
        for agent_id in each.agents:
            client.assign_agent(ids[each.title], agent_id)
    titles = sorted({*mark.get("titles", ()), *ids})
    return update_mark(client, portfolio.id, titles=titles, members=ids)


def read_mark(portfolio: Portfolio) -> dict[str, Any]:
    """Return the coordinator's entry in the metadata; empty if there is none."""
    found = portfolio.metadata.get(MARK)
    return found if isinstance(found, dict) else {}


def list_unfinished(client: OpenIntentClient, agent_id: str) -> list[Portfolio]:
    """Return the portfolios of this coordinator whose completion was not reported. Raise OpenIntentError."""
    active = client.list_portfolios(created_by=agent_id, status=PortfolioStatus.ACTIVE)
    completed = client.list_portfolios(created_by=agent_id, status=PortfolioStatus.COMPLETED, limit=MAX_COMPLETED)
    return [each for each in (*active, *completed) if is_built(each) and not is_reported(each)]


def is_complete(portfolio: Portfolio) -> bool:
    """Return whether it is completed, or has no open member (protocol P-5): an abandoned one does not count."""
    if portfolio.status == PortfolioStatus.COMPLETED:
        return True
    closed = {IntentStatus.COMPLETED, IntentStatus.ABANDONED}
    return is_built(portfolio) and all(each.status in closed for each in portfolio.intents)


def is_reported(portfolio: Portfolio) -> bool:
    """Return whether the coordinator's methods were called with its completion."""
    return bool(read_mark(portfolio).get("told"))


def complete_portfolio(client: OpenIntentClient, portfolio: Portfolio) -> None:
    """Complete the portfolio if its policy allows it."""
    try:
        client.update_portfolio_status(portfolio.id, PortfolioStatus.COMPLETED, "all its members are completed")
    except ConflictError as error:
        log.warning("The portfolio %r cannot be completed: %s", portfolio.name, error)


def is_built(portfolio: Portfolio) -> bool:
    """Return whether a coordinator has created it and set up all of its members."""
    mark = read_mark(portfolio)
    return bool(mark) and set(mark.get("titles", ())) <= {*mark.get("members", {}), *mark.get("planned", ())}


def update_mark(client: OpenIntentClient, portfolio_id: str, **changes: Any) -> Portfolio:
    """Update the coordinator's entry in the metadata, beside concurrent changes of others (protocol P-4).

    Others do not erase it: without a version they leave members of this name alone, and with one they know of them.
    """
    while True:  # Each conflict means that another change succeeded, so this ends.
        now = client.get_portfolio(portfolio_id)
        metadata = {**now.metadata, MARK: {**read_mark(now), **changes}}
        try:
            return client.update_portfolio(portfolio_id, metadata=metadata, version=now.version)
        except ConflictError as error:
            if error.code != "version_conflict":
                raise


def _portfolio_body(spec: PortfolioSpec, **mark: Any) -> dict[str, Any]:
    return {
        "name": spec.name,
        "description": spec.description,
        "governance_policy": spec.governance_policy,
        "metadata": {**(spec.metadata or {}), MARK: {"titles": [each.title for each in spec.intents], **mark}},
    }


def _planned_intents(spec: PortfolioSpec) -> list[PlannedIntent]:
    """Return the intents for `create_intents`. Their titles may be longer than a ref, so numbers are their refs."""
    refs = {each.title: str(number) for number, each in enumerate(spec.intents)}
    planned = []
    for each in spec.in_order():
        intent = each.as_planned()
        intent |= {"ref": refs[each.title], "depends_on": [refs[title] for title in each.depends_on or ()]}
        if each.retry_policy is not None:
            del intent["assign"]
        planned.append(intent)
    return planned


def _idempotency_key(owner: str, body: dict[str, Any]) -> str:
    """Return a key that is the same for the same body of the same owner."""
    return sha256(json.dumps([owner, body], sort_keys=True, default=list).encode()).hexdigest()
