"""Timeline of an intent: versions, leases, questions, calls, costs and events of a range of time.

It reads the newest MAX_EVENTS events of the range, with a fixed number of queries (D-291).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson
from django.db.models import ExpressionWrapper, F, Q, TextField

from console.event_text import summarize_event
from console.intents.calls import CallTrace, Item
from core.ids import first_id_at
from costs.models import Cost
from governance.models import Arbitration
from governance.models import Status as QuestionStatus
from intents.events import EventType
from intents.models import Event, Intent
from intents.replay import VERSIONED
from leasing.models import Lease
from leasing.models import Status as LeaseStatus

MAX_EVENTS = 400
MAX_BYTES = 8 * 2**20  # Of their payloads.
MAX_ROWS = 200  # Leases and questions, each.
MAX_COSTS = 400
WINDOW = 20_000  # Events that are searched for those of a range.
AT_ONCE = 50
LATE = timedelta(minutes=5)  # A cost is recorded after its call.
SHORTEST = timedelta(seconds=1)

LANES = {
    "versions": "Versions",
    "leases": "Leases",
    "questions": "Questions",
    "agents": "Assignments and retries",
    "models": "Model calls",
    "tools": "Tool calls",
    "costs": "Other costs",
    "events": "Other events",
}
_AGENTS = {
    EventType.AGENT_ASSIGNED: "plain",
    EventType.AGENT_UNASSIGNED: "plain",
    EventType.FAILURE_RECORDED: "bad",
    EventType.RETRY_DUE: "plain",
    EventType.RETRIES_EXHAUSTED: "bad",
    EventType.FALLBACK_TRIGGERED: "warn",
}
_SKIPPED = [
    *(each for each in EventType if each.startswith(("lease_", "arbitration_"))),
    EventType.DECISION_RECORDED,
    EventType.COST_RECORDED,
    "stream_chunk",
]
"""Events that are not read: leases, questions and costs are shown by their rows."""


@dataclass(frozen=True, slots=True)
class Range:
    """The times between which events are read, and the place in the log before which they are. None: no limit."""

    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """The items, the newest first, and the time that they fill.

    older: Where the next page begins, if the range has more events. is_far: WINDOW events were searched.
    is_cut: There are more leases, questions or costs than are shown.
    """

    items: list[Item]
    start: datetime
    end: datetime
    events: int
    costs: list[Cost]
    older: int | None
    is_far: bool
    is_cut: bool


class _Entry(NamedTuple):
    row: int
    sequence: int
    event_type: str
    actor: str
    created_at: datetime
    text: str


def load_timeline(intent: Intent, asked: Range, now: datetime) -> Timeline:
    entries, older, is_far = _read_events(intent, asked)
    start, end = _limits(intent, asked, entries, older, now)
    recorded = Cost.objects.filter(intent=intent, pk__gte=first_id_at(start), pk__lt=first_id_at(end + LATE)).order_by("-pk")
    held = Q(released_at__gte=start) | Q(released_at=None, expires_at__gte=start)
    leases = Lease.objects.filter(held, intent=intent, acquired_at__lte=end).order_by("-pk")
    ended = Q(resolved_at__gte=start) | Q(status=QuestionStatus.EXPIRED, expires_at__gte=start) | Q(status=QuestionStatus.PENDING)
    questions = Arbitration.objects.filter(ended, intent=intent, created_at__lte=end).select_related("decision").order_by("-pk")
    found = (
        [*leases[: MAX_ROWS + 1]],
        [*questions.only(*_QUESTION)[: MAX_ROWS + 1]],
        [*recorded.defer("provider")[: MAX_COSTS + 1]],
    )
    calls, items = CallTrace(), []
    for entry in reversed(entries):
        payload = orjson.loads(entry.text)
        if not calls.take(entry.row, entry.event_type, entry.actor, entry.created_at, payload):
            items.append(_event_item(entry, payload))
    costs = found[2][:MAX_COSTS]
    items += calls.items
    items += [_lease_item(each, now) for each in found[0][:MAX_ROWS]]
    items += [_question_item(each, now) for each in found[1][:MAX_ROWS]]
    items += [_cost_item(each) for each in calls.add_costs(costs) if each.recorded_at <= end]
    items.sort(key=lambda each: each.start, reverse=True)
    if calls.items and not older and not asked.since:
        start = min(start, *(each.start for each in calls.items))  # One may have begun before the intent was created.
    is_cut = len(found[0]) > MAX_ROWS or len(found[1]) > MAX_ROWS or len(found[2]) > MAX_COSTS
    return Timeline(items, start, end, len(entries), costs, older, is_far, is_cut)


def _read_events(intent: Intent, asked: Range) -> tuple[list[_Entry], int | None, bool]:
    """Return the newest events of the range, where older ones begin, and whether no more were searched."""
    head = min(asked.before or intent.last_sequence + 1, intent.last_sequence + 1)
    first = max(1, head - WINDOW)
    events = Event.objects.filter(intent=intent, sequence__lt=head, sequence__gte=first).exclude(event_type__in=_SKIPPED)
    events = events.filter(created_at__gte=asked.since) if asked.since else events
    events = events.filter(created_at__lte=asked.until) if asked.until else events
    text = ExpressionWrapper(F("payload"), TextField())
    found = events.order_by("-sequence").values_list("row", "sequence", "event_type", "actor", "created_at", text)
    entries: list[_Entry] = []
    left = MAX_BYTES
    for entry in map(_Entry._make, found[: MAX_EVENTS + 1].iterator(chunk_size=AT_ONCE)):
        left -= len(entry.text)
        if entries and (left < 0 or len(entries) == MAX_EVENTS):
            return entries, entries[-1].sequence, False
        entries.append(entry)
    return entries, first if first > 1 else None, first > 1


def _limits(
    intent: Intent, asked: Range, entries: Sequence[_Entry], older: int | None, now: datetime
) -> tuple[datetime, datetime]:
    """Return the time that is shown: the range, or where the page ends within. The newest page goes on to now, up to its length again."""
    start = entries[-1].created_at if older and entries else asked.since or intent.created_at
    if asked.before and entries:
        end = entries[0].created_at
    elif asked.until:
        end = asked.until
    else:
        end = min(now, intent.last_event_at + max(intent.last_event_at - start, SHORTEST))
    return start, max(end, start + SHORTEST)


def _event_item(entry: _Entry, payload: dict[str, Any]) -> Item:
    lane, name, tone = "events", entry.event_type, "plain"
    if entry.event_type in VERSIONED:
        lane, name, tone = "versions", f"version {payload['version']}", "accent"
    elif entry.event_type in _AGENTS:
        lane, tone = "agents", _AGENTS[EventType(entry.event_type)]
    item = Item(lane, entry.created_at, name, ("admin:intents_event_change", entry.row), entry.actor, tone=tone)
    item.said = summarize_event(entry.event_type, payload)
    if lane == "versions":
        item.said = f"{entry.event_type} {item.said}"
    return item


def _lease_item(lease: Lease, now: datetime) -> Item:
    is_active = lease.status == LeaseStatus.ACTIVE
    end = min(now, lease.expires_at) if is_active else lease.released_at or lease.expires_at
    item = Item("leases", lease.acquired_at, lease.scope, ("admin:leasing_lease_change", lease.pk), lease.agent_id, end)
    item.result, item.duration = lease.status.capitalize(), end - lease.acquired_at
    item.tone = {LeaseStatus.ACTIVE: "accent", LeaseStatus.RELEASED: "good"}.get(LeaseStatus(lease.status), "warn")
    return item


_QUESTION = ("reason", "requester_id", "blocking", "status", "created_at", "expires_at", "resolved_at", "decision__decision")


def _question_item(question: Arbitration, now: datetime) -> Item:
    is_pending = question.status == QuestionStatus.PENDING
    end = now if is_pending else question.resolved_at or question.expires_at or now
    link = ("admin:governance_arbitration_change", question.pk)
    item = Item("questions", question.created_at, question.reason, link, question.requester_id, end)
    item.duration = end - question.created_at
    item.result = f"Decided: {question.resolution}" if question.resolution else str(question.status).capitalize()
    item.tone = {QuestionStatus.RESOLVED: "good", QuestionStatus.PENDING: "accent"}.get(QuestionStatus(question.status), "warn")
    return item


def _cost_item(cost: Cost) -> Item:
    return Item("costs", cost.recorded_at, cost.cost_type, ("admin:costs_cost_change", cost.pk), cost.agent_id, costs=[cost])
