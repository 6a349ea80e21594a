"""Portfolios with their members, as the API shows them: a fixed number of queries for each thousand members."""

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from core import encoding
from core.api.pagination import PAGE_BYTES, Page, decode_cursor, encode_cursor, trim_to_page
from core.db import sql_rows
from core.db.sql_rows import Row
from intents.models import FINAL, Edge, EdgeKind, Intent
from intents.models import Status as IntentStatus
from portfolios.errors import PortfolioNotFound
from portfolios.models import Membership, Portfolio
from portfolios.serializers import member_body, portfolio_body

MEMBER = ("id", "portfolio_id", "intent_id", "role", "priority")
MOST_MEMBERS = 10_000  # Of all portfolios in a page.
IN_ORDER = ("-priority", "id")


def get_portfolio_body(portfolio_id: UUID | str) -> dict[str, Any]:
    """The portfolio's body. Raises PortfolioNotFound."""
    found = sql_rows.fetch(Portfolio.objects.filter(pk=portfolio_id)) if isinstance(portfolio_id, UUID) else []
    if not found:
        raise PortfolioNotFound(portfolio_id)
    return portfolio_bodies(found)[0][0]


def portfolio_bodies(portfolios: Sequence[Row]) -> tuple[list[dict[str, Any]], bool]:
    """Return the first portfolios, with their members, that make a page, and whether others are left.

    Of the first one `intents` may be only some of the members: `intents_next` is where `members_page` goes on.
    """
    portfolios, are_all = _few_members(portfolios)
    members = Membership.objects.filter(portfolio_id__in=[each.id for each in portfolios])
    status = {row.id: row for row in sql_rows.fetch(Intent.objects.filter(pk__in=members.values("intent_id")), "id", "status")}
    waiting = _waiting(members)
    of: dict[Any, list[Row]] = defaultdict(list)
    for member in sql_rows.fetch(members.order_by(*IN_ORDER), *MEMBER):
        if member.intent_id in status:  # Else it was added after its intent was asked for.
            of[member.portfolio_id].append(member)
    ids = [member.intent_id for each in portfolios for member in of[each.id]]
    intents, taken = sql_rows.fetch_ids_within(Intent, ids, PAGE_BYTES)
    found: list[dict[str, Any]] = []
    for portfolio in portfolios:
        mine = of[portfolio.id]
        if found and taken < len(mine):
            return found, True
        whole = aggregate_status([status[member.intent_id] for member in mine], waiting)
        pairs = [(intents[member.intent_id], member) for member in mine[:taken]]
        rest = _cursor(mine[taken - 1]) if taken < len(mine) else None
        found.append(portfolio_body(portfolio, pairs, whole, rest))
        taken -= len(pairs)
    return found, not are_all


def _few_members(portfolios: Sequence[Row]) -> tuple[Sequence[Row], bool]:
    """The first portfolios that have MOST_MEMBERS together, one at least, and whether they are all of them."""
    counted = Membership.objects.filter(portfolio_id__in=[each.id for each in portfolios]).values_list("portfolio_id")
    counts = {pk.hex: count for pk, count in counted.annotate(Count("id"))}
    total = 0
    for number, each in enumerate(portfolios):
        total += counts.get(str(each.id).replace("-", ""), 0)
        if total > MOST_MEMBERS and number:
            return portfolios[:number], False
    return portfolios, True


def members_page(portfolio_id: UUID, *, limit: int, cursor: str | None) -> Page:
    """Bodies of members, the highest priority first, and of the same priority the oldest. Raises Invalid."""
    members = Membership.objects.filter(portfolio_id=portfolio_id)
    if cursor:
        priority, last = decode_cursor(cursor, [_number, _number])
        members = members.filter(Q(priority__lte=priority) & (Q(priority__lt=priority) | Q(id__gt=last)))
    found = trim_to_page(sql_rows.fetch(members.order_by(*IN_ORDER)[: limit + 1], *MEMBER), limit, _cursor)
    intents, taken = sql_rows.fetch_ids_within(Intent, [row.intent_id for row in found.rows], PAGE_BYTES)
    if taken < len(found.rows):
        found = Page(found.rows[:taken], _cursor(found.rows[taken - 1]))
    return Page([member_body(intents[row.intent_id], row) for row in found.rows], found.next)


def _cursor(member: Row) -> str:
    return encode_cursor([member.priority, member.id])


def aggregate_status(intents: Collection[Row], waiting: Collection[Any]) -> dict[str, Any]:
    """How far the members are: all the way where there are none (rule P-5).

    Blocking are those that are blocked; ready the open ones that are not, and wait for no dependency.
    """
    counts = Counter(intent.status for intent in intents)
    unready = (*FINAL, IntentStatus.BLOCKED)
    return {
        "total": len(intents),
        "by_status": {str(each): counts[each] for each in IntentStatus},
        "completion_percentage": round(100 * counts[IntentStatus.COMPLETED] / len(intents), 2) if intents else 100.0,
        "blocking_intents": [encoding.identifier(each.id) for each in intents if each.status == IntentStatus.BLOCKED],
        "ready_intents": [
            encoding.identifier(each.id) for each in intents if each.status not in unready and each.id not in waiting
        ],
    }


def _waiting(members: QuerySet[Membership]) -> set[Any]:
    """The members' intents that have a dependency which is not completed."""
    edges = Edge.objects.filter(waiter_id__in=members.values("intent_id"), kind=EdgeKind.DEPENDENCY)
    return {edge.waiter_id for edge in sql_rows.fetch(edges.exclude(awaited__status=IntentStatus.COMPLETED), "waiter_id")}


def _number(value: Any) -> int:
    """A kind of cursor value. Raises ValueError."""
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**63:
        raise ValueError(value)
    return value
