"""Replay of an intent from its events (rule E-6). Pure: it reads no table, so that tables can be checked against it."""

from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar
from uuid import UUID

from intents import patches
from intents.errors import InvalidPatch
from intents.events import EventType


class LoggedEvent(Protocol):
    """The part of an event that a replay reads; a row of Event has it."""

    @property
    def sequence(self) -> int | None: ...
    @property
    def event_type(self) -> str: ...
    @property
    def actor(self) -> str: ...
    @property
    def payload(self) -> dict[str, Any]: ...


L = TypeVar("L", bound=LoggedEvent)

VERSIONED = frozenset(
    [
        EventType.INTENT_CREATED,
        EventType.INTENT_UPDATED,
        EventType.STATE_PATCHED,
        EventType.STATUS_CHANGED,
        EventType.DEPENDENCY_ADDED,
        EventType.DEPENDENCY_REMOVED,
    ]
)
"""The types of events that increment the version of their intent."""


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
    """Return the intent that results from the events, in the order of their sequence. Raise CannotReplay."""

    def in_sequence() -> Iterator[LoggedEvent]:
        for number, event in enumerate(events, start=1):
            if event.sequence != number:
                raise CannotReplay(number, f"is missing: {event.sequence} follows instead")
            yield event

    intent: ReplayedIntent | None = None
    for number, (_, intent) in enumerate(replay_steps(in_sequence()), start=1):
        intent.last_sequence = number
    if intent is None:
        raise CannotReplay(1, "is missing: the log is empty")
    return intent


def replay_steps(events: Iterable[L]) -> Iterator[tuple[L, ReplayedIntent]]:
    """Yield each event with the intent after it, which is the same object every time.

    The events may be only the versioned ones (VERSIONED), in order from the creation on. Raises CannotReplay.
    """
    intent: ReplayedIntent | None = None
    previous: L | None = None
    for event in events:
        try:
            intent = _apply_event(intent, event, previous)
        except (KeyError, TypeError, ValueError, AttributeError, InvalidPatch) as error:
            raise CannotReplay(event.sequence or 0, f"({event.event_type}) does not follow: {error!r}") from None
        previous = event
        yield event, intent


def _apply_event(intent: ReplayedIntent | None, event: LoggedEvent, previous: LoggedEvent | None) -> ReplayedIntent:
    if intent is None:
        return _create(event)
    if event.event_type == EventType.INTENT_CREATED:
        raise ValueError("the intent already exists")
    _apply_change(intent, event.event_type, event.payload)
    if event.event_type in VERSIONED:
        # One write may have several events, which share a version: dependencies, and the status that results.
        is_same_write = (
            previous is not None
            and previous.event_type in (EventType.DEPENDENCY_ADDED, EventType.DEPENDENCY_REMOVED)
            and previous.event_type in (event.event_type, event.payload.get("reason"))
            and previous.payload["version"] == event.payload["version"]
        )
        step = 0 if is_same_write else 1
        _expect("version", event.payload["version"], intent.version + step)
        intent.version += step
    return intent


def _create(event: LoggedEvent) -> ReplayedIntent:
    _expect("event_type", event.event_type, EventType.INTENT_CREATED)
    payload = event.payload
    _expect("version", payload["version"], 1)
    parent = payload["parent_intent_id"]
    return ReplayedIntent(
        title=payload["title"],
        description=payload["description"],
        status=payload["status"],
        state=deepcopy(payload["state"]),  # Patches change it in place.
        constraints=payload["constraints"],
        confidence=payload["confidence"],
        version=1,
        parent_intent_id=parent and UUID(parent),
        depends_on=list(payload["depends_on"]),
        agents=[],
        created_by=event.actor,
        last_sequence=1,
    )


def _apply_change(intent: ReplayedIntent, event_type: str, payload: dict[str, Any]) -> None:
    match event_type:
        case EventType.INTENT_UPDATED:
            for name, value in payload["changes"].items():
                setattr(intent, name, value)
        case EventType.STATE_PATCHED:
            patches.apply_patches(intent.state, payload["patches"])
        case EventType.STATUS_CHANGED:
            _expect("from", payload["from"], intent.status)
            intent.status = payload["to"]
        case EventType.DEPENDENCY_ADDED:
            if payload["dependency_id"] in intent.depends_on:
                raise ValueError(f"{payload['dependency_id']} is already a dependency")
            intent.depends_on.append(payload["dependency_id"])
        case EventType.DEPENDENCY_REMOVED:
            intent.depends_on.remove(payload["dependency_id"])
        case EventType.AGENT_ASSIGNED:
            others = [each for each in intent.agents if each["agent_id"] != payload["agent_id"]]
            intent.agents = [*others, {"agent_id": payload["agent_id"], "role": payload["role"]}]
        case EventType.AGENT_UNASSIGNED:
            remaining = [each for each in intent.agents if each["agent_id"] != payload["agent_id"]]
            _expect("number of agents", len(remaining), len(intent.agents) - 1)
            intent.agents = remaining


def _expect(name: str, value: Any, expected: Any) -> None:
    if value != expected:
        raise ValueError(f"{name} is {value!r}, expected {str(expected)!r}")
