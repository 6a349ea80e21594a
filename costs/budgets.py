"""Budgets: whom a cost counts for, and what is written when one is crossed (rules C-3, C-5).

Every recorder of money locks all whose budgets count it, before it adds to the sums: of two at once, the second one sees
what the first one spent. A budget that is set while a cost is being recorded counts that cost from the next one on.
"""

from collections import Counter
from collections.abc import Iterator
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
from intents.locking import lock_for_write, require_writable
from intents.models import Intent
from portfolios.models import Membership, Portfolio
from portfolios.models import Status as PortfolioStatus

ALL_AGENTS = ""
"""In the place of an agent's id: whoever spent it."""

_EVENTS = {Level.ALERT: EventType.BUDGET_ALERT, Level.EXCEEDED: EventType.BUDGET_EXCEEDED}

_AROUND = """
    WITH RECURSIVE above(id, parent_intent_id, constraints) AS (
        SELECT id, parent_intent_id, constraints FROM intents_intent WHERE id = %s
        UNION ALL
        SELECT i.id, i.parent_intent_id, i.constraints FROM above JOIN intents_intent i ON i.id = above.parent_intent_id
    )
    SELECT 'intent', id, constraints FROM above
    WHERE constraints LIKE '%%"budget"%%' OR constraints LIKE '%%"max_cost"%%'
    UNION ALL
    SELECT 'portfolio', p.id, p.governance_policy
    FROM portfolios_member m JOIN portfolios_portfolio p ON p.id = m.portfolio_id
    WHERE m.intent_id = %s AND p.status = 'active' AND p.governance_policy LIKE '%%"shared_constraints"%%'
"""
"""What may be a budget that counts what an intent spends: its own, its ancestors', and its portfolios'."""


@dataclass(frozen=True, slots=True)
class BudgetOwner:
    """Whose budget it is: an intent, whose whole subtree it counts, or a portfolio, whose members it counts."""

    intent: Intent | None
    portfolio_id: UUID | None
    limits: list[Limit]

    def spending(self) -> QuerySet[CostTotal]:
        if self.intent:
            return rollups.tree_totals(self.intent.pk)
        assert self.portfolio_id
        return rollups.portfolio_totals(self.portfolio_id)

    def write(self, event_type: EventType, payload: dict[str, Any], now: datetime) -> None:
        event = NewEvent(event_type, payload, portfolio_id=self.portfolio_id)
        if self.intent:
            append(self.intent, event, actor=SYSTEM, now=now)
        else:
            append_without_intent(event, actor=SYSTEM, now=now)


def lock_with_budgets(intent_id: UUID | str, actor: Actor) -> tuple[Intent, list[BudgetOwner]]:
    """Lock the intent, and all whose budgets count what is spent on it. Raises IntentNotFound."""
    intent_ids, portfolio_ids = _around(intent_id) if isinstance(intent_id, UUID) else (set(), set())
    if not isinstance(intent_id, UUID) or not (intent_ids or portfolio_ids):
        intent = lock_for_write(intent_id, actor)
        own = budget_limits.intent_limits(intent.constraints)  # They may have been set while we waited for the lock.
        return intent, [BudgetOwner(intent, None, own)] if own else []
    portfolios = Portfolio.objects.lock_all(portfolio_ids)
    locked = Intent.objects.lock_all({intent_id, *intent_ids})
    owners = [
        BudgetOwner(locked[pk], None, budget_limits.intent_limits(locked[pk].constraints))
        for pk in sorted(intent_ids, reverse=True)
    ]
    return require_writable(locked[intent_id], actor), [*owners, *_still_around(portfolios, intent_id)]


def check_cost(owners: list[BudgetOwner], cost: Cost, now: datetime) -> None:
    """Write what the cost, which is among the sums already, has crossed."""
    for owner in owners:
        known, sums = _known(owner, cost.agent_id), _sums(owner)
        spent = {PER_AGENT: sums[cost.agent_id], PER_CALL: cost.amount * CENTS_PER_UNIT[cost.unit]}
        for limit in owner.limits:
            amount = spent.get(limit.kind, sums[ALL_AGENTS])
            _write_crossings(owner, limit, cost.agent_id, amount, known, now, cost)


def check_intent_budgets(intent: Intent, now: datetime) -> None:
    """Write which of the intent's limits are crossed already (rule C-5). A part of the verb that sets them, and has its lock."""
    _watch_spent(BudgetOwner(intent, None, budget_limits.intent_limits(intent.constraints)), now)


def check_portfolio_budgets(portfolio: Portfolio, now: datetime) -> None:
    """The same of a portfolio whose limits or members have changed. It is active, and locked."""
    _watch_spent(BudgetOwner(None, portfolio.pk, budget_limits.portfolio_limits(portfolio.governance_policy)), now)


def _watch_spent(owner: BudgetOwner, now: datetime) -> None:
    """Calls are judged when they are made, each by itself: only what adds up can have been crossed before."""
    watched = [limit for limit in owner.limits if limit.kind != PER_CALL]
    if not watched or not (sums := _sums(owner)):
        return
    agents = sorted(agent_id for agent_id in sums if agent_id)
    known = _known(owner, *agents)
    for limit in watched:
        for agent_id in agents if limit.kind == PER_AGENT else [ALL_AGENTS]:
            _write_crossings(owner, limit, agent_id, sums[agent_id], known, now)


def _write_crossings(
    owner: BudgetOwner,
    limit: Limit,
    agent_id: str,
    amount: int,
    known: set[tuple[str, ...]],
    now: datetime,
    cost: Cost | None = None,
) -> None:
    """Write the events of a limit that the amount (in 10^-14 USD) crosses, unless its log has them."""
    spent = Fraction(amount, 10**DOLLAR_DECIMALS)
    for level in _crossed(limit, spent):
        if limit.kind != PER_CALL:  # Each call is a crossing of its own.
            crossing = _crossing(limit, level, agent_id)
            if crossing in known:
                continue
            _remember(owner, crossing, now)
        owner.write(_EVENTS[level], _payload(limit, spent, agent_id, cost), now)


def _around(intent_id: UUID) -> tuple[set[UUID], set[UUID]]:
    """The ids of the intents and of the portfolios with limits."""
    pk = Intent._meta.pk.get_db_prep_value(intent_id, connection)
    found: dict[str, set[UUID]] = {"intent": set(), "portfolio": set()}
    read = {"intent": budget_limits.intent_limits, "portfolio": budget_limits.portfolio_limits}
    for kind, owner_id, text in db.fetch_all(_AROUND, [pk, pk]):
        if read[kind](loads(text)):
            found[kind].add(UUID(str(owner_id)))
    return found["intent"], found["portfolio"]


def _still_around(portfolios: list[Portfolio], intent_id: UUID) -> Iterator[BudgetOwner]:
    """Those that were not closed, and have not let go of the intent, while we waited for their locks."""
    if not portfolios:
        return
    holding = set(Membership.objects.filter(portfolio__in=portfolios, intent_id=intent_id).values_list("portfolio_id", flat=True))
    for portfolio in portfolios:
        if portfolio.pk in holding and portfolio.status == PortfolioStatus.ACTIVE:
            yield BudgetOwner(None, portfolio.pk, budget_limits.portfolio_limits(portfolio.governance_policy))


def _sums(owner: BudgetOwner) -> Counter[str]:
    """Return what each agent has spent, and all of them, in 10^-14 USD. Empty: nothing was spent."""
    rows = owner.spending().filter(unit__in=CENTS_PER_UNIT).values_list("unit", "agent_id").annotate(Sum("whole"), Sum("parts"))
    sums: Counter[str] = Counter()
    for unit, agent_id, whole, parts in rows:
        more = (int(whole) * TRILLIONTHS + int(parts)) * CENTS_PER_UNIT[unit]
        sums[ALL_AGENTS] += more
        sums[agent_id] += more
    return sums


def _crossed(limit: Limit, spent: Fraction) -> Iterator[Level]:
    if limit.kind != PER_CALL and spent * 100 >= Fraction(limit.usd) * Fraction(limit.threshold):
        yield Level.ALERT
    if spent > Fraction(limit.usd):
        yield Level.EXCEEDED


def _crossing(limit: Limit, level: Level, agent_id: str) -> tuple[str, ...]:
    return (limit.kind, str(limit.usd.normalize()), agent_id if limit.kind == PER_AGENT else ALL_AGENTS, str(level))


def _mine(owner: BudgetOwner) -> dict[str, Any]:
    return {"intent": owner.intent, "portfolio_id": owner.portfolio_id}


def _known(owner: BudgetOwner, *agents: str) -> set[tuple[str, ...]]:
    crossings = BudgetAlert.objects.filter(**_mine(owner), agent_id__in=[ALL_AGENTS, *agents])
    return set(crossings.values_list("limit_kind", "limit", "agent_id", "level"))


def _remember(owner: BudgetOwner, crossing: tuple[str, ...], now: datetime) -> None:
    kind, limit, agent_id, level = crossing
    BudgetAlert.objects.create(**_mine(owner), limit_kind=kind, limit=limit, agent_id=agent_id, level=level, crossed_at=now)


def _payload(limit: Limit, spent: Fraction, agent_id: str, cost: Cost | None) -> dict[str, Any]:
    """`cost` is the one that crossed it; none where the limit was set, or the spending added, afterwards."""
    return {
        "limit_kind": limit.kind,
        "limit_usd": format_decimal(limit.usd),
        "spent_usd": format_amount(int(spent * 10**DOLLAR_DECIMALS), DOLLAR_DECIMALS),
        "threshold_percent": Fragment(format_decimal(limit.threshold).encode()),
        "agent_id": agent_id or None,
        "intent_id": encoding.identifier(cost.intent_id) if cost else None,
        "cost_id": encoding.identifier(cost.pk) if cost else None,
    }
