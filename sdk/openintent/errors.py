"""Exceptions of the SDK (protocol §2).

    OpenIntentError
    ├── ValidationError         400, 413, 422, 428
    │   └── InputValidationError    rejected before sending
    ├── AuthenticationError     401
    ├── PermissionDeniedError   403
    ├── NotFoundError           404
    ├── ConflictError           409: another writer came first; read again, then decide
    ├── LeaseConflictError      409: another agent's lease conflicts, or yours is lost
    ├── RateLimitError          429, after the retries
    ├── ServerError             5xx, after the retries
    ├── ConnectionFailedError   no response
    │   └── RequestTimeoutError
    ├── UndecidedError          wait_for_decision: there will be no decision
    │   └── DecisionTimeoutError    no decision in time
    └── WebhookVerificationError    webhooks.verify: do not trust this request

They hold plain data, never the request: no key is in them, and they can be pickled and copied.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from .enums import ErrorCode
from .models import Arbitration


class OpenIntentError(Exception):
    """Base class of everything the SDK raises about a call.

    status_code  the HTTP status; None when there was no response
    code         the protocol's error code, for programs, as in `ErrorCode`; None outside the protocol
    message      a description for people
    response     the JSON object of the response, with the members that belong to the code; may be empty
    retry_after  seconds the server asked to wait, if it did
    """

    def __init__(
        self,
        message: str,
        status_code: int | None = None,
        response: Mapping[str, Any] | None = None,
        *,
        code: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status_code = status_code
        self.code = code
        self.response: dict[str, Any] = dict(response or {})
        self.retry_after = retry_after

    def __repr__(self) -> str:
        message = self.message if len(self.message) <= 120 else f"{self.message[:119]}…"
        where = f", status_code={self.status_code}" if self.status_code is not None else ""
        what = f", code={self.code!r}" if self.code is not None else ""
        return f"{type(self).__name__}({message!r}{where}{what})"


def _with_response(about: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Return the arguments of an error with these members of its response, as far as they are given."""
    given = {name: value for name, value in members.items() if value is not None}
    return {**about, "response": {**(about.get("response") or {}), **given}}


class ValidationError(OpenIntentError):
    """The request is invalid. Nothing was changed."""

    def __init__(self, message: str, errors: Sequence[Any] | None = None, **about: Any) -> None:
        super().__init__(message, **_with_response(about, errors=errors))

    @property
    def errors(self) -> Sequence[Mapping[str, Any]]:
        """The invalid fields: `[{"field", "message", "code"}]`, empty if the error is not about fields."""
        return self.response.get("errors") or []


class InputValidationError(ValidationError, ValueError):
    """Rejected by the SDK itself, before anything was sent (protocol K-3).

    `field` names the argument, with the path inside it if it is nested: `state.tasks[2]`.
    """

    def __init__(self, message: str, field: str | None = None, value: Any = None) -> None:
        super().__init__(message, code="invalid")
        self.field = field
        self.value = value


class AuthenticationError(OpenIntentError):
    """The API key is missing, wrong, expired or revoked."""


class PermissionDeniedError(OpenIntentError):
    """The key is valid, but lacks the permission."""


class NotFoundError(OpenIntentError):
    """There is no such intent, lease or other resource."""


class ConflictError(OpenIntentError):
    """The resource is not in the state that the request expects, most often because another writer came first."""

    def __init__(self, message: str, current_version: int | None = None, **about: Any) -> None:
        super().__init__(message, **_with_response(about, current_version=current_version))

    @property
    def current_version(self) -> int | None:
        """The current version of the intent, on a `version_conflict`."""
        return self.response.get("current_version")

    @property
    def waiting_for(self) -> Sequence[str]:
        """The ids of intents and arbitrations that are still open, on a `completion_gate`."""
        return self.response.get("waiting_for") or []


class LeaseConflictError(OpenIntentError):
    """Another agent holds the scope, or the caller's own lease is lost or expired. Not a `ConflictError`."""

    def __init__(self, message: str, existing_lease: Mapping[str, Any] | None = None, **about: Any) -> None:
        super().__init__(message, **_with_response(about, existing_lease=existing_lease))

    @property
    def existing_lease(self) -> Mapping[str, Any] | None:
        """The conflicting lease, as the server describes it, on a `lease_conflict`."""
        return self.response.get("existing_lease")


class RateLimitError(OpenIntentError):
    """Too many requests. `retry_after` is the number of seconds the server asked to wait."""


class ServerError(OpenIntentError):
    """The server failed, or is not available now."""


class ConnectionFailedError(OpenIntentError):
    """The server sent no response.

    `sent` is False when no connection was made, so the server has done nothing. When it is True
    the request may have been carried out: read again before you repeat a write.
    """

    def __init__(self, message: str, *, sent: bool = True) -> None:
        super().__init__(message)
        self.sent = sent


class RequestTimeoutError(ConnectionFailedError):
    """The server sent no response in time."""


class UndecidedError(OpenIntentError):
    """There will be no decision: the arbitration was withdrawn or has expired. `arbitration` is its current state."""

    def __init__(self, message: str, *, arbitration: Arbitration | None = None, code: str | None = None) -> None:
        super().__init__(message, code=code)
        self.arbitration = arbitration


class DecisionTimeoutError(UndecidedError, TimeoutError):
    """There is no decision within the timeout. `arbitration` is None if the server could not be reached."""


class PermitRefusedError(PermissionDeniedError):
    """The decision does not grant the act. `arbitration` has the decision, with its rationale."""

    def __init__(self, message: str, *, arbitration: Arbitration | None = None) -> None:
        super().__init__(message, code="permit_refused")
        self.arbitration = arbitration


class NotExecuted(Exception):
    """Raised within a permit block to say that the act had no effect: its outcome is `failed`, and another permit may be asked."""


class WebhookVerificationError(OpenIntentError):
    """The request may be forged, altered or replayed: answer 400 and do nothing."""


_LEASE_CODES = (ErrorCode.LEASE_CONFLICT, ErrorCode.LEASE_LOST, ErrorCode.LEASE_EXPIRED)

_BY_STATUS: dict[int, type[OpenIntentError]] = {
    400: ValidationError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    413: ValidationError,
    422: ValidationError,
    428: ValidationError,
    429: RateLimitError,
    431: ValidationError,
}


def error_from_problem(status: int, problem: Mapping[str, Any], retry_after: float | None) -> OpenIntentError:
    """Return the exception for an error response: chosen by `code` for leases, else by status.

    `problem` is the response's JSON object; empty when something else, such as a proxy, answered.
    """
    code = problem.get("code")
    kind = _BY_STATUS.get(status, ServerError if status >= 500 else OpenIntentError)
    if code in _LEASE_CODES:
        kind = LeaseConflictError
    phrase = next((f" {member.phrase}" for member in HTTPStatus if member == status), "")
    message = problem.get("message") or problem.get("detail") or f"HTTP {status}{phrase}, without an explanation from the API"
    return kind(str(message), status_code=status, code=code, response=problem, retry_after=retry_after)
