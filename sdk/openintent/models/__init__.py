"""What the API answers, as frozen dataclasses (protocol §3)."""

from ._base import Model
from .intents import (
    AgentAssignment,
    AggregateStatus,
    BlockedIntent,
    Event,
    GraphEdge,
    GraphNode,
    Intent,
    IntentAgent,
    IntentGraph,
)
from .keys import ApiKey

__all__ = [
    "AgentAssignment",
    "AggregateStatus",
    "ApiKey",
    "BlockedIntent",
    "Event",
    "GraphEdge",
    "GraphNode",
    "Intent",
    "IntentAgent",
    "IntentGraph",
    "Model",
]
