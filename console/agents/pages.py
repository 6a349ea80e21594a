"""The agents: what each holds, does and costs. There is no table of them: they are who was assigned, held a lease, spent or acted.

What was done lately is read from the newest events alone, so that a page costs the same however long the log is.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Count, F, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from access.models import ApiKey
from attachments.models import Attachment
from console.charts import Part
from console.event_text import is_agent
from console.live_admin import answer, refuse_unknown
from console.portfolios.pages import newest_events, progress
from core.db import database_now
from core.ids import first_id_at
from costs.amounts import CENTS_PER_UNIT, TRILLIONTHS
from costs.models import Cost, CostTotal
from governance.models import Arbitration
from intents.models import Assignment, Event, Intent, Status
from leasing.models import Lease
from retries.models import Failure

SHOWN = 50  # Agents of a page.
ROWS = 20  # Of each panel.
NEWEST = 5_000  # Events that tell who did something lately.
LOOKED_AT = 300  # Intents whose newest events are looked at.
EVERY = 30  # Seconds.
OPEN = [Status.ACTIVE, Status.BLOCKED, Status.PENDING, Status.DRAFT]


_TABLES: list[QuerySet[Any]] = [Assignment.objects.all(), Lease.objects.all(), CostTotal.objects.all()]
"""What agents leave behind."""


@dataclass(slots=True)
class Agent:
    """Money is in 10^-14 USD. `seen_at` None: it did nothing among the newest events."""

    id: str
    seen_at: datetime | None = None
    leases: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    today: int = 0
    total: int = 0

    @property
    def open(self) -> int:
        return sum(self.counts[status] for status in OPEN)

    @property
    def parts(self) -> list[Part]:
        return progress(self.counts).parts


@dataclass(frozen=True, slots=True)
class Lately:
    """Who did something among the newest events, and since when these are; None: that are all there are."""

    seen: Mapping[str, datetime]
    since: datetime | None

    @classmethod
    def read(cls) -> "Lately":
        newest = Event.objects.order_by("-row").values_list("actor", "created_at")[:NEWEST]
        seen: dict[str, datetime] = {}
        last, count = None, 0
        for actor, created_at in newest:
            seen.setdefault(actor, created_at)
            last, count = created_at, count + 1
        return cls(seen, last if count == NEWEST else None)


@require_GET
def page(request: HttpRequest) -> HttpResponse:
    refuse_unknown(request, ("q", "p"))
    query = request.GET.get("q", "").strip()
    number = max(1, int(given) if (given := request.GET.get("p", "")).isdecimal() and len(given) < 6 else 1)
    lately = Lately.read()
    known = sorted(
        (each for each in _known() | set(lately.seen) if is_agent(each) and query.casefold() in each.casefold()),
        key=lambda each: (-seen.timestamp() if (seen := lately.seen.get(each)) else 0.0, each),
    )
    shown = known[(number - 1) * SHOWN : number * SHOWN]
    context = {
        "title": "Agents",
        "agents": _described(shown, lately, database_now()),
        "since": lately.since,
        "count": len(known),
        "query": query,
        "previous": number - 1,
        "next": number + 1 if len(known) > number * SHOWN else 0,
        "above": "console/agents/search.html",
    }
    return answer(request, "console/agents/list.html", context, every=EVERY, pace=5)


@require_GET
def one(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Raises Http404 for somebody of whom nothing is known."""
    now, lately = database_now(), Lately.read()
    if agent_id not in lately.seen and not _is_known(agent_id):
        raise Http404(f"Agent {agent_id[:60]!r} not found.")
    [agent] = _described([agent_id], lately, now)
    assigned = Intent.objects.filter(assignments__agent_id=agent_id).defer("state", "constraints")
    own = {name: F(f"assignments__{name}") for name in ("role", "assigned_by", "assigned_at")}
    newest = [*assigned.order_by("-updated_at", "-pk").values_list("pk", flat=True)[:LOOKED_AT]]
    questions = Arbitration.objects.filter(requester_id=agent_id, intent__in=newest).select_related("intent")
    context = {
        "title": agent_id,
        "agent": agent,
        "since": lately.since,
        "leases": _leases(agent_id, now),
        "work": assigned.filter(status__in=OPEN).annotate(**own).order_by("-updated_at", "-pk")[:ROWS],
        "questions": questions.order_by("-pk")[:ROWS],
        "failures": Failure.objects.filter(agent_id=agent_id, intent__in=newest).select_related("intent").order_by("-pk")[:ROWS],
        "keys": ApiKey.objects.live(now).filter(agent_id=agent_id)[:ROWS],
        "events": newest_events(newest, ROWS),
    }
    return answer(request, "console/agents/detail.html", context, follow={"agent": agent_id}, every=EVERY)


def _known() -> set[str]:
    found = [rows.order_by().values_list("agent_id", flat=True).distinct() for rows in _TABLES]
    return set(found[0].union(*found[1:]))


def _is_known(agent_id: str) -> bool:
    """Also of one that other pages lead to, although it is in no list: it attached something, or failed, long ago."""
    left = [*(rows.filter(agent_id=agent_id) for rows in [*_TABLES, Failure.objects.all()])]
    return any(rows.exists() for rows in [*left, Attachment.objects.filter(uploaded_by=agent_id)])


def _described(ids: Collection[str], lately: Lately, now: datetime) -> list[Agent]:
    agents = {each: Agent(each, lately.seen.get(each)) for each in ids}
    for agent_id, status, count in _statuses(ids):
        agents[agent_id].counts[status] = count
    held = Lease.objects.held().filter(agent_id__in=ids).order_by().values_list("agent_id").annotate(Count("pk"))
    for agent_id, count in held:
        agents[agent_id].leases = count
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for agent_id, amount in _money(Cost.objects.filter(pk__gte=first_id_at(midnight), agent_id__in=ids)).items():
        agents[agent_id].today = amount
    for agent_id, amount in _money(CostTotal.objects.filter(agent_id__in=ids)).items():
        agents[agent_id].total = amount
    return [*agents.values()]


def _statuses(ids: Collection[str]) -> Any:
    assigned = Assignment.objects.filter(agent_id__in=ids).order_by()
    return assigned.values_list("agent_id", "intent__status").annotate(Count("pk"))


def _money(spent: QuerySet[Any]) -> dict[str, int]:
    """By agent."""
    sums: dict[str, int] = defaultdict(int)
    of_money = spent.filter(unit__in=CENTS_PER_UNIT).order_by().values_list("agent_id", "unit")
    for agent_id, unit, whole, parts in of_money.annotate(Sum("whole"), Sum("parts")):
        sums[agent_id] += (int(whole) * TRILLIONTHS + int(parts)) * CENTS_PER_UNIT[unit]
    return sums


def _leases(agent_id: str, now: datetime) -> QuerySet[Lease]:
    return Lease.objects.held().filter(agent_id=agent_id).select_related("intent").order_by("expires_at")[:ROWS]
