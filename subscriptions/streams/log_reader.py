"""Log reader: events by topics, in batches of bounded size (rule S-4)."""

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
from intents.representation import EventOut
from intents.topics import Topic

BATCH = 100  # Events,
FIRST_BATCH = 16  # of which so many are read first,
BATCH_BYTES = 256 * 2**10  # and their size, without the last one.
MAX_BYTES = 4 * 2**20  # Of events that are sent at the same time, without the last one.
LONG_PAYLOAD = 32 * 2**10  # Characters; longer payloads are read one by one, so that one is in memory at a time.
WINDOW = 5_000  # Positions searched at once for rare topics.

Topics = frozenset[Topic]
_Spans = dict[str, list[tuple[Topic, int, int | None]]]


class StreamEvent:
    """Event for followers, serialized once for all of them."""

    def __init__(self, event: sql_rows.Row, topics: Topics = frozenset()) -> None:
        self.position: int = event.position
        self.event_type: str = event.event_type
        self.topics = topics
        self.size = len(event.payload)
        self._event = event

    @cached_property
    def json(self) -> bytes:
        made = strict_json.dumps(EventOut.render(self._event))
        del self._event  # Queued events are in memory once.
        return made

    @cached_property
    def frame(self) -> bytes:
        """Return the Server-Sent Event (rule S-1)."""
        return b"id: %d\nevent: %s\ndata: %s\n\n" % (self.position, self.event_type.encode(), self.json)

    @cached_property
    def chunk(self) -> bytes:
        """Return the frame as a chunk of an HTTP/1.1 response (RFC 9112 §7.1)."""
        return b"%x\r\n%s\r\n" % (len(self.frame), self.frame)

    @cached_property
    def text(self) -> str:
        return self.json.decode()


@dataclass(frozen=True, slots=True)
class Batch:
    """Events in order, and the position up to which they are complete."""

    entries: Sequence[StreamEvent]
    through: int
    is_full: bool = False
    """Whether there may be more events."""


@dataclass(frozen=True, slots=True)
class EventTopics:
    """Event without its payload, with its topics."""

    position: int
    event_type: str
    topics: Topics


def read_batch(after: int) -> Batch:
    """Return the events after the position, with their topics."""
    found, is_full = _fetch_within(Event.objects.filter(position__gt=after).order_by("position"), (0, BATCH))
    spans = _spans({event.intent_id for event in found if event.intent_id})
    entries = [StreamEvent(event, _topics(event.intent_id, event.portfolio_id, event.sequence, spans)) for event in found]
    return Batch(entries, found[-1].position if found else after, is_full)


def read_events_within(positions: Collection[int]) -> list[sql_rows.Row]:
    """Return the first of these events that fit into memory, at least one."""
    return _fetch_within(
        Event.objects.filter(position__in=positions).order_by("position"), (0, FIRST_BATCH, len(positions)), MAX_BYTES
    )[0]


def read_event_topics(after: int) -> list[EventTopics]:
    """Return topics and types of the events after the position."""
    chosen = Event.objects.filter(position__gt=after).order_by("position")[:BATCH]
    found = sql_rows.fetch(chosen, "position", "event_type", "intent_id", "portfolio_id", "sequence")
    spans = _spans({event.intent_id for event in found if event.intent_id})
    return [
        EventTopics(each.position, each.event_type, _topics(each.intent_id, each.portfolio_id, each.sequence, spans))
        for each in found
    ]


def read_topics(wanted: Topics, event_types: Collection[str], after: int) -> Batch:
    """Return events of these topics after the position, from a bounded search: the batch need not be all of them."""
    newest = positions.head()
    window = Event.objects.filter(position__gt=after)
    if len(wanted) == len(topics.ids_of_kind(wanted, topics.INTENT)) == 1 and newest - after > WINDOW:
        through, order = newest, "sequence"  # An index finds this intent's events, however far ahead.
    else:
        through, order = min(newest, after + WINDOW), "position"
    chosen = window.filter(topics.match_events(wanted), position__lte=through)
    if event_types:
        chosen = chosen.filter(event_type__in=event_types)
    found, is_full = _fetch_within(chosen.order_by(order), (0, FIRST_BATCH, BATCH))
    return Batch([StreamEvent(event) for event in found], found[-1].position if is_full else max(after, through), is_full)


def _fetch_within(chosen: QuerySet[Event], steps: Sequence[int], max_bytes: int = BATCH_BYTES) -> tuple[list[sql_rows.Row], bool]:
    """Return the first events that fit into memory, and whether there may be others.

    The first few show their size, so that few large events are read and dropped.
    """
    found: list[sql_rows.Row] = []
    size = 0
    for start, end in pairwise(steps):
        more = sql_rows.fetch(chosen[start:end], longest=LONG_PAYLOAD)
        for short in more:
            event = short
            if short.payload is None:
                event = sql_rows.fetch(Event.objects.filter(position=short.position), is_large=True)[0]
            found.append(event)
            size += len(event.payload)
            if size >= max_bytes:
                return found, True
        if len(more) < end - start:
            return found, False
    return found, True


def _spans(intents: Iterable[object]) -> _Spans:
    found: _Spans = defaultdict(list)
    known = sql_rows.fetch(
        TopicMembership.objects.filter(intent__in=list(intents)), "intent_id", "topic", "first_sequence", "last_sequence"
    )
    for span in known:
        found[str(encoding.identifier(span.intent_id))].append((span.topic, span.first_sequence, span.last_sequence))
    return found


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
