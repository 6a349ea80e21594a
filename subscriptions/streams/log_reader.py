"""The log, read for topics (rule S-4)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from uuid import UUID

from django.db.models import QuerySet

from core import encoding, strict_json
from core.db import sql_rows
from intents import positions, topics
from intents.models import Event, TopicMembership
from intents.representation import event_body
from intents.topics import Topic

AT_ONCE = 100  # Events,
FEW = 16  # of which these are read first,
BYTES_AT_ONCE = 256 * 2**10  # and their size, but for the last one.
MOST_BYTES = 4 * 2**20  # Of events that are sent at the same time, but for the last one.
LONGEST = 32 * 2**10  # Characters of a payload; a longer one is read by itself, and so one such is in memory at a time.
WINDOW = 5_000  # Positions that are looked through at once for topics that few events belong to.

Topics = frozenset[Topic]
_Spans = dict[str, list[tuple[Topic, int, int | None]]]


class StreamEvent:
    """An event on its way to followers. It is written once, however many they are."""

    def __init__(self, event: sql_rows.Row, topics: Topics = frozenset()) -> None:
        self.position: int = event.position
        self.event_type: str = event.event_type
        self.topics = topics
        self.size = len(event.payload)
        self._event = event

    @cached_property
    def json(self) -> bytes:
        made = strict_json.dumps(event_body(self._event))
        del self._event  # What waits for slow readers is in memory once.
        return made

    @cached_property
    def frame(self) -> bytes:
        """As a Server-Sent Event (rule S-1)."""
        return b"id: %d\nevent: %s\ndata: %s\n\n" % (self.position, self.event_type.encode(), self.json)

    @cached_property
    def chunk(self) -> bytes:
        """The frame as a piece of an HTTP/1.1 response whose length nobody knows (RFC 9112 §7.1)."""
        return b"%x\r\n%s\r\n" % (len(self.frame), self.frame)

    @cached_property
    def text(self) -> str:
        return self.json.decode()


@dataclass(frozen=True, slots=True)
class Batch:
    """Events in their order, and the position up to which there are no others."""

    entries: Sequence[StreamEvent]
    through: int
    is_full: bool = False
    """Whether there may be more."""


@dataclass(frozen=True, slots=True)
class EventTopics:
    """An event without what it says: whom it is for."""

    position: int
    event_type: str
    topics: Topics


def read_batch(after: int) -> Batch:
    """What the log has after the position, each event with its topics."""
    found, is_full = _some(Event.objects.filter(position__gt=after).order_by("position"), (0, AT_ONCE))
    spans = _spans({event.intent_id for event in found if event.intent_id})
    entries = [StreamEvent(event, _topics_of(event, spans)) for event in found]
    return Batch(entries, found[-1].position if found else after, is_full)


def read_events_within(positions: Collection[int]) -> list[sql_rows.Row]:
    """Of these events, no more than may lie in memory, but at least one."""
    return _some(Event.objects.filter(position__in=positions).order_by("position"), (0, FEW, len(positions)), MOST_BYTES)[0]


def read_event_topics(after: int) -> list[EventTopics]:
    """Whom what the log has after the position is for."""
    chosen = Event.objects.filter(position__gt=after).order_by("position")[:AT_ONCE]
    found = sql_rows.fetch(chosen, "position", "event_type", "intent_id", "portfolio_id", "sequence")
    spans = _spans({event.intent_id for event in found if event.intent_id})
    return [
        EventTopics(each.position, each.event_type, _topics(each.intent_id, each.portfolio_id, each.sequence, spans))
        for each in found
    ]


def read_topics(wanted: Topics, event_types: Collection[str], after: int) -> Batch:
    """What the log has for these topics after the position, in a bounded number of steps: it need not be all there is."""
    newest = positions.head()
    window = Event.objects.filter(position__gt=after)
    if len(wanted) == len(topics.ids_of_kind(wanted, topics.INTENT)) == 1 and newest - after > WINDOW:
        through, order = newest, "sequence"  # An index leads to this intent's events, far as they may lie.
    else:
        through, order = min(newest, after + WINDOW), "position"
    chosen = window.filter(topics.match_events(wanted), position__lte=through)
    if event_types:
        chosen = chosen.filter(event_type__in=event_types)
    found, is_full = _some(chosen.order_by(order), (0, FEW, AT_ONCE))
    return Batch([StreamEvent(event) for event in found], found[-1].position if is_full else max(after, through), is_full)


def _some(chosen: QuerySet[Event], steps: Sequence[int], most_bytes: int = BYTES_AT_ONCE) -> tuple[list[sql_rows.Row], bool]:
    """The first of these, no more than may lie in memory until a reader takes them; and whether there may be others.

    A few show how large they are: of large ones, hardly any are read and not kept.
    """
    found: list[sql_rows.Row] = []
    size = 0
    for start, end in pairwise(steps):
        more = sql_rows.fetch(chosen[start:end], longest=LONGEST)
        for short in more:
            event = short if short.payload is not None else _large(short.position)
            found.append(event)
            size += len(event.payload)
            if size >= most_bytes:
                return found, True
        if len(more) < end - start:
            return found, False
    return found, True


def _large(position: int) -> sql_rows.Row:
    return sql_rows.fetch(Event.objects.filter(position=position), is_large=True)[0]


def _spans(intents: Iterable[object]) -> _Spans:
    found: _Spans = defaultdict(list)
    known = sql_rows.fetch(
        TopicMembership.objects.filter(intent__in=list(intents)), "intent_id", "topic", "first_sequence", "last_sequence"
    )
    for span in known:
        found[str(encoding.identifier(span.intent_id))].append((span.topic, span.first_sequence, span.last_sequence))
    return found


def _topics_of(event: sql_rows.Row, spans: _Spans) -> Topics:
    return _topics(event.intent_id, event.portfolio_id, event.sequence, spans)


def _topics(intent: UUID | str | None, portfolio: UUID | str | None, sequence: int, spans: _Spans) -> Topics:
    found = [topics.ALL]
    if portfolio:
        found.append(topics.for_portfolio(str(encoding.identifier(portfolio))))
    if intent:
        intent_id = str(encoding.identifier(intent))
        found.append(topics.for_intent(intent_id))
        found += [
            topic for topic, first, last in spans.get(intent_id, ()) if first <= sequence and (last is None or sequence <= last)
        ]
    return frozenset(found)
