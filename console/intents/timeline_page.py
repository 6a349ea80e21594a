"""Timeline page of an intent: lanes drawn as SVG from numbers alone, and the same as a table."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from console.event_log.pages import parse_counter
from console.event_log.period import EARLIEST, Period
from console.intents.calls import Item
from console.intents.timeline import LANES, Range, Timeline, load_timeline
from console.live_admin import reject_unknown_parameters, render_live
from core.db import database_now
from costs.amounts import CENTS_PER_UNIT
from intents.models import Intent

PARAMETERS = ("from", "to", "before", "lane")
PACE = 2  # Seconds between two looks.
ROW_HEIGHT = 22
MAX_LANE_ROWS = 6  # What overlaps beyond is drawn over the last row.
SHORTEST_BAR, GAP, LABELLED = 0.4, 0.6, 5.0  # Percent of the width.
TICKS = 5
TRACE = ("models", "tools")


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar, or a mark (`width` is None), in percent of the width. `room` is that for its label."""

    item: Item
    url: str
    x: float
    width: float | None
    room: float
    y: int


@dataclass(slots=True)
class Lane:
    key: str
    name: str
    count: int
    bars: list[Bar] = field(default_factory=list)
    height: int = ROW_HEIGHT


@dataclass(frozen=True, slots=True)
class TableRow:
    """An item with the name of its lane, its page, and its costs: in 10^-14 USD, and those in other units."""

    item: Item
    lane: str
    url: str
    usd: int | None
    others: list[Any]


def show(request: HttpRequest, intent: Intent, opts: Any) -> HttpResponse:
    reject_unknown_parameters(request, PARAMETERS)
    now = database_now()
    period = Period.from_params(request.GET)
    before = parse_counter(request.GET.get("before", "")) or None
    asked = Range() if period.problem else Range(period.since, period.until, before)
    timeline = load_timeline(intent, asked, now)
    chosen = request.GET.get("lane", "")
    rows = [
        _table_row(each)
        for each in timeline.items
        if chosen not in (*LANES, "trace") or each.lane in (TRACE if chosen == "trace" else [chosen])
    ]
    counts = Counter(each.lane for each in timeline.items)
    context = {
        "title": f"Timeline of {intent.title}",
        "opts": opts,
        "original": intent,
        "intent": intent,
        "now": now,
        "timeline": timeline,
        "period": period,
        "lanes": draw_lanes(timeline),
        "ticks": _ticks(timeline),
        "has_days": timezone.localtime(timeline.start).date() != timezone.localtime(timeline.end).date(),
        "rows": rows,
        "tabs": _tabs(counts),
        "chosen": chosen,
        "has_tokens": any(row.item.tokens is not None for row in rows),
        "links": _links(request, asked, timeline, now),
        "is_narrowed": bool(asked.since or asked.until or asked.before),
        **_totals(timeline),
    }
    topic = {"intent": str(intent.pk)}
    response = render_live(request, "console/intents/timeline.html", context, topic=topic, min_seconds=PACE)
    response.status_code = 400 if period.problem else 200
    return response


def draw_lanes(timeline: Timeline) -> list[Lane]:
    """Return the lanes that have items, each item in the first row of its lane that is free there."""
    by_lane: dict[str, list[Item]] = {name: [] for name in LANES}
    for item in reversed(timeline.items):
        by_lane[item.lane].append(item)
    return [_draw_lane(name, found, timeline) for name, found in by_lane.items() if found]


def _draw_lane(name: str, found: Sequence[Item], timeline: Timeline) -> Lane:
    span = timeline.end - timeline.start

    def place(moment: datetime) -> float:
        return round(min(max((moment - timeline.start) / span, 0.0), 1.0) * 100, 3)

    lane = Lane(name, LANES[name], len(found))
    free: list[float] = []
    placed: list[tuple[Item, float, float | None, int]] = []
    for item in found:
        x = place(item.start)
        width = None if item.end is None else max(round(place(item.end) - x, 3), SHORTEST_BAR)
        number = next((each for each, end in enumerate(free) if end <= x), len(free))
        if number == MAX_LANE_ROWS:
            number = min(range(MAX_LANE_ROWS), key=lambda each: free[each])
        free[number : number + 1] = [x + (width or SHORTEST_BAR) + GAP]
        placed.append((item, x, width, number))
    following = [100.0] * len(free)
    for item, x, width, number in reversed(placed):
        room = (following[number] - x - 1.5) if width is None else width
        following[number] = x
        lane.bars.append(Bar(item, _url(item), x, width, room if room >= LABELLED else 0, number * ROW_HEIGHT))
    lane.bars.reverse()
    lane.height = len(free) * ROW_HEIGHT
    return lane


def _url(item: Item) -> str:
    name, key = item.link
    return reverse(name, args=[key])


def _table_row(item: Item) -> TableRow:
    in_usd = [each for each in item.costs if each.unit in CENTS_PER_UNIT]
    others = [each for each in item.costs if each.unit not in CENTS_PER_UNIT]
    return TableRow(item, LANES[item.lane], _url(item), _sum_usd(in_usd) if in_usd else None, others)


def _sum_usd(costs: Iterable[Any]) -> int:
    """Return the sum in 10^-14 USD of the costs in a unit of it."""
    return sum(each.amount * CENTS_PER_UNIT[each.unit] for each in costs if each.unit in CENTS_PER_UNIT)


def _totals(timeline: Timeline) -> dict[str, Any]:
    calls = [each for each in timeline.items if each.lane == "models"]
    return {
        "calls": len(calls),
        "failed": sum(each.tone == "bad" for each in timeline.items if each.lane in TRACE),
        "tools": sum(each.lane == "tools" for each in timeline.items),
        "tokens": sum(each.tokens or 0 for each in calls),
        "spent": _sum_usd(timeline.costs),
    }


def _tabs(counts: Mapping[str, int]) -> list[tuple[str, str, int]]:
    """Return the choices of the table: everything, the trace, and each lane that has items."""
    trace = sum(counts[each] for each in TRACE)
    tabs = [("", "All", sum(counts.values())), *([("trace", "Trace", trace)] if trace else [])]
    return [*tabs, *((name, LANES[name], counts[name]) for name in LANES if counts[name])]


def _ticks(timeline: Timeline) -> list[datetime]:
    step = (timeline.end - timeline.start) / (TICKS - 1)
    return [timeline.start + number * step for number in range(TICKS)]


def _links(request: HttpRequest, asked: Range, timeline: Timeline, now: datetime) -> dict[str, str]:
    """Return the query strings that move the range. Ranges within this page are read from its place in the log."""
    start, end, half = timeline.start, timeline.end, (timeline.end - timeline.start) / 2
    lane = {"lane": request.GET["lane"]} if request.GET.get("lane") else {}

    def query(since: datetime | None, until: datetime | None, before: int | None = None) -> str:
        times = {name: each.astimezone(UTC).isoformat() for name, each in (("from", since), ("to", until)) if each}
        return "?" + urlencode({**times, **({"before": before} if before else {}), **lane})

    links = {
        "in": query(start + half / 2, end - half / 2, asked.before),
        "out": query(max(start - half, EARLIEST), end + half if end + half < now else None),
        "all": query(None, None),
    }
    if (asked.since or timeline.older) and start - half >= EARLIEST:
        links["earlier"] = query(start - half, end - half)
    if end < now and (asked.until or asked.before):
        links["later"] = query(start + half, end + half if end + half < now else None)
    if timeline.older:
        links["older"] = query(asked.since, None, timeline.older)
    return links
