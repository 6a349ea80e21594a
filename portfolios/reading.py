"""Portfolios with their members, as the API shows them: a fixed number of queries, however many portfolios and members."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from config import wire
from config.paging import Page, cut, decode_cursor, encode_cursor
from intents import rows
from intents.models import FINAL, Edge, EdgeKind, Intent
from intents.models import Status as IntentStatus
from intents.rows import Row
from portfolios.errors import PortfolioNotFound
from portfolios.models import Member, Portfolio
from portfolios.serializers import member_body, portfolio_body

MEMBER = ("id", "portfolio_id", "intent_id", "role", "priority")
IN_ORDER = ("-priority", "id")


def shown(portfolio_id: UUID | str) -> dict[str, Any]:
    """The portfolio's body. Raises PortfolioNotFound."""
    found = rows.fetch(Portfolio.objects.filter(pk=portfolio_id)) if isinstance(portfolio_id, UUID) else []
    if not found:
        raise PortfolioNotFound(portfolio_id)
    return bodies(found)[0]


def bodies(portfolios: Sequence[Row]) -> list[dict[str, Any]]:
    members = Member.objects.filter(portfolio_id__in=[each.id for each in portfolios])
    intents, waiting = _intents(members), _waiting(members)
    of: dict[Any, list[tuple[Row, Row]]] = defaultdict(list)
    for member in rows.fetch(members.order_by(*IN_ORDER), *MEMBER):
        if intent := intents.get(member.intent_id):  # None: it was added after its intent was asked for.
            of[member.portfolio_id].append((intent, member))
    return [portfolio_body(each, of[each.id], aggregate([pair[0] for pair in of[each.id]], waiting)) for each in portfolios]


def members_page(portfolio_id: UUID, *, limit: int, cursor: str | None) -> Page:
    """Bodies of members, the highest priority first, and of the same priority the oldest. Raises Invalid."""
    members = Member.objects.filter(portfolio_id=portfolio_id)
    if cursor:
        priority, last = decode_cursor(cursor, [_number, _number])
        members = members.filter(Q(priority__lte=priority) & (Q(priority__lt=priority) | Q(id__gt=last)))
    found = cut(
        rows.fetch(members.order_by(*IN_ORDER)[: limit + 1], *MEMBER), limit, lambda row: encode_cursor([row.priority, row.id])
    )
    intents = _by_id(Intent.objects.filter(pk__in=[row.intent_id for row in found.rows]))
    return Page([member_body(intents[row.intent_id], row) for row in found.rows], found.next)


def aggregate(intents: Collection[Row], waiting: Collection[Any]) -> dict[str, Any]:
    """How far the members are: all the way where there are none (rule P-5).

    Blocking are those that are blocked; ready the open ones that are not, and wait for no dependency.
    """
    counts = Counter(intent.status for intent in intents)
    unready = (*FINAL, IntentStatus.BLOCKED)
    return {
        "total": len(intents),
        "by_status": {str(each): counts[each] for each in IntentStatus},
        "completion_percentage": round(100 * counts[IntentStatus.COMPLETED] / len(intents), 2) if intents else 100.0,
        "blocking_intents": [wire.identifier(each.id) for each in intents if each.status == IntentStatus.BLOCKED],
        "ready_intents": [wire.identifier(each.id) for each in intents if each.status not in unready and each.id not in waiting],
    }


def _intents(members: QuerySet[Member]) -> dict[Any, Row]:
    return _by_id(Intent.objects.filter(pk__in=members.values("intent_id")))


def _by_id(intents: QuerySet[Intent]) -> dict[Any, Row]:
    return {row.id: row for row in rows.fetch(intents)}


def _waiting(members: QuerySet[Member]) -> set[Any]:
    """The members' intents that have a dependency which is not completed."""
    edges = Edge.objects.filter(waiter_id__in=members.values("intent_id"), kind=EdgeKind.DEPENDENCY)
    return {edge.waiter_id for edge in rows.fetch(edges.exclude(awaited__status=IntentStatus.COMPLETED), "waiter_id")}


def _number(value: Any) -> int:
    """A kind of cursor value. Raises ValueError."""
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**63:
        raise ValueError(value)
    return value
