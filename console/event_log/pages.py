"""Event log pages, the newest first. The log is never counted, and no page reads more than WINDOW events."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Left, Right

from console.event_log.period import ANY_TIME, Period
from console.event_text import summarize_event
from core.ids import parse_id
from intents import positions, topics
from intents.events import EventType
from intents.models import Event, Intent
from intents.replay import VERSIONED
from intents.search import INTENTS
from portfolios.models import Portfolio

SHOWN = 40
WINDOW = 10_000
MAX_PAYLOAD = 3_000  # Characters of a payload that are read for a list.
MAX_TEXT = 255
MAX_INTENTS = 50  # Intents found by words whose events are shown.
RECENT_EVENTS = 500  # Events whose actors a filter proposes.

CLIENT_TYPES = [
    "comment",
    *(f"tool_call_{end}" for end in ("started", "completed", "failed")),
    *(f"llm_request_{end}" for end in ("started", "completed", "failed")),
    *(f"stream_{end}" for end in ("started", "chunk", "completed", "cancelled")),
]
TYPES = sorted([*EventType.values, *CLIENT_TYPES])
"""What a filter proposes; clients may have logged others."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An event with its summary and its payload as text, whole or, if `is_cut`, its beginning.

    `version` is the version that it created, if any.
    """

    event: Event
    said: str
    text: str
    is_cut: bool = False
    version: int | None = None

    @property
    def has_more(self) -> bool:
        """Whether the payload has more than the summary."""
        return self.text not in ("", "{}")


@dataclass(frozen=True, slots=True)
class LogPage:
    """One page. `older` is where the next one begins, None at the end of the log; `is_far`: WINDOW events were read."""

    entries: list[LogEntry]
    older: int | None
    is_far: bool = False


@dataclass(frozen=True, slots=True)
class EventFilter:
    """The type, the actor, and the place in the log before which events are read (None: the newest)."""

    event_type: str = ""
    actor: str = ""
    before: int | None = None

    @classmethod
    def from_params(cls, query: Mapping[str, str]) -> "EventFilter":
        return cls(
            _clean_text(query.get("type", "")), _clean_text(query.get("actor", "")), parse_counter(query.get("before", ""))
        )

    def q(self) -> Q:
        return Q(**{name: value for name, value in (("event_type", self.event_type), ("actor", self.actor)) if value})

    def link(self, before: int | None, **others: str) -> str:
        """Return the query string of the page before that place, or of the newest."""
        named = {"type": self.event_type, "actor": self.actor, **others, "before": str(before or "")}
        return urlencode({name: value for name, value in named.items() if value})


@dataclass(frozen=True, slots=True)
class LogQuery:
    """The filters of the whole log: beside type and actor, intents or a portfolio, and a period. An unknown id matches nothing.

    `intent` is an id, its beginning, or words of the intent's title or description.
    """

    choice: EventFilter
    intent: str = ""
    portfolio: str = ""
    period: Period = ANY_TIME

    @classmethod
    def from_params(cls, query: Mapping[str, str]) -> "LogQuery":
        intent, portfolio = (_clean_text(query.get(name, "")) for name in ("intent", "portfolio"))
        return cls(EventFilter.from_params(query), intent, portfolio, Period.from_params(query))

    def find_intents(self) -> list[Intent]:
        """Return the intents that `intent` names, the last updated first: MAX_INTENTS of them, and one more if there are more."""
        intents = Intent.objects.defer("state", "constraints", "description")
        pk = parse_id(self.intent)
        found = intents.filter(pk=pk) if pk else INTENTS.search(intents, self.intent)
        return [*found.order_by("-updated_at", "-pk")[: MAX_INTENTS + 1]] if self.intent else []

    def read(self, intents: Sequence[Intent] = ()) -> LogPage:
        """Return a page of the events of these intents, which `find_intents` has returned."""
        is_unknown = (self.intent and not intents) or (self.portfolio and not parse_id(self.portfolio))
        if is_unknown or self.period.problem:
            return LogPage([], None)
        if len(intents) == 1:
            return read_intent_log(intents[0], self.choice, period=self.period)
        if self.choice.before is None:
            positions.assign_pending_positions()
        of_portfolio = topics.match_events([topics.for_portfolio(self.portfolio.lower())]) if self.portfolio else Q()
        belonging = Q(intent__in=[each.pk for each in intents[:MAX_INTENTS]]) if intents else of_portfolio
        is_scanned = bool(self.choice.actor or self.portfolio or intents)  # A type alone has an index, and so has a period.
        first, end = self.period.positions(positions.head() + 1)
        before = min(self.choice.before or end, end)
        events = Event.objects.filter(self.choice.q(), self.period.q(), belonging)
        return _read_page(events, "position", before, is_scanned, first=first)

    def link(self, before: int | None, intents: Sequence[Intent] = ()) -> str:
        """Return the query string of a page; that of one intent, found by words, names it by its id."""
        intent = str(intents[0].pk) if len(intents) == 1 else self.intent
        return self.choice.link(before, intent=intent, portfolio=self.portfolio, **self.period.params)

    @property
    def is_narrowed(self) -> bool:
        return bool(self.link(None) or self.period.problem)

    @property
    def topic(self) -> dict[str, str]:
        """The stream of these events, as /admin/follow takes it."""
        named = {"intent": self.intent} if self.intent else {"portfolio": self.portfolio}
        return {name: given for name, given in named.items() if parse_id(given)}


def read_intent_log(intent: Intent, choice: EventFilter, *, shown: int = SHOWN, period: Period = ANY_TIME) -> LogPage:
    narrowed = choice.q() & period.q()
    events = Event.objects.filter(narrowed, intent=intent)
    return _read_page(events, "sequence", choice.before or intent.last_sequence + 1, bool(narrowed), shown)


def recent_actors() -> list[str]:
    """Return the actors of the newest events, by name."""
    return sorted({*Event.objects.order_by("-row").values_list("actor", flat=True)[:RECENT_EVENTS]})


def read_versions(intent: Intent, before: int | None, shown: int) -> LogPage:
    """Return the events that created the intent's versions."""
    events = Event.objects.filter(intent=intent, event_type__in=VERSIONED)
    return _read_page(events, "sequence", before or intent.last_sequence + 1, True, shown)


def with_portfolio_names(events: QuerySet[Event]) -> QuerySet[Event]:
    """Annotate the events of a portfolio with its name, as `portfolio_name`."""
    return events.annotate(portfolio_name=Subquery(Portfolio.objects.filter(pk=OuterRef("portfolio_id")).values("name")))


def full_entry(event: Event) -> LogEntry:
    """Return the entry with the whole payload."""
    return LogEntry(event, summarize_event(event.event_type, event.payload), _indented_json(event.payload))


def comment_of(event: Event) -> str:
    """Return the text of a comment; empty for other events, and where the client has written something else."""
    text = (event.payload.get("message") or event.payload.get("text")) if event.event_type == "comment" else None
    return text if isinstance(text, str) else ""


def _read_page(
    events: QuerySet[Event], key: str, before: int, is_scanned: bool, shown: int = SHOWN, *, first: int = 1
) -> LogPage:
    """Return the newest events whose indexed column `key` is below `before`, and from `first` on."""
    lowest = max(first, before - WINDOW) if is_scanned else first
    chosen = events.filter(**{f"{key}__lt": before, f"{key}__gte": lowest}).order_by(f"-{key}")
    found = [
        *with_portfolio_names(chosen.select_related("intent"))
        .only(*_COLUMNS)
        .annotate(text=Left("payload", MAX_PAYLOAD + 1), end=Right("payload", 40))[: shown + 1]
    ]
    entries = []
    for event in found[:shown]:
        if len(event.text) > MAX_PAYLOAD:
            number = event.event_type in VERSIONED and (_VERSION_LAST.search(event.end) or _VERSION_FIRST.match(event.text))
            entries.append(LogEntry(event, "", event.text[:MAX_PAYLOAD], True, int(number[1]) if number else None))
        else:
            payload = orjson.loads(event.text)
            version = payload.get("version") if event.event_type in VERSIONED else None
            said = summarize_event(event.event_type, payload)
            entries.append(LogEntry(event, said, _indented_json(payload), version=version))
    if len(found) > shown:
        return LogPage(entries, getattr(entries[-1].event, key))
    return LogPage(entries, lowest if lowest > first else None, is_far=lowest > first)


_VERSION_LAST = re.compile(r'"version":(\d+)}$')
_VERSION_FIRST = re.compile(r'{"from":"\w+","to":"\w+","version":(\d+)')
"""Where payloads that are too long to be read have it."""

_COLUMNS = (
    *(
        "row",
        "uid",
        "intent_id",
        "portfolio_id",
        "sequence",
        "position",
        "event_type",
        "actor",
        "key_id",
        "trace_id",
        "created_at",
    ),
    "intent__title",
)


def _indented_json(payload: dict[str, Any]) -> str:
    return orjson.dumps(payload, option=orjson.OPT_INDENT_2).decode() if payload else ""


def _clean_text(given: str) -> str:
    """Return the text without NUL, which PostgreSQL refuses."""
    return given.replace("\0", "").strip()[:MAX_TEXT]


def parse_counter(given: str) -> int | None:
    """Return the number of a parameter. None: it is no number."""
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 19 else None
