"""The exceptions, by their module in the published package openintent 0.5 and 0.17 (protocol K-11). They are those of `openintent.errors`."""

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

__all__ = [
    "AuthenticationError",
    "ConflictError",
    "ConnectionFailedError",
    "DecisionTimeoutError",
    "InputValidationError",
    "LeaseConflictError",
    "NotFoundError",
    "OpenIntentError",
    "PermissionDeniedError",
    "RateLimitError",
    "RequestTimeoutError",
    "ServerError",
    "UndecidedError",
    "ValidationError",
    "WebhookVerificationError",
]
