"""Whose spending counts: each intent's once, however it is reached (rule C-4)."""

from uuid import UUID

from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from costs.models import Spending
from intents.graph import awaited_by
from intents.models import EdgeKind
from portfolios.models import Member


def of_tree(intent_id: UUID) -> QuerySet[Spending]:
    """On the intent and on all its descendants."""
    sql, parameters = awaited_by([intent_id], EdgeKind.CHILD)
    return Spending.objects.filter(intent_id__in=RawSQL(sql, parameters))


def of_members(portfolio_id: UUID) -> QuerySet[Spending]:
    """On the members, but not on what is below them."""
    return Spending.objects.filter(intent_id__in=Member.objects.filter(portfolio_id=portfolio_id).values("intent_id"))
