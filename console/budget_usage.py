"""Budget usage: limits that were crossed or came near, with the amount spent. Four queries, however many there are."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Sum
from django.urls import reverse

from core import db
from costs import budget_limits
from costs.amounts import CENTS_PER_UNIT, DOLLAR_DECIMALS, TRILLIONTHS
from costs.budget_limits import PER_AGENT, PER_CALL, Limit
from costs.models import BudgetAlert, CostTotal
from intents.models import FINAL, Intent
from portfolios.models import Portfolio, Status

MAX_CROSSINGS = 50  # Crossings that are looked at.
_TREE_SUMS = """
    WITH RECURSIVE tree(root, id) AS (
        SELECT id, id FROM intents_intent WHERE id IN ({})
        UNION ALL
        SELECT tree.root, i.id FROM tree JOIN intents_intent i ON i.parent_intent_id = tree.id
    )
    SELECT tree.root, s.agent_id, s.unit, SUM(s.whole), SUM(s.parts)
    FROM tree JOIN costs_spending s ON s.intent_id = tree.id GROUP BY tree.root, s.agent_id, s.unit
"""

Owner = Intent | Portfolio
Sums = dict[tuple[UUID, str], int]
"""Sums by owner and agent, in 10^-14 USD; under the agent "" the total."""


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit with its owner, the agent it counts (empty: all agents) and the amount spent, in USD."""

    name: str
    url: str
    agent_id: str
    limit: Decimal
    spent: Decimal

    @property
    def percent(self) -> int:
        return int(self.spent * 100 / self.limit) if self.limit else 100

    @property
    def is_exceeded(self) -> bool:
        return self.spent > self.limit


def list_crossed_budgets() -> list[Budget]:
    """Return the crossed or nearly reached limits of open owners, the fullest first."""
    crossings = [*BudgetAlert.objects.select_related("intent").order_by("-pk")[:MAX_CROSSINGS]]
    portfolios = Portfolio.objects.filter(status=Status.ACTIVE).in_bulk([each.portfolio_id for each in crossings])
    owners: dict[UUID, Owner] = {
        each.intent.pk: each.intent for each in crossings if each.intent and each.intent.status not in FINAL
    }
    sums = _sum_trees(owners) | _sum_members(portfolios)
    owners |= portfolios
    found = {
        (owner_id, crossing.agent_id, limit): _budget(owners[owner_id], crossing.agent_id, limit, sums)
        for crossing in crossings
        if (owner_id := crossing.intent_id or crossing.portfolio_id) in owners
        for limit in _limits(owners[owner_id])
        if (limit.kind, str(limit.usd.normalize())) == (crossing.limit_kind, crossing.limit)
    }
    return sorted(found.values(), key=lambda budget: -budget.percent)


def list_portfolio_budgets(portfolio: Portfolio) -> list[Budget]:
    """Return all limits of the portfolio; those per agent for each agent that spent something."""
    return _list_budgets(portfolio, _sum_members([portfolio.pk]))


def list_intent_budgets(intent: Intent) -> tuple[list[Budget], int]:
    """Return all limits of the intent, and the amount spent on it and its descendants, in 10^-14 USD."""
    sums = _sum_trees([intent.pk])
    return _list_budgets(intent, sums), sums.get((intent.pk, ""), 0)


def _list_budgets(owner: Owner, sums: Sums) -> list[Budget]:
    agents = [agent_id for _, agent_id in sums if agent_id]
    return [
        _budget(owner, agent_id, limit, sums)
        for limit in _limits(owner)
        if limit.kind != PER_CALL
        for agent_id in (agents if limit.kind == PER_AGENT else [""])
    ]


def _limits(owner: Owner) -> list[Limit]:
    return (
        budget_limits.intent_limits(owner.constraints)
        if isinstance(owner, Intent)
        else budget_limits.portfolio_limits(owner.governance_policy)
    )


def _budget(owner: Owner, agent_id: str, limit: Limit, sums: Sums) -> Budget:
    model = "intents_intent" if isinstance(owner, Intent) else "portfolios_portfolio"
    spent = sums.get((owner.pk, agent_id if limit.kind == PER_AGENT else ""), 0)
    url = reverse(f"admin:{model}_change", args=[owner.pk])
    return Budget(str(owner), url, agent_id, limit.usd, Decimal(spent).scaleb(-DOLLAR_DECIMALS))


def _sum_trees(roots: Iterable[UUID]) -> Sums:
    ids = [Intent._meta.pk.get_db_prep_value(pk, connection) for pk in roots]
    found = db.fetch_all(_TREE_SUMS.format(", ".join(["%s"] * len(ids)) or "NULL"), ids)
    return _add_sums([(UUID(str(root)), *others) for root, *others in found])


def _sum_members(portfolios: Iterable[UUID]) -> Sums:
    spending = CostTotal.objects.filter(intent__memberships__portfolio__in=[*portfolios]).order_by()
    return _add_sums(
        spending.values_list("intent__memberships__portfolio", "agent_id", "unit").annotate(Sum("whole"), Sum("parts"))
    )


def _add_sums(rows: Iterable[Any]) -> Sums:
    sums: Sums = defaultdict(int)
    for owner_id, agent_id, unit, whole, parts in rows:
        more = (int(whole) * TRILLIONTHS + int(parts)) * CENTS_PER_UNIT.get(unit, 0)
        sums[owner_id, agent_id] += more
        sums[owner_id, ""] += more
    return dict(sums)
