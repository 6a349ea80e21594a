"""The Python SDK of the OpenIntent Coordination Protocol.

from openintent import OpenIntentClient

with OpenIntentClient("http://localhost:8000", api_key="dev-user-key", agent_id="ada") as client:
    intent = client.create_intent(title="Research market trends")
    client.update_state(intent.id, intent.version, {"progress": 0.5})

`AsyncOpenIntentClient` has the same methods as coroutines; it needs the extra `openintent[async]`.
"""

from typing import TYPE_CHECKING, Any

from . import webhooks
from ._streams import EventStream
from ._version import __version__
from .client import OpenIntentClient
from .enums import (
    ArbitrationStatus,
    DeliveryStatus,
    EventType,
    IntentStatus,
    KeyRole,
    LeaseStatus,
    PortfolioStatus,
    RetryStrategy,
    SubscriptionStatus,
)
from .errors import (
    AuthenticationError,
    ConflictError,
    ConnectionFailedError,
    DecisionTimeoutError,
    InputValidationError,
    LeaseConflictError,
    NotFoundError,
    OpenIntentError,
    PermissionDeniedError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    UndecidedError,
    ValidationError,
    WebhookVerificationError,
)
from .models import (
    AgentAssignment,
    AggregateStatus,
    ApiKey,
    Arbitration,
    ArbitrationOption,
    Attachment,
    BlockedIntent,
    Cost,
    CostSummary,
    Decision,
    Delegation,
    DelegationScope,
    Delivery,
    DeliveryAttempt,
    Event,
    Evidence,
    Failure,
    GraphEdge,
    GraphNode,
    Intent,
    IntentAgent,
    IntentGraph,
    LastDelivery,
    Lease,
    Portfolio,
    PortfolioMember,
    RetryPolicy,
    Subscription,
)

if TYPE_CHECKING:
    from ._astreams import AsyncEventStream
    from .aio import AsyncOpenIntentClient

__all__ = [
    "AgentAssignment",
    "AggregateStatus",
    "ApiKey",
    "Arbitration",
    "ArbitrationOption",
    "ArbitrationStatus",
    "AsyncEventStream",
    "AsyncOpenIntentClient",
    "Attachment",
    "AuthenticationError",
    "BlockedIntent",
    "ConflictError",
    "ConnectionFailedError",
    "Cost",
    "CostSummary",
    "Decision",
    "DecisionTimeoutError",
    "Delegation",
    "DelegationScope",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryStatus",
    "Event",
    "EventStream",
    "EventType",
    "Evidence",
    "Failure",
    "GraphEdge",
    "GraphNode",
    "InputValidationError",
    "Intent",
    "IntentAgent",
    "IntentGraph",
    "IntentStatus",
    "KeyRole",
    "LastDelivery",
    "Lease",
    "LeaseConflictError",
    "LeaseStatus",
    "NotFoundError",
    "OpenIntentClient",
    "OpenIntentError",
    "PermissionDeniedError",
    "Portfolio",
    "PortfolioMember",
    "PortfolioStatus",
    "RateLimitError",
    "RequestTimeoutError",
    "RetryPolicy",
    "RetryStrategy",
    "ServerError",
    "Subscription",
    "SubscriptionStatus",
    "UndecidedError",
    "ValidationError",
    "WebhookVerificationError",
    "__version__",
    "webhooks",
]


def __getattr__(name: str) -> Any:
    """Import the asynchronous client when it is asked for: the rest needs no httpx2."""
    if name in {"AsyncOpenIntentClient", "AsyncEventStream"}:
        from . import aio  # noqa: PLC0415

        return getattr(aio, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
