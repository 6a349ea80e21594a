"""The Python SDK of the OpenIntent Coordination Protocol.

from openintent import OpenIntentClient

with OpenIntentClient("http://localhost:8000", api_key="dev-user-key", agent_id="ada") as client:
    intent = client.create_intent(title="Research market trends")
    client.update_state(intent.id, intent.version, {"progress": 0.5})

`AsyncOpenIntentClient` has the same methods as coroutines; it needs the extra `async`. Agents, which intents are
assigned to, are made with `Agent`, `Worker` and `Coordinator`: see `openintent.agents`.
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from . import webhooks
from ._permit_decorator import permitted
from ._stream import EventStream
from ._version import __version__
from .client import OpenIntentClient
from .enums import (
    ArbitrationStatus,
    ChannelKind,
    ChannelStatus,
    DeliveryStatus,
    ErrorCode,
    EventType,
    FallbackKind,
    IntentStatus,
    KeyRole,
    LeaseStatus,
    NoticeKind,
    NoticeStatus,
    PermitOutcome,
    PermitStatus,
    PortfolioStatus,
    RetryStrategy,
    SubscriptionStatus,
    Urgency,
)
from .errors import (
    AuthenticationError,
    ConflictError,
    ConnectionFailedError,
    DecisionTimeoutError,
    InputValidationError,
    LeaseConflictError,
    NotExecuted,
    NotFoundError,
    OpenIntentError,
    PermissionDeniedError,
    PermitRefusedError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    UndecidedError,
    ValidationError,
    WebhookVerificationError,
)
from .models import (
    Action,
    AgentAssignment,
    AggregateStatus,
    ApiKey,
    Arbitration,
    ArbitrationOption,
    ArbitrationRequest,
    Attachment,
    BlockedIntent,
    Brief,
    Channel,
    Cost,
    CostSummary,
    CostType,
    Decision,
    Delegation,
    DelegationScope,
    Delivery,
    DeliveryAttempt,
    Escalation,
    Event,
    Evidence,
    Failure,
    Fallback,
    Gate,
    GraphEdge,
    GraphNode,
    Information,
    Intent,
    IntentAgent,
    IntentAttachment,
    IntentCost,
    IntentEvent,
    IntentFailure,
    IntentGraph,
    IntentLease,
    IntentPortfolio,
    IntentState,
    IntentSubscription,
    LastDelivery,
    Lease,
    LeasePlace,
    MembershipRole,
    Notice,
    Permit,
    Plan,
    Portfolio,
    PortfolioMember,
    RecordedVote,
    RetryPolicy,
    StreamToken,
    Subscription,
    Told,
    Vote,
)

if TYPE_CHECKING:
    from ._async_stream import AsyncEventStream
    from .agents import (
        Agent,
        AgentConfig,
        Assignment,
        AssignmentCancelledError,
        BaseAgent,
        Coordinator,
        Done,
        IntentSpec,
        PortfolioSpec,
        Worker,
        on_all_complete,
        on_answer,
        on_assignment,
        on_complete,
        on_event,
        on_failure,
        on_lease_available,
        on_progress,
        on_state_change,
    )
    from .aio import AsyncOpenIntentClient

__all__ = [
    "Action",
    "Agent",
    "AgentAssignment",
    "AgentConfig",
    "AggregateStatus",
    "ApiKey",
    "Arbitration",
    "ArbitrationOption",
    "ArbitrationRequest",
    "ArbitrationStatus",
    "Assignment",
    "AssignmentCancelledError",
    "AsyncEventStream",
    "AsyncOpenIntentClient",
    "Attachment",
    "AuthenticationError",
    "BaseAgent",
    "BlockedIntent",
    "Brief",
    "Channel",
    "ChannelKind",
    "ChannelStatus",
    "ConflictError",
    "ConnectionFailedError",
    "Coordinator",
    "Cost",
    "CostSummary",
    "CostType",
    "Decision",
    "DecisionTimeoutError",
    "Delegation",
    "DelegationScope",
    "Delivery",
    "DeliveryAttempt",
    "DeliveryStatus",
    "Done",
    "ErrorCode",
    "Escalation",
    "Event",
    "EventStream",
    "EventType",
    "Evidence",
    "Failure",
    "Fallback",
    "FallbackKind",
    "Gate",
    "GraphEdge",
    "GraphNode",
    "Information",
    "InputValidationError",
    "Intent",
    "IntentAgent",
    "IntentAttachment",
    "IntentCost",
    "IntentEvent",
    "IntentFailure",
    "IntentGraph",
    "IntentLease",
    "IntentPortfolio",
    "IntentSpec",
    "IntentState",
    "IntentStatus",
    "IntentSubscription",
    "KeyRole",
    "LastDelivery",
    "Lease",
    "LeaseConflictError",
    "LeasePlace",
    "LeaseStatus",
    "MembershipRole",
    "NotExecuted",
    "NotFoundError",
    "Notice",
    "NoticeKind",
    "NoticeStatus",
    "OpenIntentClient",
    "OpenIntentError",
    "PermissionDeniedError",
    "Permit",
    "PermitOutcome",
    "PermitRefusedError",
    "PermitStatus",
    "Plan",
    "Portfolio",
    "PortfolioMember",
    "PortfolioSpec",
    "PortfolioStatus",
    "RateLimitError",
    "RecordedVote",
    "RequestTimeoutError",
    "RetryPolicy",
    "RetryStrategy",
    "ServerError",
    "StreamToken",
    "Subscription",
    "SubscriptionStatus",
    "Told",
    "UndecidedError",
    "Urgency",
    "ValidationError",
    "Vote",
    "WebhookVerificationError",
    "Worker",
    "__version__",
    "on_all_complete",
    "on_answer",
    "on_assignment",
    "on_complete",
    "on_event",
    "on_failure",
    "on_lease_available",
    "on_progress",
    "on_state_change",
    "permitted",
    "webhooks",
]

_NEED_HTTPX2 = ("AsyncEventStream", "AsyncOpenIntentClient")

# `from openintent import *` works without httpx2; importing one of these by name raises an error that says what to install.
if find_spec("httpx2") is None:
    for _name in _NEED_HTTPX2:
        __all__.remove(_name)


def __getattr__(name: str) -> Any:
    """Import the asynchronous client on first use, since the rest needs no httpx2, and agents, since most programs have none."""
    if name in _NEED_HTTPX2:
        from . import aio  # noqa: PLC0415

        return getattr(aio, name)
    if name in __all__:
        from . import agents  # noqa: PLC0415

        return getattr(agents, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
