"""Leases."""

from ..errors import InputValidationError
from ._values import require_reason, require_text, validate_whole_number

SCOPE_LENGTH = 200
LEASE_SECONDS = (1, 86_400)
REVOCATION_LENGTH = 2_000


def validate_lease_acquire(scope: str, duration_seconds: int = 300) -> None:
    """Check a lease to acquire (protocol L-1, L-2): a scope such as `content.draft`, for 1 to 86,400 whole seconds."""
    require_text(scope, "scope", SCOPE_LENGTH)
    if any(not level.strip() for level in scope.split(".")):
        raise InputValidationError(f"scope cannot have an empty level between its dots, as {scope!r} has", field="scope")
    validate_lease_renew(duration_seconds)


def validate_lease_renew(duration_seconds: int = 300) -> None:
    """Check the duration of a lease: 1 to 86,400 whole seconds from now (protocol L-2)."""
    validate_whole_number(duration_seconds, "duration_seconds", *LEASE_SECONDS)


def validate_lease_revoke(reason: str | None = None) -> None:
    """Check the reason for a revocation: at most 2,000 characters, or None."""
    require_reason(reason, REVOCATION_LENGTH)
