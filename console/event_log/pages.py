"""The log for readers, the newest first, page by page. It is never counted, and no page looks at more than WINDOW events."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import orjson
from django.db.models import Q, QuerySet
from django.db.models.functions import Left, Right

from console.event_text import told
from core.ids import parse_id
from intents import positions, topics
from intents.events import EventType
from intents.models import Event, Intent
from intents.replay import VERSIONED

SHOWN = 40
WINDOW = 10_000
CUT = 3_000  # Characters of a payload that are read for a list.
MAX_WORD = 255

CLIENT_TYPES = [
    "comment",
    *(f"tool_call_{end}" for end in ("started", "completed", "failed")),
    *(f"llm_request_{end}" for end in ("started", "completed", "failed")),
    *(f"stream_{end}" for end in ("started", "chunk", "completed", "cancelled")),
]
TYPES = sorted([*EventType.values, *CLIENT_TYPES])
"""What a filter proposes; clients may have logged others."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An event, what it says in a line, and its payload as text: all of it, or if `is_cut` its beginning.

    `version` is that which it made, if it made one.
    """

    event: Event
    said: str
    text: str
    is_cut: bool = False
    version: int | None = None

    @property
    def has_more(self) -> bool:
        """Whether the payload says more than the line."""
        return self.text not in ("", "{}")


@dataclass(frozen=True, slots=True)
class Page:
    """`older` is where the next page begins, None at the end of the log; `is_far` that WINDOW events were looked through."""

    entries: list[Entry]
    older: int | None
    is_far: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """What a reader asks for: a type, an actor, and events before a place in the log (None: the newest)."""

    event_type: str = ""
    actor: str = ""
    before: int | None = None

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Choice":
        return cls(_word(query.get("type", "")), _word(query.get("actor", "")), counter(query.get("before", "")))

    def q(self) -> Q:
        return Q(**{name: value for name, value in (("event_type", self.event_type), ("actor", self.actor)) if value})

    def link(self, before: int | None, **others: str) -> str:
        """The query of the page before that place, or of the newest."""
        named = {"type": self.event_type, "actor": self.actor, **others, "before": str(before or "")}
        return urlencode({name: value for name, value in named.items() if value})


@dataclass(frozen=True, slots=True)
class Everywhere:
    """What the whole log is narrowed to, beside type and actor. What is named wrongly narrows it to nothing."""

    choice: Choice
    intent: str = ""
    portfolio: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> "Everywhere":
        return cls(Choice.of(query), _word(query.get("intent", "")), _word(query.get("portfolio", "")))

    def read(self) -> Page:
        if self.intent:
            pk = parse_id(self.intent)
            intent = Intent.objects.filter(pk=pk).defer("state", "constraints").first() if pk else None
            return of_intent(intent, self.choice) if intent else Page([], None)
        if self.portfolio and not parse_id(self.portfolio):
            return Page([], None)
        if self.choice.before is None:
            positions.assign_pending_positions()
        belonging = topics.match_events([topics.for_portfolio(self.portfolio.lower())]) if self.portfolio else Q()
        is_scanned = bool(self.choice.actor or self.portfolio)  # A type alone has an index.
        return _page(
            Event.objects.filter(self.choice.q(), belonging), "position", self.choice.before or positions.head() + 1, is_scanned
        )

    def link(self, before: int | None) -> str:
        return self.choice.link(before, intent=self.intent, portfolio=self.portfolio)

    @property
    def topic(self) -> dict[str, str]:
        """The stream that tells of it, as /admin/follow takes it."""
        named = {"intent": self.intent} if self.intent else {"portfolio": self.portfolio}
        return {name: given for name, given in named.items() if parse_id(given)}


def of_intent(intent: Intent, choice: Choice, *, shown: int = SHOWN) -> Page:
    events = Event.objects.filter(choice.q(), intent=intent)
    return _page(events, "sequence", choice.before or intent.last_sequence + 1, bool(choice.q()), shown)


def versions(intent: Intent, before: int | None, shown: int) -> Page:
    """The events that made the intent's versions."""
    events = Event.objects.filter(intent=intent, event_type__in=VERSIONED)
    return _page(events, "sequence", before or intent.last_sequence + 1, True, shown)


def entry(event: Event) -> Entry:
    """With the whole payload."""
    return Entry(event, told(event.event_type, event.payload), _pretty(event.payload))


def _page(events: QuerySet[Event], key: str, before: int, is_scanned: bool, shown: int = SHOWN) -> Page:
    """The newest of the events whose `key`, by which there is an index, is below `before`."""
    first = max(1, before - WINDOW) if is_scanned else 1
    chosen = events.filter(**{f"{key}__lt": before, f"{key}__gte": first}).order_by(f"-{key}")
    found = [
        *chosen.select_related("intent")
        .only(*_COLUMNS)
        .annotate(text=Left("payload", CUT + 1), end=Right("payload", 40))[: shown + 1]
    ]
    entries = [_entry(each) for each in found[:shown]]
    if len(found) > shown:
        return Page(entries, getattr(entries[-1].event, key))
    return Page(entries, first if first > 1 else None, is_far=first > 1)


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


def _entry(event: Any) -> Entry:
    if len(event.text) > CUT:
        found = event.event_type in VERSIONED and (_VERSION_LAST.search(event.end) or _VERSION_FIRST.match(event.text))
        return Entry(event, "", event.text[:CUT], True, int(found[1]) if found else None)
    payload = orjson.loads(event.text)
    made = payload.get("version") if event.event_type in VERSIONED else None
    return Entry(event, told(event.event_type, payload), _pretty(payload), version=made)


def _pretty(payload: dict[str, Any]) -> str:
    return orjson.dumps(payload, option=orjson.OPT_INDENT_2).decode() if payload else ""


def _word(given: str) -> str:
    """As both databases take it: PostgreSQL has no NUL."""
    return given.replace("\0", "").strip()[:MAX_WORD]


def counter(given: str) -> int | None:
    """The number that a query names; None: it names none."""
    return int(given) if given.isascii() and given.isdecimal() and len(given) < 19 else None
