"""What a portfolio's page shows: how far it is, who is in it, what stands in its way, what it costs. A fixed number of queries."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, Sum

from console import budget_usage
from console.charts import Part
from console.dashboard import waits
from core.db import database_now
from costs import rollups
from costs.amounts import CENTS_PER_UNIT, TRILLIONTHS
from intents.models import Event, Intent, Status
from portfolios import policy
from portfolios.models import Membership, Portfolio

SHOWN = 200  # Members.
EVENTS = 20
LOOKED_AT = 300  # Members whose newest events are looked at.
SPENDERS = 8
ORDER = [Status.BLOCKED, Status.ACTIVE, Status.PENDING, Status.DRAFT, Status.COMPLETED, Status.ABANDONED]

Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Group:
    """Members of one status, the most important first; `count` is how many there are in all."""

    status: str
    count: int
    members: list[Membership]


@dataclass(frozen=True, slots=True)
class Progress:
    total: int
    done: int
    parts: list[Part]

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total if self.total else 0


def gather(portfolio: Portfolio) -> dict[str, Any]:
    counts = counts_of([portfolio.pk])[portfolio.pk]
    members = _members(portfolio)
    blocked = [each for each in members if each.intent.status == Status.BLOCKED]
    found = waits({each.intent_id for each in blocked}, database_now())
    return {
        "portfolio": portfolio,
        "progress": progress(counts),
        "groups": [*_groups(members, counts)],
        "blocked": [(each, found.get(each.intent_id, [])) for each in blocked],
        "rules": in_words(portfolio.governance_policy),
        "in_the_way": _in_the_way(portfolio, counts),
        "shared": _shared(portfolio),
        "budgets": budget_usage.of_portfolio(portfolio),
        **_costs(portfolio),
        "events": _events(portfolio),
    }


def counts_of(portfolios: Collection[UUID]) -> dict[UUID, Counter[str]]:
    """How many members of each status each of them has."""
    found: dict[UUID, Counter[str]] = defaultdict(Counter)
    members = Membership.objects.filter(portfolio__in=portfolios).order_by().values_list("portfolio_id", "intent__status")
    for pk, status, number in members.annotate(Count("pk")):
        found[pk][status] = number
    return found


def progress(counts: Counts) -> Progress:
    """In the order of their ends: what is done, what is under way, what stands still, what is yet to come, what was given up."""
    order = [Status.COMPLETED, Status.ACTIVE, Status.BLOCKED, Status.PENDING, Status.DRAFT, Status.ABANDONED]
    total = sum(counts.values())
    parts = Part.row([(status.value, counts.get(status, 0)) for status in order], total)
    return Progress(total, counts.get(Status.COMPLETED, 0), parts)


def in_words(rules: Mapping[str, Any]) -> list[str]:
    """What the policy says about the portfolio's end (rule P-2)."""
    said = []
    if rules.get("require_all_completed"):
        partial = rules.get("allow_partial_completion")
        said.append(f"Can be completed once all members are completed{' or abandoned' if partial else ''}.")
    else:
        said.append("Can be completed at any time.")
    if (threshold := rules.get("auto_complete_threshold")) is not None:
        said.append(f"Completes automatically once {threshold:g} % of its members are completed.")
    return said


def _in_the_way(portfolio: Portfolio, counts: Counts) -> int:
    """How many members keep it from being completed."""
    return (
        sum(counts.get(status, 0) for status in policy.blocking_statuses(portfolio.governance_policy))
        if portfolio.is_active
        else 0
    )


def _members(portfolio: Portfolio) -> list[Membership]:
    """Of very many, the open ones first: on what is over nobody needs to act."""
    rank = {status.value: number for number, status in enumerate(ORDER)}
    members = portfolio.members.select_related("intent").defer("intent__state", "intent__constraints")
    is_open = ~Q(intent__status__in=[Status.COMPLETED, Status.ABANDONED])
    shown = [*members.filter(is_open).order_by("-priority", "pk")[:SHOWN]]
    shown += members.exclude(is_open).order_by("-priority", "pk")[: SHOWN - len(shown)]
    return sorted(shown, key=lambda each: rank[each.intent.status])


def _groups(members: list[Membership], counts: Counts) -> Iterator[Group]:
    for status in ORDER:
        if counts.get(status):
            yield Group(status.value, counts[status], [each for each in members if each.intent.status == status])


def _shared(portfolio: Portfolio) -> list[tuple[str, Any]]:
    shared = portfolio.governance_policy.get("shared_constraints")
    return sorted(shared.items()) if isinstance(shared, dict) else []


def _costs(portfolio: Portfolio) -> dict[str, Any]:
    """In 10^-14 USD: what was spent, and by whom; of other units, each by itself (rule C-2)."""
    sums = rollups.portfolio_totals(portfolio.pk).order_by().values_list("unit", "agent_id").annotate(Sum("whole"), Sum("parts"))
    spenders: Counter[str] = Counter()
    others: Counter[str] = Counter()
    for unit, agent_id, whole, parts in sums:
        amount = int(whole) * TRILLIONTHS + int(parts)
        if unit in CENTS_PER_UNIT:
            spenders[agent_id] += amount * CENTS_PER_UNIT[unit]
        else:
            others[unit] += amount
    return {"spent": sum(spenders.values()), "spenders": spenders.most_common(SPENDERS), "other_units": sorted(others.items())}


def _events(portfolio: Portfolio) -> list[Event]:
    """The newest, of the portfolio itself and of its members: of those that changed last, so that it costs the same however many."""
    newest = Intent.objects.filter(memberships__portfolio=portfolio).order_by("-updated_at", "-pk").values_list("pk", flat=True)
    return newest_events([*newest[:LOOKED_AT]], EVENTS)


def newest_events(intents: Collection[UUID], count: int) -> list[Event]:
    """Of these intents, the newest first. Only the last few of each are looked at."""
    last = Event.objects.filter(intent__in=intents, sequence__gt=F("intent__last_sequence") - count)
    return [*last.select_related("intent").defer("payload", "intent__state", "intent__constraints").order_by("-row")[:count]]
