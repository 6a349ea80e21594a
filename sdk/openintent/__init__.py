"""The Python SDK of the OpenIntent Coordination Protocol.

from openintent import OpenIntentClient

with OpenIntentClient("http://localhost:8000", api_key="dev-user-key", agent_id="ada") as client:
    intent = client.create_intent(title="Research market trends")
    client.update_state(intent.id, intent.version, {"progress": 0.5})

`AsyncOpenIntentClient` has the same methods as coroutines; it needs the extra `openintent[async]`.
"""

from typing import TYPE_CHECKING, Any

from ._version import __version__
from .client import OpenIntentClient
from .enums import ArbitrationStatus, EventType, IntentStatus, KeyRole, LeaseStatus, PortfolioStatus, RetryStrategy
from .errors import (
    AuthenticationError,
    ConflictError,
    ConnectionFailedError,
    InputValidationError,
    LeaseConflictError,
    NotFoundError,
    OpenIntentError,
    PermissionDeniedError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    ValidationError,
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
    Event,
    Evidence,
    Failure,
    GraphEdge,
    GraphNode,
    Intent,
    IntentAgent,
    IntentGraph,
    Lease,
    Portfolio,
    PortfolioMember,
    RetryPolicy,
)

if TYPE_CHECKING:
    from .aio import AsyncOpenIntentClient

__all__ = [
    "AgentAssignment",
    "AggregateStatus",
    "ApiKey",
    "Arbitration",
    "ArbitrationOption",
    "ArbitrationStatus",
    "AsyncOpenIntentClient",
    "Attachment",
    "AuthenticationError",
    "BlockedIntent",
    "ConflictError",
    "ConnectionFailedError",
    "Cost",
    "CostSummary",
    "Decision",
    "Delegation",
    "DelegationScope",
    "Event",
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
    "ValidationError",
    "__version__",
]


def __getattr__(name: str) -> Any:
    """Import the asynchronous client when it is asked for: the rest needs no httpx2."""
    if name == "AsyncOpenIntentClient":
        from .aio import AsyncOpenIntentClient  # noqa: PLC0415

        return AsyncOpenIntentClient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
