"""Versions of an intent, replayed from its log: the changes of each, and the state after it (rule E-6)."""

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import islice, takewhile
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db.models import ExpressionWrapper, F, TextField

from console.event_log.pages import parse_counter
from console.event_text import summarize_event
from console.state_diff import Change, diff_states
from intents.models import Event, Intent
from intents.replay import VERSIONED, CannotReplay, ReplayedIntent, replay_steps

MAX_EVENTS = 2_000  # Versioned events that are replayed for one page.
MAX_BYTES = 16 * 2**20  # The same in bytes.
FETCHED_AT_ONCE = 25
OF_ONE_WRITE = 50  # Events that are looked at for those of one version.
SHOWN = 200  # Changes of one version.
REMEMBERED = 16  # Versions: what has been stays so, and a live page asks again and again.

_FIELDS = ("title", "description", "status", "confidence", "constraints", "depends_on")


class LoggedEvent(NamedTuple):
    sequence: int
    event_type: str
    actor: str
    created_at: datetime
    key_id: UUID | None
    text: str

    @property
    def payload(self) -> Any:
        return orjson.loads(self.text)

    @property
    def said(self) -> str:
        return summarize_event(self.event_type, self.payload)


@dataclass(frozen=True, slots=True)
class Version:
    """The result of one write. `state` is None if too many events came before; its events are known all the same."""

    number: int
    events: list[LoggedEvent] = field(default_factory=list)
    state: dict[str, Any] | None = None
    changes: list[Change] = field(default_factory=list)
    fields: list[Change] = field(default_factory=list)
    is_cut: bool = False
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The differences between two versions, in the order in which they were asked for."""

    before: int
    after: int
    changes: list[Change] = field(default_factory=list)
    fields: list[Change] = field(default_factory=list)
    is_cut: bool = False
    problem: str = ""


def compare_versions(intent: Intent, before: str, after: str) -> Comparison | None:
    """Return the differences between two versions. None: one of them does not exist."""
    numbers = [parse_counter(given) or 0 for given in (before, after)]
    return _compare(intent.pk, *numbers) if all(1 <= number <= intent.version for number in numbers) else None


def load_version(intent: Intent, number: str, at: str) -> Version | None:
    """Return the requested version if it exists. `at` is the sequence of its event, if known."""
    wanted = parse_counter(number) or 0
    return _version(intent.pk, wanted, parse_counter(at) or 0) if 1 <= wanted <= intent.version else None


@lru_cache(maxsize=REMEMBERED)
def _version(intent_id: UUID, number: int, at: int) -> Version:
    before = ReplayedIntent("", None, "", {}, {}, None, 0, None, [], [], "", 0)
    after, events = before, []
    leading = takewhile(
        lambda event: event.payload["version"] <= number, _events(intent_id, 1, at + OF_ONE_WRITE if at else None)
    )
    try:
        for event, after in replay_steps(leading):
            if after.version == number:
                events.append(event)
            elif after.version == number - 1:
                before = deepcopy(after)
    except CannotReplay as error:
        return Version(number, problem=f"This version can't be reconstructed from the event log: {error}.")
    if not events:
        nearby = islice(_events(intent_id, at), OF_ONE_WRITE) if at else iter(())
        return Version(number, [event for event in nearby if event.payload["version"] == number])
    found = [*islice(diff_states(before.state, after.state), SHOWN + 1)]
    fields = [*diff_states(_fields(before), _fields(after))] if number > 1 else []
    return Version(number, events, after.state, found[:SHOWN], fields, is_cut=len(found) > SHOWN)


@lru_cache(maxsize=REMEMBERED)
def _compare(intent_id: UUID, before: int, after: int) -> Comparison:
    first, last = sorted((before, after))
    states: dict[int, tuple[dict[str, Any], dict[str, Any]]] = {}
    try:
        for _, intent in replay_steps(takewhile(lambda event: event.payload["version"] <= last, _events(intent_id, 1))):
            if intent.version in (first, last):  # A write with several events: the last of them counts.
                states[intent.version] = deepcopy((intent.state, _fields(intent)))
    except CannotReplay as error:
        return Comparison(before, after, problem=f"These versions can't be reconstructed from the event log: {error}.")
    if len(states) < len({first, last}):
        problem = f"More than {MAX_EVENTS:,} changes precede these versions, too many to reconstruct them here."
        return Comparison(before, after, problem=problem)
    (old_state, old_fields), (new_state, new_fields) = states[before], states[after]
    found = [*islice(diff_states(old_state, new_state), SHOWN + 1)]
    fields = [*diff_states(old_fields, new_fields)]
    return Comparison(before, after, found[:SHOWN], fields, is_cut=len(found) > SHOWN)


def _events(intent_id: UUID, first: int, last: int | None = None) -> Iterator[LoggedEvent]:
    """Yield the versioned events from one sequence to another, or to the end."""
    events = Event.objects.filter(intent=intent_id, event_type__in=VERSIONED, sequence__gte=first).order_by("sequence")
    events = events.filter(sequence__lte=last) if last else events
    text = ExpressionWrapper(F("payload"), TextField())
    found = events.values_list("sequence", "event_type", "actor", "created_at", "key_id", text)
    left = MAX_BYTES
    for event in map(LoggedEvent._make, found[:MAX_EVENTS].iterator(chunk_size=FETCHED_AT_ONCE)):
        left -= len(event.text)
        if left < 0:  # A page says then that too much came before.
            return
        yield event


def _fields(intent: ReplayedIntent) -> dict[str, Any]:
    return {name: getattr(intent, name) for name in _FIELDS}
