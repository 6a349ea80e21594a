"""Agent pages: the leases, intents and costs of each agent.

Agents have no table: an agent is an id that was assigned, held a lease, spent or acted. Activity is read from the newest
events alone, so that a page costs the same however long the log is.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, F, QuerySet, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from access.models import ApiKey
from attachments.models import Attachment
from console.charts import Segment
from console.event_text import is_agent
from console.live_admin import reject_unknown_parameters, render_live
from console.portfolios.pages import build_progress, newest_events
from console.reader_zone import midnight
from console.sort_order import PARAMETER as ORDERING
from console.sort_order import Column, build_headings, requested_ordering
from core.db import database_now
from core.ids import first_id_at
from costs.amounts import CENTS_PER_UNIT, TRILLIONTHS
from costs.models import Cost, CostTotal
from governance.models import Arbitration
from intents.models import Assignment, Event, Intent, Status
from leasing.models import Lease
from retries.models import Failure

PAGE_SIZE = 50  # Agents of a page.
PANEL_ROWS = 20  # Of each panel.
RECENT_EVENTS = 5_000  # Events that tell who did something lately.
MAX_INTENTS = 300  # Intents whose newest events are looked at.
REFRESH_SECONDS = 30  # Seconds.
OPEN = [Status.ACTIVE, Status.BLOCKED, Status.PENDING, Status.DRAFT]

COLUMNS = (
    Column("Agent", "id", looks="oi-first"),
    Column("Last active", "seen_at", is_descending=True),
    Column("Open intents", "open", is_descending=True, looks="oi-right"),
    Column("Assigned intents", looks="oi-wide"),
    Column("Cost", looks="oi-right"),
)
DEFAULT_ORDERING = "-seen_at"

_TABLES: list[QuerySet[Any]] = [Assignment.objects.all(), Lease.objects.all(), CostTotal.objects.all()]
"""Tables with agent ids."""


@dataclass(slots=True)
class AgentSummary:
    """The figures of an agent. Money is in 10^-14 USD; `seen_at` is None without activity among the newest events."""

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
    def parts(self) -> list[Segment]:
        return build_progress(self.counts).parts


@dataclass(frozen=True, slots=True)
class RecentActivity:
    """The last activity of each actor among the newest events. `since` is the oldest of them, None if they are all."""

    seen: Mapping[str, datetime]
    since: datetime | None

    @classmethod
    def read(cls, limit: int | None = None) -> "RecentActivity":
        limit = limit or RECENT_EVENTS
        newest = Event.objects.order_by("-row").values_list("actor", "created_at")[:limit]
        seen: dict[str, datetime] = {}
        last, count = None, 0
        for actor, created_at in newest:
            seen.setdefault(actor, created_at)
            last, count = created_at, count + 1
        return cls(seen, last if count == limit else None)


def find_agents(query: str, recent: RecentActivity) -> list[str]:
    """Return the agents whose id contains the text, the latest to act first."""
    ids = [rows.order_by().values_list("agent_id", flat=True).distinct() for rows in _TABLES]
    return sorted(
        (each for each in {*ids[0].union(*ids[1:]), *recent.seen} if is_agent(each) and query.casefold() in each.casefold()),
        key=lambda each: (-seen.timestamp() if (seen := recent.seen.get(each)) else 0.0, each),
    )


def sort_agents(ids: Sequence[str], ordering: str, recent: RecentActivity) -> list[str]:
    """Sort the ids by a column. Those without activity among the newest events are always the last of that column."""
    is_descending, by_name = ordering.startswith("-"), sorted(ids, key=lambda each: (each.casefold(), each))
    match ordering.lstrip("-"):
        case "id":
            return by_name[::-1] if is_descending else by_name
        case "seen_at":
            seen = sorted((each for each in by_name if each in recent.seen), key=recent.seen.__getitem__, reverse=is_descending)
            return seen + [each for each in by_name if each not in recent.seen]
        case _:
            counts = _count_open()
            return sorted(by_name, key=lambda each: counts.get(each, 0), reverse=is_descending)


def _count_open() -> dict[str, int]:
    """Return the number of open intents of each agent that has some."""
    of_agents = Assignment.objects.filter(intent__status__in=OPEN).order_by().values_list("agent_id")
    return dict(of_agents.annotate(Count("pk")))


@require_GET
def list_page(request: HttpRequest) -> HttpResponse:
    reject_unknown_parameters(request, ("q", "p", ORDERING))
    ordering, _ = requested_ordering(request, COLUMNS, DEFAULT_ORDERING)
    query = request.GET.get("q", "").strip()
    number = max(1, int(given) if (given := request.GET.get("p", "")).isdecimal() and len(given) < 6 else 1)
    recent = RecentActivity.read()
    known = sort_agents(find_agents(query, recent), ordering, recent)
    shown = known[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    context = {
        "title": "Agents",
        "agents": _load_summaries(shown, recent, database_now()),
        "since": recent.since,
        "count": len(known),
        "query": query,
        "ordering": ordering if request.GET.get(ORDERING) else "",
        "headings": build_headings(COLUMNS, ordering, lambda chosen: f"?{_query(q=query, ordering=chosen)}"),
        "previous": number - 1,
        "next": number + 1 if len(known) > number * PAGE_SIZE else 0,
        "above": "console/agents/search.html",
    }
    return render_live(request, "console/agents/list.html", context, refresh_seconds=REFRESH_SECONDS, min_seconds=5)


@require_GET
def detail_page(request: HttpRequest, agent_id: str) -> HttpResponse:
    """Raise Http404 for an unknown agent."""
    now, recent = database_now(), RecentActivity.read()
    if agent_id not in recent.seen:  # Attachments and failures of long ago count too: other pages link their agents.
        left = [*(rows.filter(agent_id=agent_id) for rows in [*_TABLES, Failure.objects.all()])]
        if not any(rows.exists() for rows in [*left, Attachment.objects.filter(uploaded_by=agent_id)]):
            raise Http404(f"Agent {agent_id[:60]!r} not found.")
    [agent] = _load_summaries([agent_id], recent, now)
    assigned = Intent.objects.filter(assignments__agent_id=agent_id).defer("state", "constraints")
    own = {name: F(f"assignments__{name}") for name in ("role", "assigned_by", "assigned_at")}
    newest = [*assigned.order_by("-updated_at", "-pk").values_list("pk", flat=True)[:MAX_INTENTS]]
    questions = Arbitration.objects.filter(requester_id=agent_id, intent__in=newest).select_related("intent")
    context = {
        "title": agent_id,
        "agent": agent,
        "since": recent.since,
        "leases": Lease.objects.held().filter(agent_id=agent_id).select_related("intent").order_by("expires_at")[:PANEL_ROWS],
        "work": assigned.filter(status__in=OPEN).annotate(**own).order_by("-updated_at", "-pk")[:PANEL_ROWS],
        "questions": questions.order_by("-pk")[:PANEL_ROWS],
        "failures": Failure.objects.filter(agent_id=agent_id, intent__in=newest)
        .select_related("intent")
        .order_by("-pk")[:PANEL_ROWS],
        "keys": ApiKey.objects.live(now).filter(agent_id=agent_id)[:PANEL_ROWS],
        "events": newest_events(newest, PANEL_ROWS),
    }
    return render_live(request, "console/agents/detail.html", context, topic={"agent": agent_id}, refresh_seconds=REFRESH_SECONDS)


def _query(**given: str) -> str:
    return urlencode({name: value for name, value in given.items() if value})


def _load_summaries(ids: Collection[str], recent: RecentActivity, now: datetime) -> list[AgentSummary]:
    agents = {each: AgentSummary(each, recent.seen.get(each)) for each in ids}
    assigned = Assignment.objects.filter(agent_id__in=ids).order_by().values_list("agent_id", "intent__status")
    for agent_id, status, count in assigned.annotate(Count("pk")):
        agents[agent_id].counts[status] = count
    held = Lease.objects.held().filter(agent_id__in=ids).order_by().values_list("agent_id").annotate(Count("pk"))
    for agent_id, count in held:
        agents[agent_id].leases = count
    today = Cost.objects.filter(pk__gte=first_id_at(midnight(now)), agent_id__in=ids)
    for agent_id, amount in _sum_money(today).items():
        agents[agent_id].today = amount
    for agent_id, amount in _sum_money(CostTotal.objects.filter(agent_id__in=ids)).items():
        agents[agent_id].total = amount
    return [*agents.values()]


def _sum_money(spent: QuerySet[Any]) -> dict[str, int]:
    """Return the money by agent, in 10^-14 USD."""
    sums: dict[str, int] = defaultdict(int)
    of_money = spent.filter(unit__in=CENTS_PER_UNIT).order_by().values_list("agent_id", "unit")
    for agent_id, unit, whole, parts in of_money.annotate(Sum("whole"), Sum("parts")):
        sums[agent_id] += (int(whole) * TRILLIONTHS + int(parts)) * CENTS_PER_UNIT[unit]
    return sums
