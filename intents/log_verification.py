"""Comparing a whole database with its log (rule E-6), at the cost of one pass over it and no more memory than an intent needs."""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db import connection, transaction
from django.db.models import Count, Exists, ExpressionWrapper, F, OuterRef, TextField

from core.db import has_single_writer
from core.db.fields import JSONTextField
from core.strict_json import text
from intents import positions, triggers
from intents.models import Assignment, Edge, EdgeKind, Event, Intent
from intents.replay import CannotReplay, ReplayedIntent, replay

FETCHED_AT_ONCE = 2_000  # Rows.
REPORTED_EVERY = 1_000  # Events.

COMPARED = list(ReplayedIntent.__dataclass_fields__)
_JSON = {name for name in COMPARED if isinstance(Intent._meta.get_field(name), JSONTextField)}


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong, and with which intent; None: with the log as a whole."""

    intent_id: UUID | None
    problem: str

    def __str__(self) -> str:
        return f"intent {self.intent_id}: {self.problem}" if self.intent_id else f"the log: {self.problem}"


def verify(progress: Callable[[int], None] = lambda events: None) -> Generator[Finding, None, None]:
    """What in the database is not as the log tells it. `progress` hears now and then how many events were read.

    Nobody is kept from writing meanwhile: all is read as it was at one moment.
    """
    positions.assign_positions(wait=True)
    with _one_moment():
        yield from (Finding(None, problem) for problem in _log_as_a_whole())
        yield from _intents(progress)


@contextmanager
def _one_moment() -> Iterator[None]:
    if connection.in_atomic_block:  # Its owner has chosen the moment.
        yield
    elif has_single_writer():
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")  # Django's own transactions are immediate, and would keep writers waiting.
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
    else:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield


def _log_as_a_whole() -> Iterator[str]:
    yield from (error.msg for error in triggers.check())
    given = Event.objects.exclude(position=None).values_list("position")
    for position, times in given.annotate(times=Count("*")).filter(times__gt=1).iterator():
        yield f"{times} events have the position {position}"
    stray = Event.objects.filter(~Exists(Intent.objects.filter(pk=OuterRef("intent_id"))), intent__isnull=False)
    for (intent_id,) in stray.values_list("intent_id").distinct().iterator():
        yield f"has events of the intent {intent_id}, which does not exist"


class _Logged(NamedTuple):
    intent_id: UUID
    sequence: int
    position: int | None
    event_type: str
    actor: str
    text: str

    @property
    def payload(self) -> dict[str, Any]:
        """Parsed when it is asked for: most events are the agents' own, which change nothing."""
        return orjson.loads(self.text)


class _Groups:
    """Rows that begin with an intent's id and come in that order, for whoever asks in that order."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self._groups = groupby(rows, key=itemgetter(0))
        self._next = next(self._groups, None)

    def of(self, intent_id: UUID) -> Iterator[Any]:
        while self._next and self._next[0] < intent_id:
            self._next = next(self._groups, None)
        return self._next[1] if self._next and self._next[0] == intent_id else iter(())


def _intents(progress: Callable[[int], None]) -> Iterator[Finding]:
    """Four streams side by side, each in the order of the intents' ids."""
    events = _Groups(_counted(_events(), progress))
    dependencies = _Groups(_edges("waiter_id", "awaited_id", EdgeKind.DEPENDENCY))
    parents = _Groups(_edges("awaited_id", "waiter_id", EdgeKind.CHILD))
    agents = _Groups(_rows(Assignment.objects.order_by("intent_id"), "intent_id", "agent_id", "role"))

    for pk, *stored in _rows(Intent.objects.order_by("pk"), "pk", *map(_as_stored, COMPARED)):
        problems: list[str] = []
        try:
            told = replay(_in_order(events.of(pk), problems))
        except CannotReplay as error:
            problems.append(str(error))
        else:
            problems += _differences(told, dict(zip(COMPARED, stored, strict=True)))
            problems += _difference("dependencies", set(told.depends_on), {str(row[1]) for row in dependencies.of(pk)})
            problems += _difference("parents", {told.parent_intent_id} - {None}, {row[1] for row in parents.of(pk)})
            assigned = {each["agent_id"]: each["role"] for each in told.agents}
            problems += _difference("agents", set(assigned.items()), {row[1:] for row in agents.of(pk)})
        yield from (Finding(pk, problem) for problem in problems)


def _events() -> Iterator[_Logged]:
    rows = Event.objects.filter(intent__isnull=False).order_by("intent_id", "sequence")
    payload = ExpressionWrapper(F("payload"), TextField())
    return map(_Logged._make, _rows(rows, "intent_id", "sequence", "position", "event_type", "actor", payload))


def _edges(of: str, to: str, kind: EdgeKind) -> Iterator[Any]:
    return _rows(Edge.objects.filter(kind=kind).order_by(of), of, to)


def _rows(queryset: Any, *columns: Any) -> Iterator[Any]:
    return queryset.values_list(*columns).iterator(chunk_size=FETCHED_AT_ONCE)


def _as_stored(name: str) -> Any:
    """A JSON column as its text: what is no JSON must be found, not stumbled over."""
    return ExpressionWrapper(F(name), TextField()) if name in _JSON else F(name)


def _counted(events: Iterable[_Logged], progress: Callable[[int], None]) -> Iterator[_Logged]:
    count = 0
    for count, event in enumerate(events, start=1):
        if count % REPORTED_EVERY == 0:
            progress(count)
        yield event
    progress(count)


def _in_order(events: Iterable[_Logged], problems: list[str]) -> Iterator[_Logged]:
    """The events, while their positions must grow."""
    last = 0
    for event in events:
        if event.position is None:
            if has_single_writer():  # Elsewhere it has just been committed, and the sequencer will give it one.
                problems.append(f"event {event.sequence} has no position")
        elif event.position <= last:
            problems.append(f"event {event.sequence} has the position {event.position}, after {last}")
        else:
            last = event.position
        yield event


def _differences(told: ReplayedIntent, stored: dict[str, Any]) -> Iterator[str]:
    for name in COMPARED:
        value = getattr(told, name)
        yield from _difference(name, text(value) if name in _JSON else value, stored[name])


def _difference(name: str, told: Any, stored: Any) -> Iterator[str]:
    if told != stored:
        yield f"{name} should be {told!r:.200}, and is {stored!r:.200}"
