"""Cost report: sums by day, agent, model and type. Added up by the database in a fixed number of queries.

Money is shown in USD, other units one at a time. Units are never added up across kinds (rule C-2).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, QuerySet, Sum
from django.db.models.expressions import RawSQL
from django.http import Http404
from django.utils import timezone
from django.utils.formats import date_format

from console.charts import bar_length
from console.filters import DAYS, requested_choice, requested_day
from console.reader_zone import day_of
from core.ids import first_id_at, parse_id
from costs.amounts import CENTS_PER_UNIT, TRILLIONTHS
from costs.models import Cost
from intents.graph import awaited_ids_sql
from intents.models import EdgeKind, Intent
from portfolios.models import Membership, Portfolio

PERIODS = {"today": ("Today", 1), "7": ("7 days", 7), "30": ("30 days", 30), "90": ("90 days", 90), "all": ("All time", None)}
"""Periods that end today, with their number of days."""

PARAMETERS = ("period", "from", "until", "unit", "agent", "portfolio", "intent")
"""URL parameters of a report."""

DEFAULT_PERIOD = "30"
MONEY = "USD"
MAX_ROWS = 12  # Rows of a breakdown; the others are one more.
MIN_COLUMNS = 7  # The width of a chart: fewer columns leave room at its right.
MAX_DAY_BARS = 92  # Above so many, a bar is a month.
SLACK = timedelta(hours=1)  # For which an id's time may differ from the database's.

CostSum = tuple[list[Any], int, int]
"""Kinds, the last of them the unit; the amount in 10^-14 USD, or in trillionths of the unit; and the number of entries."""

KINDS = {"agent_id": "agent", "model": "model", "provider": "provider", "cost_type": "type"}


@dataclass(frozen=True, slots=True)
class CostQuery:
    """The parameters of a report. Its days are `first` to `last`, both included; `first` None: from the beginning."""

    period: str
    first: date | None
    last: date
    unit: str
    agent: str
    portfolio: Portfolio | None
    intent: Intent | None

    @classmethod
    def from_params(cls, given: Mapping[str, str], today: date) -> "CostQuery":
        """Parse the URL parameters. Raise BadRequest for an unknown period or what is no date, Http404 for an unknown portfolio or intent."""
        first, last = requested_day(given, "from"), requested_day(given, "until")
        if first or last:
            period, last = "chosen", min(last or today, today)
        else:
            period, last = requested_choice(given, "period", PERIODS, DEFAULT_PERIOD), today
            days = PERIODS[period][1]
            first = today - timedelta(days=days - 1) if days else None
        return cls(
            period=period,
            first=first,
            last=last,
            unit=_clean_text(given.get("unit", "")),
            agent=_clean_text(given.get("agent", "")),
            portfolio=_get_or_404(Portfolio, given.get("portfolio")),
            intent=_get_or_404(Intent, given.get("intent")),
        )

    def costs(self) -> QuerySet[Cost]:
        """Return the costs of the query; those of an intent include its descendants, as its budget does."""
        since, until = self.span
        costs = Cost.objects.filter(recorded_at__lt=until)
        if self.first:
            costs = costs.filter(recorded_at__gte=since, pk__gte=first_id_at(since - SLACK))
        if self.agent:
            costs = costs.filter(agent_id=self.agent)
        if self.portfolio:
            costs = costs.filter(intent_id__in=Membership.objects.filter(portfolio=self.portfolio).values("intent_id"))
        if self.intent:
            costs = costs.filter(intent_id__in=RawSQL(*awaited_ids_sql([self.intent.pk], EdgeKind.CHILD)))
        return costs

    @property
    def span(self) -> tuple[datetime, datetime]:
        """The beginning of the first of the reader's days, and the end of the last."""
        zone = timezone.get_current_timezone()
        after = datetime.combine(self.last + timedelta(days=1), time(), zone)
        return datetime.combine(self.first or DAYS[0], time(), zone), after

    @property
    def topic(self) -> dict[str, str]:
        """The stream with events about these costs. Not by agent: agents may spend on intents they are not assigned to."""
        return {"portfolio": str(self.portfolio.pk)} if self.portfolio else {}


@dataclass(frozen=True, slots=True)
class BreakdownRow:
    """The sum of one agent, model or type: in 10^-14 USD, or in trillionths of the unit; `length` is that of its bar."""

    name: str
    amount: int
    count: int
    length: float


@dataclass(frozen=True, slots=True)
class Bar:
    """A day or a month. `start` and `top` place its bar in a chart that is 100 high and 10 wide for each bar."""

    name: str
    amount: int
    start: int
    top: float
    height: float


def build_report(query: CostQuery) -> dict[str, Any]:
    """Return the context of the report. Two queries read the costs: by day, and by all kinds together."""
    costs = query.costs().order_by()
    all_days = _sums(costs.annotate(day=day_of("recorded_at", *query.span)), "day", "unit")
    by_unit = _add_by_kind([([_display_unit(unit)], amount, number) for (_, unit), amount, number in all_days], 0)
    units = {name: by_unit[name] for name in sorted(by_unit, key=lambda name: (name != MONEY, name))}
    if query.unit in units:
        unit = query.unit
    elif MONEY in units or not units:
        unit = MONEY  # Rather than another one (rule C-2).
    else:
        unit = max(units, key=lambda name: units[name][1])  # Of most entries.
    spans = _sum_by_span(_add_by_kind(_in_display_unit(unit, all_days), 0), query)
    most = max(spans.values(), default=0)
    heights = {name: bar_length(amount, most) for name, amount in spans.items()}
    kinds = _in_display_unit(unit, _sums(costs, *KINDS, "unit"))
    total, count = units.get(unit, (0, 0))
    return {
        "asked": query,
        "unit": unit,
        "is_money": unit == MONEY,
        "units": [(name, *found) for name, found in units.items()],
        "total": total,
        "count": count,
        "columns": [
            Bar(name, amount, 10 * number, 100 - heights[name], heights[name])
            for number, (name, amount) in enumerate(spans.items())
        ],
        "chart_width": 10 * max(len(spans), MIN_COLUMNS),
        "is_sparse": len(spans) < MIN_COLUMNS,
        "most": most,
        "breakdowns": [(title, _breakdown_rows(_add_by_kind(kinds, place))) for place, title in enumerate(KINDS.values())],
    }


def _sums(costs: QuerySet[Cost], *kinds: str) -> list[CostSum]:
    found = costs.values_list(*kinds).annotate(Sum("whole"), Sum("parts"), number=Count("*"))
    return [
        ([*named], (int(whole) * TRILLIONTHS + int(parts)) * CENTS_PER_UNIT.get(named[-1], 1), count)
        for *named, whole, parts, count in found
    ]


def _in_display_unit(unit: str, sums: Iterable[CostSum]) -> list[CostSum]:
    return [each for each in sums if _display_unit(each[0][-1]) == unit]


def _display_unit(unit: str) -> str:
    """Return the unit under which it is shown."""
    return MONEY if unit in CENTS_PER_UNIT else unit


def unit_spellings(unit: str) -> list[str]:
    return [*CENTS_PER_UNIT] if unit == MONEY else [unit]


def _add_by_kind(sums: Iterable[CostSum], place: int) -> dict[Any, tuple[int, int]]:
    """Return the amount and the number of entries by the kind at that place."""
    amounts: Counter[Any] = Counter()
    counts: Counter[Any] = Counter()
    for kinds, amount, count in sums:
        amounts[kinds[place]] += amount
        counts[kinds[place]] += count
    return {kind: (amounts[kind], counts[kind]) for kind in amounts}


def _breakdown_rows(sums: Mapping[Any, tuple[int, int]]) -> list[BreakdownRow]:
    """Return the largest sums first, and the rest as one row."""
    ordered = sorted(sums.items(), key=lambda item: (-item[1][0], str(item[0])))
    named = [(name or "not specified", *found) for name, found in ordered[:MAX_ROWS]]
    if rest := ordered[MAX_ROWS:]:
        named.append((f"{len(rest)} others", sum(amount for _, (amount, _) in rest), sum(count for _, (_, count) in rest)))
    most = max((amount for _, amount, _ in named), default=0)
    return [BreakdownRow(name, amount, count, bar_length(amount, most)) for name, amount, count in named]


def _sum_by_span(days: Mapping[date, tuple[int, int]], query: CostQuery) -> dict[str, int]:
    """Return the sums of days, or of months if there are many days, including those without costs."""
    if not days:
        return {}
    is_short = query.first is not None and (query.last - query.first).days < MAX_DAY_BARS
    first = query.first if query.first and is_short else min(days)
    form = "j M Y" if (query.last - first).days < MAX_DAY_BARS else "M Y"
    sums = {date_format(first + timedelta(days=number), form): 0 for number in range((query.last - first).days + 1)}
    for day, (amount, _) in days.items():
        sums[date_format(day, form)] += amount
    return sums


def _clean_text(given: str) -> str:
    """Return the text without NUL, which PostgreSQL refuses."""
    return given.replace("\0", "").strip()


def _get_or_404(model: Any, given: str | None) -> Any:
    """Return the object of that id, None without one. Raise Http404."""
    if not given:
        return None
    found = model.objects.filter(pk=parse_id(given)).first() if parse_id(given) else None
    if found is None:
        raise Http404(f"Unknown {model._meta.verbose_name}: {given[:60]!r}.")
    return found
