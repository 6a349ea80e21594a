"""Whose spending counts: each intent's once, however it is reached (rule C-4)."""

from uuid import UUID

from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from costs.models import CostTotal
from intents.graph import awaited_ids_sql
from intents.models import EdgeKind
from portfolios.models import Membership


def tree_totals(intent_id: UUID) -> QuerySet[CostTotal]:
    """On the intent and on all its descendants."""
    sql, parameters = awaited_ids_sql([intent_id], EdgeKind.CHILD)
    return CostTotal.objects.filter(intent_id__in=RawSQL(sql, parameters))


def portfolio_totals(portfolio_id: UUID) -> QuerySet[CostTotal]:
    """On the members, but not on what is below them."""
    return CostTotal.objects.filter(intent_id__in=Membership.objects.filter(portfolio_id=portfolio_id).values("intent_id"))
