"""The protocol's closed vocabularies.

Each member is the word on the wire: `EventType.COMMENT == "comment"`. Every method takes the member or
the word; an answer with a word this version does not know keeps it as plain text.
"""

from enum import StrEnum, auto


class IntentStatus(StrEnum):
    """Where an intent stands (protocol I-4, I-5). Completed and abandoned are final."""

    DRAFT = auto()
    PENDING = auto()
    ACTIVE = auto()
    BLOCKED = auto()
    COMPLETED = auto()
    ABANDONED = auto()


class KeyRole(StrEnum):
    """What an API key may do (protocol §1.1), from reading only to everything."""

    OBSERVER = auto()
    AGENT = auto()
    ARBITER = auto()
    OPERATOR = auto()


class LeaseStatus(StrEnum):
    """How a lease stands."""

    ACTIVE = auto()
    RELEASED = auto()
    EXPIRED = auto()
    REVOKED = auto()


class ArbitrationStatus(StrEnum):
    """How an arbitration stands (protocol A-1, A-5)."""

    PENDING = auto()
    RESOLVED = auto()
    WITHDRAWN = auto()
    EXPIRED = auto()


class RetryStrategy(StrEnum):
    """How the delay between attempts grows (protocol R-1); none: the server plans no retries."""

    NONE = auto()
    FIXED = auto()
    LINEAR = auto()
    EXPONENTIAL = auto()


class PortfolioStatus(StrEnum):
    """Where a portfolio stands (protocol P-2). Completed and abandoned are final."""

    ACTIVE = auto()
    COMPLETED = auto()
    ABANDONED = auto()


class SubscriptionStatus(StrEnum):
    """Where a subscription stands. One that has run out, or whose callback has failed for too long, is disabled (protocol W-2)."""

    ACTIVE = auto()
    PAUSED = auto()
    DISABLED = auto()


class DeliveryStatus(StrEnum):
    """Where a delivery stands: it will be tried again, has arrived, or is given up (protocol W-2)."""

    PENDING = auto()
    DELIVERED = auto()
    DEAD = auto()


class EventType(StrEnum):
    """The event types with a meaning in the protocol (§6). Clients may log others of their own."""

    INTENT_CREATED = auto()
    INTENT_UPDATED = auto()
    STATE_PATCHED = auto()
    STATUS_CHANGED = auto()
    DEPENDENCY_ADDED = auto()
    DEPENDENCY_REMOVED = auto()
    DEPENDENCY_ABANDONED = auto()
    AGENT_ASSIGNED = auto()
    AGENT_UNASSIGNED = auto()
    LEASE_ACQUIRED = auto()
    LEASE_RENEWED = auto()
    LEASE_RELEASED = auto()
    LEASE_EXPIRED = auto()
    LEASE_REVOKED = auto()
    ARBITRATION_REQUESTED = auto()
    ARBITRATION_WITHDRAWN = auto()
    ARBITRATION_EXPIRED = auto()
    DECISION_RECORDED = auto()
    DELEGATION_GRANTED = auto()
    DELEGATION_REVOKED = auto()
    ATTACHMENT_ADDED = auto()
    ATTACHMENT_REMOVED = auto()
    COST_RECORDED = auto()
    BUDGET_ALERT = auto()
    BUDGET_EXCEEDED = auto()
    RETRY_POLICY_SET = auto()
    FAILURE_RECORDED = auto()
    RETRY_DUE = auto()
    RETRIES_EXHAUSTED = auto()
    FALLBACK_TRIGGERED = auto()
    PORTFOLIO_CREATED = auto()
    PORTFOLIO_UPDATED = auto()
    PORTFOLIO_STATUS_CHANGED = auto()
    ADDED_TO_PORTFOLIO = auto()
    REMOVED_FROM_PORTFOLIO = auto()
    SUBSCRIPTION_CREATED = auto()
    SUBSCRIPTION_UPDATED = auto()
    SUBSCRIPTION_REMOVED = auto()
    SUBSCRIPTION_DISABLED = auto()

    COMMENT = auto()
    TOOL_CALL_STARTED = auto()
    TOOL_CALL_COMPLETED = auto()
    TOOL_CALL_FAILED = auto()
    LLM_REQUEST_STARTED = auto()
    LLM_REQUEST_COMPLETED = auto()
    LLM_REQUEST_FAILED = auto()
    STREAM_STARTED = auto()
    STREAM_CHUNK = auto()
    STREAM_COMPLETED = auto()
    STREAM_CANCELLED = auto()


CLIENT_LOGGED = frozenset(
    {
        EventType.COMMENT,
        EventType.TOOL_CALL_STARTED,
        EventType.TOOL_CALL_COMPLETED,
        EventType.TOOL_CALL_FAILED,
        EventType.LLM_REQUEST_STARTED,
        EventType.LLM_REQUEST_COMPLETED,
        EventType.LLM_REQUEST_FAILED,
        EventType.STREAM_STARTED,
        EventType.STREAM_CHUNK,
        EventType.STREAM_COMPLETED,
        EventType.STREAM_CANCELLED,
    }
)
"""Types that clients write."""

SERVER_WRITTEN = frozenset(EventType) - CLIENT_LOGGED
"""Types that only the server writes (protocol E-4)."""
