"""Enums of the protocol.

Each member equals its value on the wire: `EventType.COMMENT == "comment"`. Every method takes the member or
the value; an unknown value in a response stays plain text.
"""

from enum import StrEnum, auto


class IntentStatus(StrEnum):
    """Status of an intent (protocol I-4, I-5). Completed and abandoned are final."""

    DRAFT = auto()
    PENDING = auto()
    ACTIVE = auto()
    BLOCKED = auto()
    COMPLETED = auto()
    ABANDONED = auto()


class KeyRole(StrEnum):
    """Role of an API key (protocol §1.1), from read-only to all permissions."""

    OBSERVER = auto()
    AGENT = auto()
    ARBITER = auto()
    OPERATOR = auto()


class LeaseStatus(StrEnum):
    """Status of a lease."""

    ACTIVE = auto()
    RELEASED = auto()
    EXPIRED = auto()
    REVOKED = auto()


class ArbitrationStatus(StrEnum):
    """Status of an arbitration (protocol A-1, A-5)."""

    PENDING = auto()
    RESOLVED = auto()
    WITHDRAWN = auto()
    EXPIRED = auto()


class RetryStrategy(StrEnum):
    """Growth of the delay between attempts (protocol R-1); none: the server schedules no retries."""

    NONE = auto()
    FIXED = auto()
    LINEAR = auto()
    EXPONENTIAL = auto()


class PortfolioStatus(StrEnum):
    """Status of a portfolio (protocol P-2). Completed and abandoned are final."""

    ACTIVE = auto()
    COMPLETED = auto()
    ABANDONED = auto()


class SubscriptionStatus(StrEnum):
    """Status of a subscription. One that has expired, or whose callback has failed for too long, is disabled (protocol W-2)."""

    ACTIVE = auto()
    PAUSED = auto()
    DISABLED = auto()


class DeliveryStatus(StrEnum):
    """Status of a delivery: to be attempted, delivered, or failed permanently (protocol W-2)."""

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
