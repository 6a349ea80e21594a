"""What the API answers, as frozen dataclasses (protocol §3).

They are tolerant readers: a key this version does not know is kept in `extra`, and a word it does
not know (a status, an event type) stays plain text. Instants are aware datetimes in UTC.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self, TypeVar

from .enums import EventType, IntentStatus, KeyRole

E = TypeVar("E", bound=StrEnum)
M = TypeVar("M", bound="Model")


@dataclass(frozen=True, kw_only=True)
class Model:
    """Something the API answers. `extra` holds the keys that this version has no field for."""

    extra: Mapping[str, Any] = field(default_factory=dict, repr=False, metadata={"key": None})

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read a JSON object. Raises TypeError if a field without a default is missing."""
        extra = dict(data)
        values: dict[str, Any] = {}
        for one in fields(cls):
            key = one.metadata.get("key", one.name)
            if key in extra:
                values[one.name] = _decoded(extra.pop(key), one.metadata.get("decode"))
        return cls(**{**values, "extra": extra})


def _decoded(value: Any, decode: Callable[[Any], Any] | None) -> Any:
    return value if decode is None or value is None else decode(value)


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _word(known: type[E]) -> Callable[[str], E | str]:
    def decode(text: str) -> E | str:
        try:
            return known(text)
        except ValueError:
            return text

    return decode


def _several(model: type[M]) -> Callable[[Sequence[Any]], list[M]]:
    return lambda items: [model.from_json(item) for item in items]


_AT: dict[str, Any] = {"decode": _instant}
_STATUS: dict[str, Any] = {"decode": _word(IntentStatus)}


@dataclass(frozen=True, kw_only=True)
class IntentAgent(Model):
    """An agent as an intent lists it, with the role it has there."""

    agent_id: str
    role: str | None = None


_AGENTS: dict[str, Any] = {"decode": _several(IntentAgent)}


@dataclass(frozen=True, kw_only=True)
class AgentAssignment(IntentAgent):
    """An agent's assignment to an intent: who, as what, by whom, since when."""

    intent_id: str
    assigned_by: str
    assigned_at: datetime = field(metadata=_AT)


@dataclass(frozen=True, kw_only=True)
class Intent(Model):
    """A goal with its structured state (RFC-0001).

    `version` is the one to build the next write on; `last_sequence` is the newest event's.
    """

    id: str
    title: str
    status: IntentStatus | str = field(metadata=_STATUS)
    version: int
    created_by: str
    created_at: datetime = field(metadata=_AT)
    updated_at: datetime = field(metadata=_AT)
    description: str | None = None
    state: dict[str, Any] = field(default_factory=dict)
    constraints: dict[str, Any] = field(default_factory=dict)
    confidence: int | None = None
    parent_intent_id: str | None = None
    depends_on: list[str] = field(default_factory=list)
    agents: list[IntentAgent] = field(default_factory=list, metadata=_AGENTS)
    last_sequence: int = 0


@dataclass(frozen=True, kw_only=True)
class BlockedIntent(Intent):
    """An intent that cannot go on, and the ids of those it waits for."""

    waiting_for: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class GraphNode(Model):
    """An intent in a graph, in short."""

    id: str
    title: str
    status: IntentStatus | str = field(metadata=_STATUS)
    version: int | None = None
    agents: list[IntentAgent] = field(default_factory=list, metadata=_AGENTS)
    created_by: str | None = None
    parent_intent_id: str | None = None
    updated_at: datetime | None = field(default=None, metadata=_AT)


@dataclass(frozen=True, kw_only=True)
class GraphEdge(Model):
    """An arrow between two intents.

    `type` is "parent", from a parent to its child, or "dependency", from an intent to what it depends on.
    """

    source: str = field(metadata={"key": "from"})
    target: str = field(metadata={"key": "to"})
    type: str


@dataclass(frozen=True, kw_only=True)
class AggregateStatus(Model):
    """How far a group of intents is. `completion_percentage` is from 0 to 100."""

    total: int
    by_status: dict[str, int] = field(default_factory=dict)
    completion_percentage: float | None = None
    blocking_intents: list[str] = field(default_factory=list)
    ready_intents: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class IntentGraph(Model):
    """What is reachable from the intent `root` through children and dependencies (RFC-0002)."""

    root: str
    nodes: list[GraphNode] = field(metadata={"decode": _several(GraphNode)})
    edges: list[GraphEdge] = field(metadata={"decode": _several(GraphEdge)})
    aggregate_status: AggregateStatus = field(metadata={"decode": AggregateStatus.from_json})


@dataclass(frozen=True, kw_only=True)
class Event(Model):
    """An entry of the append-only log.

    `sequence` counts 1, 2, 3 … within the intent. `position` orders the events of the whole server; it
    may be None in the answer to the write itself, until the server has numbered it.
    """

    id: str
    event_type: EventType | str = field(metadata={"decode": _word(EventType)})
    actor: str
    created_at: datetime = field(metadata=_AT)
    intent_id: str | None = None
    portfolio_id: str | None = None
    sequence: int | None = None
    position: int | None = None
    payload: dict[str, Any] = field(default_factory=dict)
    trace_id: str | None = None
    parent_event_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class ApiKey(Model):
    """An API key, without its secret. `prefix` is its beginning, to tell keys apart.

    `key`, the secret itself, is there once: in the answer that created it. It is never in the repr.
    """

    id: str
    name: str
    role: KeyRole | str = field(metadata={"decode": _word(KeyRole)})
    created_at: datetime = field(metadata=_AT)
    agent_id: str | None = None
    prefix: str | None = None
    created_by: str | None = None
    expires_at: datetime | None = field(default=None, metadata=_AT)
    last_used_at: datetime | None = field(default=None, metadata=_AT)
    revoked_at: datetime | None = field(default=None, metadata=_AT)
    key: str | None = field(default=None, repr=False)
