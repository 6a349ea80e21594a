"""Models: objects of the API as frozen dataclasses (protocol §3)."""

from ..enums import EventType, IntentStatus, LeaseStatus, PortfolioStatus, RetryStrategy
from ._aliases import (
    ArbitrationRequest,
    CostType,
    IntentAttachment,
    IntentCost,
    IntentEvent,
    IntentFailure,
    IntentLease,
    IntentPortfolio,
    IntentSubscription,
    MembershipRole,
)
from ._model import Model
from ._state import IntentState
from .attachments import Attachment
from .costs import Cost, CostSummary
from .governance import (
    Action,
    Arbitration,
    ArbitrationOption,
    Decision,
    Delegation,
    DelegationScope,
    Escalation,
    Evidence,
    Fallback,
    Gate,
    Information,
    Permit,
    RecordedVote,
    Told,
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
from .leases import Lease, LeasePlace
from .notices import Channel, Notice
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
    "ArbitrationRequest",
    "Attachment",
    "BlockedIntent",
    "Brief",
    "Channel",
    "Cost",
    "CostSummary",
    "CostType",
    "Decision",
    "Delegation",
    "DelegationScope",
    "Delivery",
    "DeliveryAttempt",
    "Escalation",
    "Event",
    "EventType",
    "Evidence",
    "Failure",
    "Fallback",
    "Gate",
    "GraphEdge",
    "GraphNode",
    "Information",
    "Intent",
    "IntentAgent",
    "IntentAttachment",
    "IntentCost",
    "IntentEvent",
    "IntentFailure",
    "IntentGraph",
    "IntentLease",
    "IntentPortfolio",
    "IntentState",
    "IntentStatus",
    "IntentSubscription",
    "LastDelivery",
    "Lease",
    "LeasePlace",
    "LeaseStatus",
    "MembershipRole",
    "Model",
    "Notice",
    "Permit",
    "Plan",
    "Portfolio",
    "PortfolioMember",
    "PortfolioStatus",
    "RecordedVote",
    "RetryPolicy",
    "RetryStrategy",
    "StreamToken",
    "Subscription",
    "Told",
    "Vote",
]
