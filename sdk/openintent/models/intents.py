"""Intents, their graph and their events (RFC-0001, RFC-0002)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..enums import EventType, IntentStatus
from ._model import INSTANT, UNSET, Model, decode_enum, decode_list
from ._state import IntentState

_STATUS: dict[str, Any] = {"decode": decode_enum(IntentStatus)}


@dataclass(frozen=True, kw_only=True)
class IntentAgent(Model):
    """An agent assigned to an intent, with its role."""

    agent_id: str
    role: str | None = None


_AGENTS: dict[str, Any] = {"decode": decode_list(IntentAgent)}


@dataclass(frozen=True, kw_only=True)
class AgentAssignment(IntentAgent):
    """An assignment of an agent to an intent, with its time and author."""

    intent_id: str
    assigned_by: str
    assigned_at: datetime = field(metadata=INSTANT)


@dataclass(frozen=True, kw_only=True)
class Intent(Model):
    """A goal with its structured state (RFC-0001).

    `version` is the one to pass to the next write; `last_sequence` is the newest event's. `effective_constraints`, which include
    those shared by its portfolios, are set if they were requested.
    """

    id: str
    title: str
    status: IntentStatus | str = field(metadata=_STATUS)
    version: int
    created_by: str = UNSET
    created_at: datetime = field(default=UNSET, metadata=INSTANT)
    updated_at: datetime = field(default=UNSET, metadata=INSTANT)
    description: str | None = None
    state: IntentState = field(default_factory=IntentState, metadata={"decode": IntentState.from_dict})
    constraints: dict[str, Any] = field(default_factory=dict)
    confidence: int | None = None
    parent_intent_id: str | None = None
    depends_on: list[str] = field(default_factory=list)
    agents: list[IntentAgent] = field(default_factory=list, metadata=_AGENTS)
    last_sequence: int = 0
    effective_constraints: dict[str, Any] | None = None

    @property
    def has_parent(self) -> bool:
        return self.parent_intent_id is not None

    @property
    def has_dependencies(self) -> bool:
        return bool(self.depends_on)


@dataclass(frozen=True, kw_only=True)
class BlockedIntent(Intent):
    """An intent that is not ready, and the ids of those it waits for."""

    waiting_for: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class GraphNode(Model):
    """An intent in a graph."""

    id: str
    title: str
    status: IntentStatus | str = field(metadata=_STATUS)
    version: int | None = None
    agents: list[IntentAgent] = field(default_factory=list, metadata=_AGENTS)
    created_by: str | None = None
    parent_intent_id: str | None = None
    updated_at: datetime | None = field(default=None, metadata=INSTANT)


@dataclass(frozen=True, kw_only=True)
class GraphEdge(Model):
    """An edge between two intents.

    `type` is "parent", from a parent to its child, or "dependency", from an intent to what it depends on.
    """

    source: str = field(metadata={"key": "from"})
    target: str = field(metadata={"key": "to"})
    type: str


@dataclass(frozen=True, kw_only=True)
class AggregateStatus(Model):
    """The progress of a group of intents. `completion_percentage` is from 0 to 100."""

    total: int
    by_status: dict[str, int] = field(default_factory=dict)
    completion_percentage: float | None = None
    blocking_intents: list[str] = field(default_factory=list)
    ready_intents: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class IntentGraph(Model):
    """The intents that are reachable from `root` through children and dependencies (RFC-0002)."""

    root: str
    nodes: list[GraphNode] = field(metadata={"decode": decode_list(GraphNode)})
    edges: list[GraphEdge] = field(metadata={"decode": decode_list(GraphEdge)})
    aggregate_status: AggregateStatus = field(metadata={"decode": AggregateStatus.from_json})


@dataclass(frozen=True, kw_only=True)
class Brief(Model):
    """A hand-over of an intent (protocol I-8). `str(brief)` is its text, whose lines end with the `sequence` of their event."""

    intent_id: str
    sequence: int
    text: str
    left_out: dict[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, kw_only=True)
class Event(Model):
    """An entry of the append-only log.

    `sequence` counts 1, 2, 3 … within the intent. `position` orders the events of the whole server; it
    may be None in the response to the write itself, until the server has assigned it.
    """

    id: str
    event_type: EventType | str = field(metadata={"decode": decode_enum(EventType)})
    actor: str
    created_at: datetime = field(metadata=INSTANT)
    intent_id: str | None = None
    portfolio_id: str | None = None
    sequence: int | None = None
    position: int | None = None
    payload: dict[str, Any] = field(default_factory=dict)
    trace_id: str | None = None
    parent_event_id: str | None = None
