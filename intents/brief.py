"""Brief of an intent: its log in a few lines, for whoever takes the work over (rule I-8).

It depends on the log alone: on the intent's row, which is the sum of its log, and on the events up to that row's last one. No
clock is read.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from core import strict_json
from core.encoding import instant
from intents.events import EventType
from intents.models import Event, Intent
from intents.patches import path_keys

MIN_CHARS, DEFAULT_CHARS, MAX_CHARS = 500, 4_000, 20_000
WINDOW = 20_000
"""Latest events that are looked through; older ones are counted as left out."""
MOST_READ = 200
"""Latest events of a kind whose payloads are read."""
MOST_LINES = 50
"""Latest events of any type that may become a line."""
VALUE_CHARS = 300
CHUNK = 50

Since = int | datetime

LEASES = (
    EventType.LEASE_ACQUIRED,
    EventType.LEASE_RENEWED,
    EventType.LEASE_RELEASED,
    EventType.LEASE_EXPIRED,
    EventType.LEASE_REVOKED,
)
QUESTION_ENDS = (EventType.ARBITRATION_WITHDRAWN, EventType.ARBITRATION_EXPIRED, EventType.DECISION_RECORDED)
FAILURES = (EventType.FAILURE_RECORDED, EventType.RETRIES_EXHAUSTED, EventType.FALLBACK_TRIGGERED)
TOLD = (
    *LEASES,
    *QUESTION_ENDS,
    *FAILURES,
    EventType.INTENT_UPDATED,
    EventType.STATUS_CHANGED,
    EventType.ARBITRATION_REQUESTED,
    EventType.STATE_PATCHED,
    EventType.AGENT_ASSIGNED,
)
"""Types of events from which a section is made."""
GOAL_FIELDS = ("title", "description")


@dataclass(frozen=True)
class Brief:
    intent_id: Any
    sequence: int
    """The intent's last event when it was made."""
    text: str
    left_out: dict[str, int]
    """Lines that did not fit, by kind."""


class Line(NamedTuple):
    kind: str
    sequence: int
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.text} [#{self.sequence}]"


class Entry(NamedTuple):
    sequence: int
    event_type: str
    actor: str
    created_at: datetime
    payload: dict[str, Any]


class Log:
    """The events of an intent up to the last one of its row, the newest first."""

    def __init__(self, intent: Intent) -> None:
        self._events = Event.objects.filter(intent_id=intent.pk, sequence__lte=intent.last_sequence)
        self._last: int = intent.last_sequence
        self._sequences: dict[str, list[int]] = {}
        found = self._events.filter(sequence__gt=self._last - WINDOW, event_type__in=TOLD).order_by("-sequence")
        for sequence, event_type in found.values_list("sequence", "event_type"):
            self._sequences.setdefault(event_type, []).append(sequence or 0)

    def read(self, *types: str, most: int = MOST_READ) -> Iterator[Entry]:
        """Yield the latest events of these types, in parts, so that a reader may stop early."""
        wanted = heapq.merge(*(self._sequences.get(each, []) for each in types), reverse=True)
        return self._read(islice(wanted, most))

    def read_last(self, most: int) -> Iterator[Entry]:
        """Yield the latest events of any type."""
        return self._read(iter(range(self._last, max(0, self._last - most), -1)))

    def _read(self, sequences: Iterator[int]) -> Iterator[Entry]:
        while part := [*islice(sequences, CHUNK)]:
            found = self._events.filter(sequence__in=part).order_by("-sequence")
            yield from map(Entry._make, found.values_list(*Entry._fields))

    def count(self, *types: str) -> int:
        return sum(len(self._sequences.get(each, [])) for each in types)

    def first_since(self, since: Since | None) -> int:
        """Return the first sequence that is new since then."""
        if isinstance(since, int):
            return since + 1
        if since is None:
            return 0
        found = self._events.filter(created_at__gte=since).order_by("sequence").values_list("sequence", flat=True).first()
        return self._last + 1 if found is None else int(found)


def write_brief(intent: Intent, *, max_chars: int = DEFAULT_CHARS, since: Since | None = None) -> Brief:
    """Return the brief, of at most `max_chars` characters.

    `since`, a sequence or a time, leaves out what is older, but for the goal, the status, open questions and leases.
    """
    log = Log(intent)
    first = log.first_since(since)
    sections = [make(intent, log) for make in (_questions, _leases, _decisions, _state, _agents, _failures, _events)]
    total = {lines[0].kind: len(lines) for lines in sections if lines} | {
        "state": len(intent.state),
        "decision": log.count(EventType.DECISION_RECORDED),
        "lease": intent.active_leases,
        "agent": len(intent.agents),
        "failure": log.count(*FAILURES),
        "event": intent.last_sequence,
    }
    recent = [[line for line in lines if line.kind in ("question", "lease") or line.sequence >= first] for lines in sections]
    head = [_goal(intent, log, max_chars // 4), _status(intent, log, max_chars // 8)]
    kept = _fit(recent, max_chars - sum(len(f"{line}\n") for line in head) - len(_tail(total, intent.last_sequence)))
    left_out = {kind: number - sum(line.kind == kind for line in kept) for kind, number in total.items()}
    order = ("state", "agent", "question", "decision", "lease", "failure", "event")
    body = [line for kind in order for line in sorted(kept, key=lambda line: line.sequence) if line.kind == kind]
    tail = _tail({kind: number for kind, number in left_out.items() if number}, intent.last_sequence)
    text = "\n".join([*map(str, [*head, *body]), *([tail] if tail else [])])
    return Brief(intent.pk, intent.last_sequence, text, {kind: left_out.get(kind, 0) for kind in order})


def _fit(sections: list[list[Line]], room: int) -> list[Line]:
    """Return the lines that fit, in turns: the first of each section, the second of each, and so on."""
    kept: list[Line] = []
    for number in range(max(map(len, sections), default=0)):
        for lines in sections:
            if number < len(lines) and len(f"{lines[number]}\n") <= room:
                kept.append(lines[number])
                room -= len(f"{lines[number]}\n")
    return kept


def _tail(left_out: dict[str, int], sequence: int) -> str:
    return f"left out: {', '.join(f'{kind} {number}' for kind, number in left_out.items())} [#{sequence}]" if left_out else ""


def _goal(intent: Intent, log: Log, room: int) -> Line:
    changes = (each.sequence for each in log.read(EventType.INTENT_UPDATED) if {*GOAL_FIELDS} & {*each.payload["changes"]})
    text = f"{intent.title}: {intent.description}" if intent.description else intent.title
    return Line("goal", next(changes, 1), shorten(text, room))


def _status(intent: Intent, log: Log, room: int) -> Line:
    last = next(log.read(EventType.STATUS_CHANGED, most=1), None)
    text = f"{intent.status}, version {intent.version}"
    if last is None:
        return Line("status", 1, f"{text}, since {_moment(intent.created_at)}")
    text = f"{text}, since {_moment(last.created_at)} by {shorten(last.actor, 80)}"
    reason = last.payload.get("reason")
    return Line("status", last.sequence, f"{text}: {shorten(reason, room)}" if reason else text)


def _questions(intent: Intent, log: Log) -> list[Line]:
    ended: set[str] = set()
    lines = []
    for event in log.read(EventType.ARBITRATION_REQUESTED, *QUESTION_ENDS):
        asked = event.payload.get("arbitration_id")
        if event.event_type != EventType.ARBITRATION_REQUESTED:
            ended.add(str(asked))
        elif str(asked) not in ended:
            labels = ", ".join(str(each["label"]) for each in event.payload.get("options") or [])
            parts = [f"{shorten(event.payload['reason'])} (by {event.actor}"]
            parts += [f"options {shorten(labels, 120)}"] if labels else []
            parts += ["blocking"] if event.payload.get("blocking") else []
            lines.append(Line("question", event.sequence, f"{', '.join(parts)}; arbitration {asked})"))
    return lines


def _decisions(intent: Intent, log: Log) -> list[Line]:
    lines = []
    for event in log.read(EventType.DECISION_RECORDED):
        said, answer = event.payload, event.payload.get("answer")
        typed = f" {shorten(strict_json.text(answer))}" if answer else ""
        why = shorten(said.get("rationale") or "no reason given")
        lines.append(Line("decision", event.sequence, f"{shorten(said['decision'])}{typed}, by {event.actor}: {why}"))
    return lines


def _leases(intent: Intent, log: Log) -> list[Line]:
    if not intent.active_leases:
        return []
    seen: set[str] = set()
    lines: list[Line] = []
    for event in log.read(*LEASES, most=WINDOW):
        lease = event.payload["lease_id"]
        if lease not in seen and event.event_type in (EventType.LEASE_ACQUIRED, EventType.LEASE_RENEWED):
            text = f"{event.payload['scope']} held by {event.payload['agent_id']} until {event.payload['expires_at']}"
            lines.append(Line("lease", event.sequence, text))
            if len(lines) == intent.active_leases:
                break
        seen.add(lease)
    return lines


def _state(intent: Intent, log: Log) -> list[Line]:
    """Return lines for the keys of the state, with the event that wrote each last; with the intent's last event where that is long ago."""
    written: dict[str, int] = {}
    for event in log.read(EventType.STATE_PATCHED):
        for patch in event.payload["patches"]:
            for key in path_keys(patch["path"])[:1]:
                written.setdefault(key, event.sequence)
        if intent.state.keys() <= written.keys():
            break
    is_complete = log.count(EventType.STATE_PATCHED) <= MOST_READ and intent.last_sequence <= WINDOW
    others = 1 if is_complete else intent.last_sequence
    latest = sorted(intent.state, key=lambda key: -written.get(key, others))[:MOST_READ]
    return [
        Line("state", written.get(key, others), f"{shorten(key)} = {shorten(strict_json.text(intent.state[key]))}")
        for key in latest
    ]


def _agents(intent: Intent, log: Log) -> list[Line]:
    roles = {each["agent_id"]: each["role"] for each in intent.agents}
    lines = []
    for event in log.read(EventType.AGENT_ASSIGNED) if roles else ():
        agent = event.payload["agent_id"]
        if role := roles.pop(agent, None):
            lines.append(Line("agent", event.sequence, f"{agent}, {role}"))
    return lines


def _failures(intent: Intent, log: Log) -> list[Line]:
    return [
        Line("failure", event.sequence, f"{event.event_type} by {event.actor} {_summary(event)}") for event in log.read(*FAILURES)
    ]


def _events(intent: Intent, log: Log) -> list[Line]:
    return [
        Line(
            "event", event.sequence, f"{_moment(event.created_at)} {event.event_type} by {event.actor} {_summary(event)}".rstrip()
        )
        for event in log.read_last(MOST_LINES)
    ]


def _summary(event: Entry) -> str:
    if event.event_type == EventType.STATE_PATCHED:
        return shorten(", ".join(f"{each['op']} {each['path']}" for each in event.payload["patches"][:4]), 120)
    told = (
        f"{name}={shorten(value, 80)}"
        for name, value in event.payload.items()
        if not name.endswith("_id") and isinstance(value, str | int | float) and value != ""
    )
    return shorten(", ".join(told), 160)


def shorten(value: Any, room: int = VALUE_CHARS) -> str:
    """Return the value as text on one line, of at most that many characters."""
    text = " ".join(str(value)[: 4 * room].split())
    if not text.isprintable():
        text = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return text if len(text) <= room else f"{text[: room - 1]}…"


def _moment(at: datetime) -> str:
    return f"{instant(at)[:19]}Z"
