"""What was spent, by day, agent, model and type: added up by the database, in a fixed number of queries, however much it is.

Money is shown in USD; of other units one at a time. Units are never added up across kinds (rule C-2).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.db.models import Count, DateField, Func, QuerySet, Sum
from django.db.models.expressions import RawSQL
from django.http import Http404

from console.charts import share
from core.ids import first_id_at, parse_id
from costs.amounts import CENTS_PER_UNIT, TRILLIONTHS
from costs.models import Cost
from intents.graph import awaited_ids_sql
from intents.models import EdgeKind, Intent
from portfolios.models import Membership, Portfolio

PERIODS = {"today": ("Today", 1), "7": ("7 days", 7), "30": ("30 days", 30), "90": ("90 days", 90), "all": ("All time", None)}
"""With today, in UTC."""

TAKEN = ("period", "from", "until", "unit", "agent", "portfolio", "intent")
"""What an address may say of it."""

DEFAULT = "30"
MONEY = "USD"
LONGEST = 12  # Rows of a breakdown; the others are one more.
EARLIEST = date(2000, 1, 1)
DAYS_APART = 92  # Above so many, a bar is a month.
SLACK = timedelta(hours=1)  # For which an id's time may differ from the database's.

Part = tuple[list[Any], int, int]
"""Kinds, the last of them the unit; the amount in 10^-14 USD, or in trillionths of the unit; and of how many costs it is."""

KINDS = {"agent_id": "agent", "model": "model", "provider": "provider", "cost_type": "type"}


class Day(Func):
    """The day of an instant, in UTC. Django's own asks Python for each row on SQLite."""

    output_field = DateField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="SUBSTR(%(expressions)s, 1, 10)", **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, template="((%(expressions)s AT TIME ZONE 'UTC')::date)", **context)


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody wants to see, of which days: `first` to `last`, both included; None: from the beginning."""

    period: str
    first: date | None
    last: date
    unit: str
    agent: str
    portfolio: Portfolio | None
    intent: Intent | None

    @classmethod
    def of(cls, given: Mapping[str, str], today: date) -> "Asked":
        """Raises Http404 for a portfolio or an intent that does not exist. A period that is none is the usual one."""
        period = given.get("period", DEFAULT)
        first, last = _day(given.get("from")), _day(given.get("until"))
        if first or last:
            period, first, last = "chosen", first and max(first, EARLIEST), min(last or today, today)
        else:
            days = PERIODS.get(period, PERIODS[DEFAULT])[1]
            period, last = period if period in PERIODS else DEFAULT, today
            first = today - timedelta(days=days - 1) if days else None
        return cls(
            period=period,
            first=first,
            last=last,
            unit=_word(given.get("unit", "")),
            agent=_word(given.get("agent", "")),
            portfolio=_named(Portfolio, given.get("portfolio")),
            intent=_named(Intent, given.get("intent")),
        )

    def costs(self) -> QuerySet[Cost]:
        """Of an intent, those of all below it as well, as its budget counts them."""
        until = datetime.combine(self.last + timedelta(days=1), time(), UTC)
        costs = Cost.objects.filter(recorded_at__lt=until)
        if self.first:
            since = datetime.combine(self.first, time(), UTC)
            costs = costs.filter(recorded_at__gte=since, pk__gte=first_id_at(since - SLACK))
        if self.agent:
            costs = costs.filter(agent_id=self.agent)
        if self.portfolio:
            costs = costs.filter(intent_id__in=Membership.objects.filter(portfolio=self.portfolio).values("intent_id"))
        if self.intent:
            costs = costs.filter(intent_id__in=RawSQL(*awaited_ids_sql([self.intent.pk], EdgeKind.CHILD)))
        return costs

    @property
    def topic(self) -> dict[str, str]:
        """The stream that tells of its costs. Not the agent's: it may spend on what it is not assigned to."""
        return {"portfolio": str(self.portfolio.pk)} if self.portfolio else {}


@dataclass(frozen=True, slots=True)
class Row:
    """What was spent on one thing: the amount in 10^-14 USD, or in trillionths of the unit; `length` is that of its bar."""

    name: str
    amount: int
    count: int
    length: float


@dataclass(frozen=True, slots=True)
class Column:
    """A day, or a month: `start` and `top` place its bar in a picture that is 100 high and has 10 for each column."""

    name: str
    amount: int
    start: int
    top: float
    height: float


def gather(asked: Asked) -> dict[str, Any]:
    """The database goes through the costs twice: by day, and by all kinds together, which are few beside the costs."""
    costs = asked.costs().order_by()
    all_days = _sums(costs.annotate(day=Day("recorded_at")), "day", "unit")
    units = _units(_added(all_days, 1))
    unit = _unit(asked.unit, units)
    days = _added(_only(unit, all_days), 0)
    kinds = _only(unit, _sums(costs, *KINDS, "unit"))
    total, count = next(((amount, number) for name, amount, number in units if name == unit), (0, 0))
    return {
        "asked": asked,
        "unit": unit,
        "is_money": unit == MONEY,
        "units": units,
        "total": total,
        "count": count,
        "columns": _columns(days, asked),
        "most": max(_by_span(days, asked).values(), default=0),
        "breakdowns": [(title, _rows(_added(kinds, place))) for place, title in enumerate(KINDS.values())],
    }


def _sums(costs: QuerySet[Cost], *kinds: str) -> list[Part]:
    found = costs.values_list(*kinds).annotate(Sum("whole"), Sum("parts"), number=Count("*"))
    return [([*named], _in_unit(_amount(whole, parts), named[-1]), count) for *named, whole, parts, count in found]


def _only(unit: str, sums: Iterable[Part]) -> list[Part]:
    return [each for each in sums if _known(each[0][-1]) == unit]


def _known(unit: str) -> str:
    """The unit under which it is shown."""
    return MONEY if unit in CENTS_PER_UNIT else unit


def _amount(whole: Any, parts: Any) -> int:
    return int(whole) * TRILLIONTHS + int(parts)


def _in_unit(amount: int, unit: str) -> int:
    return amount * CENTS_PER_UNIT.get(unit, 1)


def _unit(wanted: str, units: list[tuple[str, int, int]]) -> str:
    """The one that is asked for, if there is any of it; else money (rule C-2), else what there is the most records of."""
    counts = {name: count for name, _, count in units}
    if wanted in counts:
        return wanted
    return MONEY if MONEY in counts or not counts else max(counts, key=lambda name: counts[name])


def spellings(unit: str) -> list[str]:
    return [*CENTS_PER_UNIT] if unit == MONEY else [unit]


def _units(sums: Mapping[str, tuple[int, int]]) -> list[tuple[str, int, int]]:
    """Each unit with its sum, and how many costs there are in it. Money is one, and the first."""
    added = _added([([_known(name)], *found) for name, found in sums.items()], 0)
    return [(name, *added[name]) for name in sorted(added, key=lambda name: (name != MONEY, name))]


def _added(sums: Iterable[Part], place: int) -> dict[Any, tuple[int, int]]:
    """By the kind at that place: the amount, and of how many costs."""
    amounts: Counter[Any] = Counter()
    counts: Counter[Any] = Counter()
    for kinds, amount, count in sums:
        amounts[kinds[place]] += amount
        counts[kinds[place]] += count
    return {kind: (amounts[kind], counts[kind]) for kind in amounts}


def _rows(sums: Mapping[Any, tuple[int, int]]) -> list[Row]:
    """The largest first; of what is beyond the longest list, the sum."""
    ordered = sorted(sums.items(), key=lambda item: (-item[1][0], str(item[0])))
    named = [(name or "not specified", *found) for name, found in ordered[:LONGEST]]
    if rest := ordered[LONGEST:]:
        named.append((f"{len(rest)} others", sum(amount for _, (amount, _) in rest), sum(count for _, (_, count) in rest)))
    most = max((amount for _, amount, _ in named), default=0)
    return [Row(name, amount, count, share(amount, most)) for name, amount, count in named]


def _columns(days: Mapping[date, tuple[int, int]], asked: Asked) -> list[Column]:
    sums = _by_span(days, asked)
    most = max(sums.values(), default=0)
    heights = {name: share(amount, most) for name, amount in sums.items()}
    return [
        Column(name, amount, 10 * number, 100 - heights[name], heights[name])
        for number, (name, amount) in enumerate(sums.items())
    ]


def _by_span(days: Mapping[date, tuple[int, int]], asked: Asked) -> dict[str, int]:
    """The sums of days, or of months if there are many days: also of those on which nothing was spent."""
    if not days:
        return {}
    is_short = asked.first is not None and (asked.last - asked.first).days < DAYS_APART
    first = asked.first if asked.first and is_short else min(days)
    form = "%Y-%m-%d" if (asked.last - first).days < DAYS_APART else "%Y-%m"
    sums = {day.strftime(form): 0 for day in _each(first, asked.last)}
    for day, (amount, _) in days.items():
        sums[day.strftime(form)] += amount
    return sums


def _each(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def _word(given: str) -> str:
    """As both databases take it: PostgreSQL has no NUL."""
    return given.replace("\0", "").strip()


def _day(given: str | None) -> date | None:
    try:
        return date.fromisoformat(given or "")
    except ValueError:
        return None


def _named(model: Any, given: str | None) -> Any:
    """Raises Http404."""
    if not given:
        return None
    found = model.objects.filter(pk=parse_id(given)).first() if parse_id(given) else None
    if found is None:
        raise Http404(f"Unknown {model._meta.verbose_name}: {given[:60]!r}.")
    return found
