"""Leases."""

import re
import unicodedata

from ..errors import InputValidationError
from ._values import require_reason, require_text, validate_whole_number

SCOPE_LENGTH = 200
FILE = "file:"
PATH_LENGTH = 512
LEASE_SECONDS = (1, 86_400)
REVOCATION_LENGTH = 2_000


def validate_lease_acquire(scope: str, duration_seconds: int = 300) -> None:
    """Check a lease to acquire (protocol L-1, L-2, L-7): a scope such as `content.draft` or `file:src/app.py`, for 1 to 86,400 whole seconds."""
    require_text(scope, "scope", len(FILE) + PATH_LENGTH)
    if scope.startswith(FILE):
        _require_path(scope.removeprefix(FILE))
    else:
        require_text(scope, "scope", SCOPE_LENGTH)
        if any(not level.strip() for level in scope.split(".")):
            raise InputValidationError(f"scope cannot have an empty level between its dots, as {scope!r} has", field="scope")
    validate_lease_renew(duration_seconds)


def _require_path(path: str) -> None:
    """Raise InputValidationError unless the path is relative and normalised (protocol L-7)."""
    if any(level in ("", ".", "..") for level in path.split("/")) or re.match("[A-Za-z]:", path):
        problem = "must have a relative path without empty levels, '.' and '..'"
    elif re.search(r"[\\\x00-\x1f\x7f-\x9f]", path):
        problem = "cannot have a backslash or control characters in its path"
    elif not unicodedata.is_normalized("NFC", path):
        problem = "must have its path in Unicode's normal form C"
    else:
        return
    raise InputValidationError(f"scope {problem}", field="scope")


def validate_lease_renew(duration_seconds: int = 300) -> None:
    """Check the duration of a lease: 1 to 86,400 whole seconds from now (protocol L-2)."""
    validate_whole_number(duration_seconds, "duration_seconds", *LEASE_SECONDS)


def validate_lease_revoke(reason: str | None = None) -> None:
    """Check the reason for a revocation: at most 2,000 characters, or None."""
    require_reason(reason, REVOCATION_LENGTH)
