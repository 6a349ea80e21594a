"""Rollups: cost totals of a tree or a portfolio, each intent once (rule C-4)."""

from uuid import UUID

from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from costs.models import CostTotal
from intents.graph import awaited_ids_sql
from intents.models import EdgeKind
from portfolios.models import Membership


def tree_totals(intent_id: UUID) -> QuerySet[CostTotal]:
    """Return the totals of the intent and of all its descendants."""
    sql, parameters = awaited_ids_sql([intent_id], EdgeKind.CHILD)
    return CostTotal.objects.filter(intent_id__in=RawSQL(sql, parameters))


def portfolio_totals(portfolio_id: UUID) -> QuerySet[CostTotal]:
    """Return the totals of the members, without their descendants."""
    return CostTotal.objects.filter(intent_id__in=Membership.objects.filter(portfolio_id=portfolio_id).values("intent_id"))
