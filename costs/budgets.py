"""Budgets: the owners that a cost counts for, and their alerts (rules C-3, C-5).

Every verb that records money locks all owners of a budget that counts it, before it adds to the totals: of two concurrent
ones, the second sees the cost of the first. A budget that is set meanwhile counts the cost from the next one on.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet, Sum
from orjson import Fragment, loads

from access.identity import SYSTEM, Actor
from core import db, encoding
from costs import budget_limits, rollups
from costs.amounts import CENTS_PER_UNIT, DOLLAR_DECIMALS, TRILLIONTHS, format_amount, format_decimal
from costs.budget_limits import PER_AGENT, PER_CALL, Limit
from costs.models import BudgetAlert, Cost, CostTotal, Level
from intents.events import EventType, NewEvent, append, append_without_intent
from intents.models import Intent
from intents.write_lock import lock_for_write, require_writable
from portfolios.models import Membership, Portfolio
from portfolios.models import Status as PortfolioStatus

ALL_AGENTS = ""
"""Stands for an agent's id where the costs of all agents count."""

_EVENTS = {Level.ALERT: EventType.BUDGET_ALERT, Level.EXCEEDED: EventType.BUDGET_EXCEEDED}

_FIND_BUDGETS = """
    WITH RECURSIVE above(id, parent_intent_id, constraints) AS (
        SELECT id, parent_intent_id, constraints FROM intents_intent WHERE id = %s
        UNION ALL
        SELECT i.id, i.parent_intent_id, i.constraints FROM above JOIN intents_intent i ON i.id = above.parent_intent_id
    )
    SELECT 'intent', id, constraints FROM above
    WHERE constraints LIKE '%%"budget"%%' OR constraints LIKE '%%"max_cost"%%'
    UNION ALL
    SELECT 'portfolio', p.id, p.governance_policy
    FROM portfolios_member m CROSS JOIN portfolios_portfolio p
    WHERE m.intent_id = %s AND p.id = m.portfolio_id AND p.status = 'active' AND p.governance_policy LIKE '%%"shared_constraints"%%'
"""
"""Constraints that may have a budget for the costs of an intent: its own, its ancestors', and its portfolios'.

SQLite keeps the order of a CROSS JOIN. It would begin with all active portfolios.
"""


@dataclass(frozen=True, slots=True)
class BudgetOwner:
    """Owner of a budget: an intent, for its whole subtree, or a portfolio, for its members."""

    intent: Intent | None
    portfolio_id: UUID | None
    limits: list[Limit]

    def columns(self) -> dict[str, Any]:
        """Return the columns of BudgetAlert that identify the owner."""
        return {"intent": self.intent, "portfolio_id": self.portfolio_id}

    def totals(self) -> QuerySet[CostTotal]:
        if self.intent:
            return rollups.tree_totals(self.intent.pk)
        assert self.portfolio_id
        return rollups.portfolio_totals(self.portfolio_id)

    def append_event(self, event_type: EventType, payload: dict[str, Any], now: datetime) -> None:
        event = NewEvent(event_type, payload, portfolio_id=self.portfolio_id)
        if self.intent:
            append(self.intent, event, actor=SYSTEM, now=now)
        else:
            append_without_intent(event, actor=SYSTEM, now=now)


def lock_with_budgets(intent_id: UUID | str, actor: Actor) -> tuple[Intent, list[BudgetOwner]]:
    """Lock the intent, and all owners of budgets that count its costs. Raises IntentNotFound, LeaseLost."""
    intent_ids, portfolio_ids = _find_budgets(intent_id) if isinstance(intent_id, UUID) else (set(), set())
    if not isinstance(intent_id, UUID) or not (intent_ids or portfolio_ids):
        intent = lock_for_write(intent_id, actor, "record_cost")
        own = budget_limits.intent_limits(intent.constraints)  # They may have been set while this waited for the lock.
        return intent, [BudgetOwner(intent, None, own)] if own else []
    portfolios = Portfolio.objects.lock_all(portfolio_ids)
    locked = Intent.objects.lock_all({intent_id, *intent_ids})
    owners = [
        BudgetOwner(locked[pk], None, budget_limits.intent_limits(locked[pk].constraints))
        for pk in sorted(intent_ids, reverse=True)
    ]
    # While this waited for their locks, portfolios may have been closed or have lost the intent.
    members = Membership.objects.filter(portfolio__in=portfolios, intent_id=intent_id).values_list("portfolio_id", flat=True)
    current = set(members) if portfolios else set()
    owners += [
        BudgetOwner(None, portfolio.pk, budget_limits.portfolio_limits(portfolio.governance_policy))
        for portfolio in portfolios
        if portfolio.pk in current and portfolio.status == PortfolioStatus.ACTIVE
    ]
    return require_writable(locked[intent_id], actor, "record_cost"), owners


def check_cost(owners: list[BudgetOwner], cost: Cost, now: datetime) -> None:
    """Append alerts about limits that the cost exceeds. Its amount is already in the totals."""
    for owner in owners:
        known, sums = _known_alerts(owner, cost.agent_id), _sum_by_agent(owner)
        spent = {PER_AGENT: sums[cost.agent_id], PER_CALL: cost.amount * CENTS_PER_UNIT[cost.unit]}
        for limit in owner.limits:
            amount = spent.get(limit.kind, sums[ALL_AGENTS])
            _append_alerts(owner, limit, cost.agent_id, amount, known, now, cost)


def check_intent_budgets(intent: Intent, now: datetime) -> None:
    """Append alerts about limits of the intent that are already exceeded (rule C-5). The caller holds its lock."""
    _check_totals(BudgetOwner(intent, None, budget_limits.intent_limits(intent.constraints)), now)


def check_portfolio_budgets(portfolio: Portfolio, now: datetime) -> None:
    """Append alerts about limits of an active portfolio that are already exceeded. The caller holds its lock."""
    _check_totals(BudgetOwner(None, portfolio.pk, budget_limits.portfolio_limits(portfolio.governance_policy)), now)


def _check_totals(owner: BudgetOwner, now: datetime) -> None:
    """Check all limits but those per call, which are checked when a cost is recorded."""
    limits = [limit for limit in owner.limits if limit.kind != PER_CALL]
    if not limits or not (sums := _sum_by_agent(owner)):
        return
    agents = sorted(agent_id for agent_id in sums if agent_id)
    known = _known_alerts(owner, *agents)
    for limit in limits:
        for agent_id in agents if limit.kind == PER_AGENT else [ALL_AGENTS]:
            _append_alerts(owner, limit, agent_id, sums[agent_id], known, now)


def _append_alerts(
    owner: BudgetOwner,
    limit: Limit,
    agent_id: str,
    amount: int,
    known: set[tuple[str, ...]],
    now: datetime,
    cost: Cost | None = None,
) -> None:
    """Append the events of a limit that the amount (in 10^-14 USD) exceeds, unless they are in the log.

    `cost` is the one that exceeded it; None if the limit or a member came later.
    """
    spent = Fraction(amount, 10**DOLLAR_DECIMALS)
    levels = [Level.EXCEEDED] if spent > Fraction(limit.usd) else []
    if limit.kind != PER_CALL and spent * 100 >= Fraction(limit.usd) * Fraction(limit.threshold):
        levels.insert(0, Level.ALERT)
    for level in levels:
        if limit.kind != PER_CALL:  # Each call has an alert of its own.
            value, scope = str(limit.usd.normalize()), agent_id if limit.kind == PER_AGENT else ALL_AGENTS
            if (limit.kind, value, scope, str(level)) in known:
                continue
            BudgetAlert.objects.create(
                **owner.columns(), limit_kind=limit.kind, limit=value, agent_id=scope, level=level, crossed_at=now
            )
        payload = {
            "limit_kind": limit.kind,
            "limit_usd": format_decimal(limit.usd),
            "spent_usd": format_amount(int(spent * 10**DOLLAR_DECIMALS), DOLLAR_DECIMALS),
            "threshold_percent": Fragment(format_decimal(limit.threshold).encode()),
            "agent_id": agent_id or None,
            "intent_id": encoding.identifier(cost.intent_id) if cost else None,
            "cost_id": encoding.identifier(cost.pk) if cost else None,
        }
        owner.append_event(_EVENTS[level], payload, now)


def _find_budgets(intent_id: UUID) -> tuple[set[UUID], set[UUID]]:
    """Return the ids of the intents and of the portfolios with limits that count the intent's costs."""
    pk = Intent._meta.pk.get_db_prep_value(intent_id, connection)
    found: dict[str, set[UUID]] = {"intent": set(), "portfolio": set()}
    parsers = {"intent": budget_limits.intent_limits, "portfolio": budget_limits.portfolio_limits}
    for kind, owner_id, text in db.fetch_all(_FIND_BUDGETS, [pk, pk]):
        if parsers[kind](loads(text)):
            found[kind].add(UUID(str(owner_id)))
    return found["intent"], found["portfolio"]


def _sum_by_agent(owner: BudgetOwner) -> Counter[str]:
    """Return the sums of each agent and of ALL_AGENTS, in 10^-14 USD; empty without costs."""
    rows = owner.totals().filter(unit__in=CENTS_PER_UNIT).values_list("unit", "agent_id").annotate(Sum("whole"), Sum("parts"))
    sums: Counter[str] = Counter()
    for unit, agent_id, whole, parts in rows:
        amount = (int(whole) * TRILLIONTHS + int(parts)) * CENTS_PER_UNIT[unit]
        sums[ALL_AGENTS] += amount
        sums[agent_id] += amount
    return sums


def _known_alerts(owner: BudgetOwner, *agents: str) -> set[tuple[str, ...]]:
    alerts = BudgetAlert.objects.filter(**owner.columns(), agent_id__in=[ALL_AGENTS, *agents])
    return set(alerts.values_list("limit_kind", "limit", "agent_id", "level"))
