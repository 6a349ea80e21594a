"""Queries of portfolios with their members: a fixed number for each thousand members."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db.models import Count, Q

from core import encoding
from core.api.pagination import PAGE_BYTES, Page, decode_cursor, encode_cursor, trim_to_page
from core.db import sql_rows
from core.db.sql_rows import Row
from intents.models import FINAL, Edge, EdgeKind, Intent
from intents.models import Status as IntentStatus
from portfolios.errors import PortfolioNotFound
from portfolios.models import Membership, NewMember, Portfolio
from portfolios.representation import PortfolioMemberOut, PortfolioOut

MEMBER_FIELDS = ("id", "portfolio_id", "intent_id", "role", "priority")
MAX_MEMBERS = 10_000  # Of all portfolios of a page.
MEMBER_ORDER = ("-priority", "id")


def get_portfolio_body(portfolio_id: UUID | str) -> dict[str, Any]:
    """Return the portfolio's body. Raise PortfolioNotFound."""
    found = sql_rows.fetch(Portfolio.objects.filter(pk=portfolio_id)) if isinstance(portfolio_id, UUID) else []
    if not found:
        raise PortfolioNotFound(portfolio_id)
    return portfolio_bodies(found)[0][0]


def new_portfolio_body(
    portfolio: Portfolio, members: Sequence[NewMember], bodies: Mapping[UUID, dict[str, Any]]
) -> dict[str, Any]:
    """Return what `get_portfolio_body` does, from the new members and the bodies of their intents: nothing is read."""
    ordered = sorted(members, key=lambda member: -member.priority)
    intents = [PortfolioMemberOut.render((bodies[each.intent.pk], each)) for each in ordered]
    return _portfolio_body(portfolio, intents, aggregate_status([each.intent for each in ordered], ()))


def _portfolio_body(
    portfolio: Portfolio | Row, intents: Sequence[dict[str, Any]], whole: dict[str, Any], rest: str | None = None
) -> dict[str, Any]:
    context = {"intents": intents, "intents_next": rest, "aggregate_status": whole}
    return PortfolioOut(context=context).to_representation(portfolio)


def portfolio_bodies(portfolios: Sequence[Row]) -> tuple[list[dict[str, Any]], bool]:
    """Return the bodies of the first portfolios that fit into a page, and whether others remain.

    The `intents` of the first one may be only some of its members: `intents_next` is the cursor of the others (`members_page`).
    """
    portfolios, are_all = _first_with_max_members(portfolios)
    members = Membership.objects.filter(portfolio_id__in=[each.id for each in portfolios])
    status = {row.id: row for row in sql_rows.fetch(Intent.objects.filter(pk__in=members.values("intent_id")), "id", "status")}
    edges = Edge.objects.filter(waiter_id__in=members.values("intent_id"), kind=EdgeKind.DEPENDENCY)
    unmet = sql_rows.fetch(edges.exclude(awaited__status=IntentStatus.COMPLETED), "waiter_id")
    waiting = {edge.waiter_id for edge in unmet}
    members_of: dict[Any, list[Row]] = defaultdict(list)
    for member in sql_rows.fetch(members.order_by(*MEMBER_ORDER), *MEMBER_FIELDS):
        if member.intent_id in status:  # Else it was added after the query of the intents.
            members_of[member.portfolio_id].append(member)
    ids = [member.intent_id for each in portfolios for member in members_of[each.id]]
    intents, taken = sql_rows.fetch_ids_within(Intent, ids, PAGE_BYTES)
    found: list[dict[str, Any]] = []
    for portfolio in portfolios:
        rows = members_of[portfolio.id]
        if found and taken < len(rows):
            return found, True
        whole = aggregate_status([status[member.intent_id] for member in rows], waiting)
        bodies = [PortfolioMemberOut.render((intents[member.intent_id], member)) for member in rows[:taken]]
        rest = _cursor(rows[taken - 1]) if taken < len(rows) else None
        found.append(_portfolio_body(portfolio, bodies, whole, rest))
        taken -= len(bodies)
    return found, not are_all


def _first_with_max_members(portfolios: Sequence[Row]) -> tuple[Sequence[Row], bool]:
    """Return the first portfolios that have at most MAX_MEMBERS together, at least one, and whether these are all."""
    counted = Membership.objects.filter(portfolio_id__in=[each.id for each in portfolios]).values_list("portfolio_id")
    counts = {pk.hex: count for pk, count in counted.annotate(Count("id"))}
    total = 0
    for number, each in enumerate(portfolios):
        total += counts.get(str(each.id).replace("-", ""), 0)
        if total > MAX_MEMBERS and number:
            return portfolios[:number], False
    return portfolios, True


def members_page(portfolio_id: UUID, *, limit: int, cursor: str | None) -> Page:
    """Return a page of members' bodies, the highest priority first, then the oldest. Raise Invalid for a bad cursor."""
    members = Membership.objects.filter(portfolio_id=portfolio_id)
    if cursor:
        priority, last = decode_cursor(cursor, [_number, _number])
        members = members.filter(Q(priority__lte=priority) & (Q(priority__lt=priority) | Q(id__gt=last)))
    found = trim_to_page(sql_rows.fetch(members.order_by(*MEMBER_ORDER)[: limit + 1], *MEMBER_FIELDS), limit, _cursor)
    intents, taken = sql_rows.fetch_ids_within(Intent, [row.intent_id for row in found.rows], PAGE_BYTES)
    if taken < len(found.rows):
        found = Page(found.rows[:taken], _cursor(found.rows[taken - 1]))
    return Page([PortfolioMemberOut.render((intents[row.intent_id], row)) for row in found.rows], found.next)


def _cursor(member: Row) -> str:
    return encode_cursor([member.priority, member.id])


def aggregate_status(intents: Collection[Intent | Row], waiting: Collection[Any]) -> dict[str, Any]:
    """Return the progress of the members: 100 % without any (rule P-5).

    Blocking are the blocked ones; ready are the open ones that are not blocked and have no unmet dependency.
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


def _number(value: Any) -> int:
    """Validate a number of a cursor. Raise ValueError."""
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**63:
        raise ValueError(value)
    return value
