"""Models: objects of the API as frozen dataclasses (protocol §3)."""

from ._model import Model
from .attachments import Attachment
from .costs import Cost, CostSummary
from .governance import (
    Action,
    Arbitration,
    ArbitrationOption,
    Decision,
    Delegation,
    DelegationScope,
    Evidence,
    Permit,
    RecordedVote,
    Vote,
)
from .intents import (
    AgentAssignment,
    AggregateStatus,
    BlockedIntent,
    Brief,
    Event,
    GraphEdge,
    GraphNode,
    Intent,
    IntentAgent,
    IntentGraph,
)
from .keys import ApiKey
from .leases import Lease
from .plans import Plan
from .portfolios import Portfolio, PortfolioMember
from .retries import Failure, RetryPolicy
from .subscriptions import Delivery, DeliveryAttempt, LastDelivery, StreamToken, Subscription

__all__ = [
    "Action",
    "AgentAssignment",
    "AggregateStatus",
    "ApiKey",
    "Arbitration",
    "ArbitrationOption",
    "Attachment",
    "BlockedIntent",
    "Brief",
    "Cost",
    "CostSummary",
    "Decision",
    "Delegation",
    "DelegationScope",
    "Delivery",
    "DeliveryAttempt",
    "Event",
    "Evidence",
    "Failure",
    "GraphEdge",
    "GraphNode",
    "Intent",
    "IntentAgent",
    "IntentGraph",
    "LastDelivery",
    "Lease",
    "Model",
    "Permit",
    "Plan",
    "Portfolio",
    "PortfolioMember",
    "RecordedVote",
    "RetryPolicy",
    "StreamToken",
    "Subscription",
    "Vote",
]
