"""Portfolio page: progress, members, blockers, costs. A fixed number of queries."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, Sum

from console import budget_usage
from console.charts import Segment
from console.dashboard import list_blockers
from core.db import database_now
from costs import rollups
from costs.amounts import CENTS_PER_UNIT, TRILLIONTHS
from intents.models import Event, Intent, Status
from portfolios import policy
from portfolios.models import Membership, Portfolio

MAX_MEMBERS = 200  # Members.
EVENTS = 20
MAX_INTENTS = 300  # Members whose newest events are looked at.
SPENDERS = 8
ORDER = [Status.BLOCKED, Status.ACTIVE, Status.PENDING, Status.DRAFT, Status.COMPLETED, Status.ABANDONED]

Counts = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Group:
    """Members of one status, by priority. `count` is the number of all."""

    status: str
    count: int
    members: list[Membership]


@dataclass(frozen=True, slots=True)
class Progress:
    total: int
    done: int
    parts: list[Segment]

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total if self.total else 0


def portfolio_detail(portfolio: Portfolio) -> dict[str, Any]:
    counts = count_members_by_status([portfolio.pk])[portfolio.pk]
    rows = portfolio.members.select_related("intent").defer("intent__state", "intent__constraints").order_by("-priority", "pk")
    is_open = ~Q(intent__status__in=[Status.COMPLETED, Status.ABANDONED])
    members = [*rows.filter(is_open)[:MAX_MEMBERS]]
    members += rows.exclude(is_open)[: MAX_MEMBERS - len(members)]
    blocked = [each for each in members if each.intent.status == Status.BLOCKED]
    found = list_blockers({each.intent_id for each in blocked}, database_now())
    blocking = policy.blocking_statuses(portfolio.governance_policy)
    shared = portfolio.governance_policy.get("shared_constraints")
    changed = Intent.objects.filter(memberships__portfolio=portfolio).order_by("-updated_at", "-pk").values_list("pk", flat=True)
    return {
        "portfolio": portfolio,
        "progress": build_progress(counts),
        "groups": [
            Group(status.value, counts[status], [each for each in members if each.intent.status == status])
            for status in ORDER
            if counts.get(status)
        ],
        "blocked": [(each, found.get(each.intent_id, [])) for each in blocked],
        "rules": describe_completion_rule(portfolio.governance_policy),
        "in_the_way": sum(counts.get(status, 0) for status in blocking) if portfolio.is_active else 0,
        "shared": sorted(shared.items()) if isinstance(shared, dict) else [],
        "budgets": budget_usage.list_portfolio_budgets(portfolio),
        **_costs(portfolio),
        "events": newest_events([*changed[:MAX_INTENTS]], EVENTS),
    }


def count_members_by_status(portfolios: Collection[UUID]) -> dict[UUID, Counter[str]]:
    """Return the number of members by status for each portfolio."""
    found: dict[UUID, Counter[str]] = defaultdict(Counter)
    members = Membership.objects.filter(portfolio__in=portfolios).order_by().values_list("portfolio_id", "intent__status")
    for pk, status, number in members.annotate(Count("pk")):
        found[pk][status] = number
    return found


def build_progress(counts: Counts) -> Progress:
    """Return the progress bar: completed, active, blocked, pending, draft, abandoned."""
    order = [Status.COMPLETED, Status.ACTIVE, Status.BLOCKED, Status.PENDING, Status.DRAFT, Status.ABANDONED]
    total = sum(counts.values())
    parts = Segment.stack([(status.value, counts.get(status, 0)) for status in order], total)
    return Progress(total, counts.get(Status.COMPLETED, 0), parts)


def describe_completion_rule(rules: Mapping[str, Any]) -> list[str]:
    """Return the completion rule of the policy in sentences (rule P-2)."""
    said = []
    if rules.get("require_all_completed"):
        partial = rules.get("allow_partial_completion")
        said.append(f"Can be completed once all members are completed{' or abandoned' if partial else ''}.")
    else:
        said.append("Can be completed at any time.")
    if (threshold := rules.get("auto_complete_threshold")) is not None:
        said.append(f"Completes automatically once {threshold:g} % of its members are completed.")
    return said


def _costs(portfolio: Portfolio) -> dict[str, Any]:
    """Return the sums in 10^-14 USD and the top spenders; other units one by one (rule C-2)."""
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


def newest_events(intents: Collection[UUID], count: int) -> list[Event]:
    """Return the newest events of these intents. Only the last few of each are read."""
    last = Event.objects.filter(intent__in=intents, sequence__gt=F("intent__last_sequence") - count)
    return [*last.select_related("intent").defer("payload", "intent__state", "intent__constraints").order_by("-row")[:count]]
