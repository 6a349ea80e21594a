"""An intent's versions, told by its log: what each of them changed, and the state as it left it (rule E-6)."""

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

from console.event_log.pages import counter
from console.event_text import told
from console.state_diff import Change, changes
from intents.models import Event, Intent
from intents.replay import VERSIONED, CannotReplay, ReplayedIntent, event_version, replay_steps

MOST = 2_000  # Versioned events that are replayed for one page.
MOST_BYTES = 16 * 2**20  # The same in bytes.
FETCHED_AT_ONCE = 25
OF_ONE_WRITE = 50  # Events that are looked at for those of one version.
SHOWN = 200  # Changes of one version.
REMEMBERED = 16  # Versions: what has been stays so, and a live page asks again and again.

_FIELDS = ("title", "description", "status", "confidence", "constraints", "depends_on")


class Logged(NamedTuple):
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
        return told(self.event_type, self.payload)


@dataclass(frozen=True, slots=True)
class Version:
    """What the events of one write made of the intent. Where too much came before, `state` is None and only they tell of it."""

    number: int
    events: list[Logged] = field(default_factory=list)
    state: dict[str, Any] | None = None
    changes: list[Change] = field(default_factory=list)
    fields: list[Change] = field(default_factory=list)
    is_cut: bool = False
    problem: str = ""


def chosen(intent: Intent, number: str, at: str) -> Version | None:
    """The version of that number, if it was asked for and exists. `at` is the sequence of its event, if it is known."""
    wanted = counter(number) or 0
    return _version(intent.pk, wanted, counter(at) or 0) if 1 <= wanted <= intent.version else None


@lru_cache(maxsize=REMEMBERED)
def _version(intent_id: UUID, number: int, at: int) -> Version:
    before = ReplayedIntent("", None, "", {}, {}, None, 0, None, [], [], "", 0)
    after, events = before, []
    leading = takewhile(lambda event: event_version(event) <= number, _events(intent_id, 1, at + OF_ONE_WRITE if at else None))
    try:
        for event, after in replay_steps(leading):
            if after.version == number:
                events.append(event)
            elif after.version == number - 1:
                before = deepcopy(after)
    except CannotReplay as error:
        return Version(number, problem=f"This version can't be reconstructed from the event log: {error}.")
    if not events:
        return _without_state(intent_id, number, at)
    found = [*islice(changes(before.state, after.state), SHOWN + 1)]
    fields = [*changes(_fields(before), _fields(after))] if number > 1 else []
    return Version(number, events, after.state, found[:SHOWN], fields, is_cut=len(found) > SHOWN)


def _without_state(intent_id: UUID, number: int, at: int) -> Version:
    nearby = islice(_events(intent_id, at), OF_ONE_WRITE) if at else iter(())
    return Version(number, [event for event in nearby if event_version(event) == number])


def _events(intent_id: UUID, first: int, last: int | None = None) -> Iterator[Logged]:
    """The versioned events from one sequence to another, or to the end."""
    events = Event.objects.filter(intent=intent_id, event_type__in=VERSIONED, sequence__gte=first).order_by("sequence")
    events = events.filter(sequence__lte=last) if last else events
    text = ExpressionWrapper(F("payload"), TextField())
    found = events.values_list("sequence", "event_type", "actor", "created_at", "key_id", text)
    left = MOST_BYTES
    for event in map(Logged._make, found[:MOST].iterator(chunk_size=FETCHED_AT_ONCE)):
        left -= len(event.text)
        if left < 0:  # A page says then that too much came before.
            return
        yield event


def _fields(intent: ReplayedIntent) -> dict[str, Any]:
    return {name: getattr(intent, name) for name in _FIELDS}
