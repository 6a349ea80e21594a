"""Verification of the database against its log (rule E-6): one pass over it, with the memory of one intent."""

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

CHUNK_ROWS = 2_000
PROGRESS_EVENTS = 1_000  # Events between two reports of progress.

FIELDS = list(ReplayedIntent.__dataclass_fields__)
_JSON_FIELDS = {name for name in FIELDS if isinstance(Intent._meta.get_field(name), JSONTextField)}


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem of an intent, or of the log as a whole."""

    intent_id: UUID | None
    problem: str

    def __str__(self) -> str:
        return f"intent {self.intent_id}: {self.problem}" if self.intent_id else f"the log: {self.problem}"


def verify(progress: Callable[[int], None] = lambda events: None) -> Generator[Finding, None, None]:
    """Yield each difference between the database and its log. `progress` is called with the number of events read so far.

    Writers are not blocked meanwhile: one snapshot is read.
    """
    positions.assign_positions(wait=True)
    with _snapshot():
        yield from (Finding(None, error.msg) for error in triggers.check())
        given = Event.objects.exclude(position=None).values_list("position")
        for position, times in given.annotate(times=Count("*")).filter(times__gt=1).iterator():
            yield Finding(None, f"{times} events have the position {position}")
        orphaned = Event.objects.filter(~Exists(Intent.objects.filter(pk=OuterRef("intent_id"))), intent__isnull=False)
        for (intent_id,) in orphaned.values_list("intent_id").distinct().iterator():
            yield Finding(None, f"has events of the intent {intent_id}, which does not exist")
        yield from _check_intents(progress)


@contextmanager
def _snapshot() -> Iterator[None]:
    if connection.in_atomic_block:  # The caller has chosen the snapshot.
        yield
    elif has_single_writer():
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")  # Django's own transactions are immediate, and would block writers.
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")
    else:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            yield


class _EventRow(NamedTuple):
    intent_id: UUID
    sequence: int
    position: int | None
    event_type: str
    actor: str
    text: str

    @property
    def payload(self) -> dict[str, Any]:
        """Parsed on demand: most events are logged by agents, and change nothing."""
        return orjson.loads(self.text)


class _RowsByIntent:
    """Rows whose first column is an intent's id, sorted by it, read in the same order."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self._groups = groupby(rows, key=itemgetter(0))
        self._next = next(self._groups, None)

    def take(self, intent_id: UUID) -> Iterator[Any]:
        while self._next and self._next[0] < intent_id:
            self._next = next(self._groups, None)
        return self._next[1] if self._next and self._next[0] == intent_id else iter(())


def _check_intents(progress: Callable[[int], None]) -> Iterator[Finding]:
    """Replay and compare each intent, over four streams of rows in the order of the intents' ids."""
    logged = Event.objects.filter(intent__isnull=False).order_by("intent_id", "sequence")
    payload = ExpressionWrapper(F("payload"), TextField())
    rows = _rows(logged, "intent_id", "sequence", "position", "event_type", "actor", payload)
    events = _RowsByIntent(_report_progress(map(_EventRow._make, rows), progress))
    edges = Edge.objects.all()
    dependencies = _RowsByIntent(_rows(edges.filter(kind=EdgeKind.DEPENDENCY).order_by("waiter_id"), "waiter_id", "awaited_id"))
    parents = _RowsByIntent(_rows(edges.filter(kind=EdgeKind.CHILD).order_by("awaited_id"), "awaited_id", "waiter_id"))
    agents = _RowsByIntent(_rows(Assignment.objects.order_by("intent_id"), "intent_id", "agent_id", "role"))

    # JSON as its text, so that invalid JSON is reported and does not raise.
    columns = [ExpressionWrapper(F(name), TextField()) if name in _JSON_FIELDS else F(name) for name in FIELDS]
    for pk, *stored in _rows(Intent.objects.order_by("pk"), "pk", *columns):
        problems: list[str] = []
        try:
            replayed = replay(_check_positions(events.take(pk), problems))
        except CannotReplay as error:
            problems.append(str(error))
        else:
            for name, value in zip(FIELDS, stored, strict=True):
                expected = getattr(replayed, name)
                problems += _difference(name, text(expected) if name in _JSON_FIELDS else expected, value)
            problems += _difference("dependencies", set(replayed.depends_on), {str(row[1]) for row in dependencies.take(pk)})
            problems += _difference("parents", {replayed.parent_intent_id} - {None}, {row[1] for row in parents.take(pk)})
            assigned = {each["agent_id"]: each["role"] for each in replayed.agents}
            problems += _difference("agents", set(assigned.items()), {row[1:] for row in agents.take(pk)})
        yield from (Finding(pk, problem) for problem in problems)


def _rows(queryset: Any, *columns: Any) -> Iterator[Any]:
    return queryset.values_list(*columns).iterator(chunk_size=CHUNK_ROWS)


def _report_progress(events: Iterable[_EventRow], progress: Callable[[int], None]) -> Iterator[_EventRow]:
    count = 0
    for count, event in enumerate(events, start=1):
        if count % PROGRESS_EVENTS == 0:
            progress(count)
        yield event
    progress(count)


def _check_positions(events: Iterable[_EventRow], problems: list[str]) -> Iterator[_EventRow]:
    """Yield the events, and report positions that do not increase."""
    last = 0
    for event in events:
        if event.position is None:
            if has_single_writer():  # On PostgreSQL it has just been committed, and the sequencer will assign one.
                problems.append(f"event {event.sequence} has no position")
        elif event.position <= last:
            problems.append(f"event {event.sequence} has the position {event.position}, after {last}")
        else:
            last = event.position
        yield event


def _difference(name: str, expected: Any, stored: Any) -> Iterator[str]:
    if expected != stored:
        yield f"{name} should be {expected!r:.200}, and is {stored!r:.200}"
