"""An intent as its events tell of it (rule E-6). Pure: it reads no table, so it can judge them."""

from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from uuid import UUID

from intents import patches
from intents.errors import InvalidPatch
from intents.events import EventType


class LoggedEvent(Protocol):
    """What a replay reads of an event; a row of Event has it."""

    @property
    def sequence(self) -> int | None: ...
    @property
    def event_type(self) -> str: ...
    @property
    def actor(self) -> str: ...
    @property
    def payload(self) -> dict[str, Any]: ...


L = TypeVar("L", bound=LoggedEvent)


@dataclass(slots=True)
class ReplayedIntent:
    """The fields of an Intent that its log accounts for."""

    title: str
    description: str | None
    status: str
    state: dict[str, Any]
    constraints: dict[str, Any]
    confidence: int | None
    version: int
    parent_intent_id: UUID | None
    depends_on: list[str]
    agents: list[dict[str, str]]
    created_by: str
    last_sequence: int


class CannotReplay(Exception):
    """An event does not follow from those before it."""

    def __init__(self, sequence: int, reason: str) -> None:
        super().__init__(f"event {sequence} {reason}")


def replay(events: Iterable[LoggedEvent]) -> ReplayedIntent:
    """The intent that the events, in the order of their sequence, lead to. Raises CannotReplay."""
    intent: ReplayedIntent | None = None
    for number, (_, intent) in enumerate(replay_steps(_gapless(events)), start=1):
        intent.last_sequence = number
    if intent is None:
        raise CannotReplay(1, "is missing: the log is empty")
    return intent


def _gapless(events: Iterable[LoggedEvent]) -> Iterator[LoggedEvent]:
    for number, event in enumerate(events, start=1):
        if event.sequence != number:
            raise CannotReplay(number, f"is missing: {event.sequence} comes in its place")
        yield event


def replay_steps(events: Iterable[L]) -> Iterator[tuple[L, ReplayedIntent]]:
    """Each of the events with the intent as it leaves it, which is the same object all the time.

    They may be the versioned ones alone (VERSIONED), in their order from the creation on. Raises CannotReplay.
    """
    intent: ReplayedIntent | None = None
    before: L | None = None
    for event in events:
        try:
            intent = _follow(intent, event, before)
        except (KeyError, TypeError, ValueError, AttributeError, InvalidPatch) as error:
            raise CannotReplay(event.sequence or 0, f"({event.event_type}) does not follow: {error!r}") from None
        before = event
        yield event, intent


def event_version(event: LoggedEvent) -> int:
    """That which the event made; it is one of VERSIONED."""
    version: int = event.payload["version"]
    return version


def _follow(intent: ReplayedIntent | None, event: LoggedEvent, before: LoggedEvent | None) -> ReplayedIntent:
    if intent is None:
        return _created(event)
    if event.event_type == EventType.INTENT_CREATED:
        raise ValueError("it was created before")
    if apply := _CHANGES.get(event.event_type):
        apply(intent, event.payload)
    if event.event_type in _VERSIONED:
        step = 0 if before and _same_write(before, event) else 1
        _expect("version", event.payload["version"], intent.version + step)
        intent.version += step
    return intent


def _same_write(before: LoggedEvent, event: LoggedEvent) -> bool:
    """Whether both tell of one write: several dependencies, and the status that comes of them, share a version."""
    return (
        before.event_type in (EventType.DEPENDENCY_ADDED, EventType.DEPENDENCY_REMOVED)
        and before.event_type in (event.event_type, event.payload.get("reason"))
        and before.payload["version"] == event.payload["version"]
    )


def _created(event: LoggedEvent) -> ReplayedIntent:
    _expect("event_type", event.event_type, EventType.INTENT_CREATED)
    told = event.payload
    _expect("version", told["version"], 1)
    parent = told["parent_intent_id"]
    return ReplayedIntent(
        title=told["title"],
        description=told["description"],
        status=told["status"],
        state=deepcopy(told["state"]),  # Patches change it in place.
        constraints=told["constraints"],
        confidence=told["confidence"],
        version=1,
        parent_intent_id=parent and UUID(parent),
        depends_on=list(told["depends_on"]),
        agents=[],
        created_by=event.actor,
        last_sequence=1,
    )


def _updated(intent: ReplayedIntent, told: dict[str, Any]) -> None:
    for name, value in told["changes"].items():
        setattr(intent, name, value)


def _patched(intent: ReplayedIntent, told: dict[str, Any]) -> None:
    patches.apply_patches(intent.state, told["patches"])


def _status_changed(intent: ReplayedIntent, told: dict[str, Any]) -> None:
    _expect("from", told["from"], intent.status)
    intent.status = told["to"]


def _dependency_added(intent: ReplayedIntent, told: dict[str, Any]) -> None:
    if told["dependency_id"] in intent.depends_on:
        raise ValueError(f"{told['dependency_id']} was a dependency already")
    intent.depends_on.append(told["dependency_id"])


def _dependency_removed(intent: ReplayedIntent, told: dict[str, Any]) -> None:
    intent.depends_on.remove(told["dependency_id"])


def _agent_assigned(intent: ReplayedIntent, told: dict[str, Any]) -> None:
    others = [each for each in intent.agents if each["agent_id"] != told["agent_id"]]
    intent.agents = [*others, {"agent_id": told["agent_id"], "role": told["role"]}]


def _agent_unassigned(intent: ReplayedIntent, told: dict[str, Any]) -> None:
    remaining = [each for each in intent.agents if each["agent_id"] != told["agent_id"]]
    _expect("number of agents", len(remaining), len(intent.agents) - 1)
    intent.agents = remaining


def _expect(what: str, told: Any, expected: Any) -> None:
    if told != expected:
        raise ValueError(f"{what} is {told!r}, and should be {str(expected)!r}")


_CHANGES: dict[str, Callable[[ReplayedIntent, dict[str, Any]], None]] = {
    EventType.INTENT_UPDATED: _updated,
    EventType.STATE_PATCHED: _patched,
    EventType.STATUS_CHANGED: _status_changed,
    EventType.DEPENDENCY_ADDED: _dependency_added,
    EventType.DEPENDENCY_REMOVED: _dependency_removed,
    EventType.AGENT_ASSIGNED: _agent_assigned,
    EventType.AGENT_UNASSIGNED: _agent_unassigned,
}

_VERSIONED = _CHANGES.keys() - {EventType.AGENT_ASSIGNED, EventType.AGENT_UNASSIGNED}
VERSIONED = frozenset([EventType.INTENT_CREATED, *_VERSIONED])
"""The types of events that make a version of their intent."""
