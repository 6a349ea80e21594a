"""Protocol errors: exceptions with a stable code and an HTTP status (protocol §2)."""

from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from typing import Any, ClassVar

from core.request_id import request_id
from core.root_path import public_path

CONTENT_TYPE = "application/problem+json"
PRIVATE = "private, no-store"
"""Default `Cache-Control`: a shared cache must not store responses that need a key (protocol §1 "Caching")."""
MAX_ERRORS = 50
"""Limit of field errors in one problem."""
MAX_DETAIL = 1_000
MAX_FIELD, MAX_MESSAGE = 200, 500
"""Limits of characters of texts that may repeat the input."""


def truncate(text: str, length: int) -> str:
    """Return the text, cut to `length` characters with an ellipsis."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


class ProtocolError(Exception):
    """Base class of errors that are sent to the client. Nothing was written.

    A subclass has one `code`; its docstring is the explanation and remedy that the page at `type` shows.
    `extra` are further members of the problem.
    """

    code: ClassVar[str]
    title: ClassVar[str]
    status: ClassVar[int]
    catalogue: ClassVar[dict[str, type["ProtocolError"]]] = {}

    def __init_subclass__(cls) -> None:
        ProtocolError.catalogue.setdefault(cls.code, cls)  # A subclass may share its parent's code.

    def __init__(self, detail: str, *, headers: dict[str, str] | None = None, **extra: Any) -> None:
        detail = truncate(detail, MAX_DETAIL)
        super().__init__(detail)
        self.detail = detail
        self.extra = extra
        self.headers = headers or {}

    @classmethod
    def without_data(cls, detail: str) -> "ProtocolError":
        """Return the error with a detail alone, where the data that its class tells are not at hand."""
        found = cls.__new__(cls)
        ProtocolError.__init__(found, detail)
        return found

    def body(self) -> dict[str, Any]:
        """Return the problem details object (RFC 9457)."""
        return {
            "type": public_path(f"/problems/{self.code}"),
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "message": self.detail,
            "request_id": request_id(),
            **self.extra,
        }


class Invalid(ProtocolError):
    """The request is invalid. `errors` lists up to fifty fields with a message each; correct them and send the request again."""

    code, title, status = "invalid", "Invalid request", 400

    def __init__(self, detail: str, errors: Iterable[dict[str, str]] = ()) -> None:
        named = [
            {**each, "field": truncate(each["field"], MAX_FIELD), "message": truncate(each["message"], MAX_MESSAGE)}
            for each in islice(errors, MAX_ERRORS)
        ]
        super().__init__(detail, errors=named or [{"field": "", "message": truncate(detail, MAX_MESSAGE), "code": "invalid"}])

    @classmethod
    def without_data(cls, detail: str) -> "Invalid":
        return cls(detail)

    @classmethod
    def field(cls, name: str, message: str, code: str = "invalid") -> "Invalid":
        """Return the error of one field."""
        return cls(f"{name}: {message}", [{"field": name, "message": message, "code": code}])

    @classmethod
    def all(cls, errors: Iterable[dict[str, str]]) -> "Invalid":
        """Return the error of several fields; an empty `field` is the whole body."""
        first, *more = errors = list(errors)
        unnamed = f", of which {MAX_ERRORS - 1} are named" if len(more) >= MAX_ERRORS else ""
        others = f" (and {len(more)} more{unnamed})" if more else ""
        return cls(f"{truncate(first['field'], MAX_FIELD) or 'body'}: {truncate(first['message'], MAX_MESSAGE)}{others}", errors)


def require_future(expires_at: datetime | None, now: datetime) -> None:
    """Raise Invalid if there is an end that is not in the future."""
    if expires_at is not None and expires_at <= now:
        raise Invalid.field("expires_at", "must be in the future", "in_the_past")


class Unauthenticated(ProtocolError):
    """The API key is missing, unknown, expired or revoked. Send a valid key as `X-API-Key` or as `Authorization: Bearer`."""

    code, title, status = "unauthenticated", "Not authenticated", 401

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"WWW-Authenticate": 'Bearer realm="openintent"'})


class Forbidden(ProtocolError):
    """The key is valid, but its role does not allow this request. Use a key with a sufficient role, or ask an operator."""

    code, title, status = "forbidden", "Forbidden", 403


class NotFound(ProtocolError):
    """The path does not exist, or no object has this id. Check the path and the id."""

    code, title, status = "not_found", "Not found", 404


class ObjectNotFound(NotFound):
    """No object of a kind has this id."""

    code = NotFound.code
    message: ClassVar[str]
    """The beginning of the sentence that the id completes."""

    def __init__(self, pk: object) -> None:
        super().__init__(f"{self.message} {str(pk)[:60]!r}.")


class MethodNotAllowed(ProtocolError):
    """The path exists, but does not accept this method. The `Allow` header lists the methods that it accepts."""

    code, title, status = "method_not_allowed", "Method not allowed", 405


class TooLarge(ProtocolError):
    """The request, or the object that it would create, is larger than the server's `limit` in bytes. Send less at once."""

    code, title, status = "too_large", "Too large", 413

    def __init__(self, detail: str, *, limit: int) -> None:
        super().__init__(f"{detail} The limit is {limit} bytes.", limit=limit)


class HeadersTooLarge(ProtocolError):
    """The request line and headers are larger, or more, than the server accepts. Send fewer or shorter headers."""

    code, title, status = "headers_too_large", "Headers too large", 431

    def __init__(self, size: int, number: int) -> None:
        super().__init__(f"The headers are too large. The limit is {size} bytes, and {number} headers.", limit=size)


class BodyTimeout(ProtocolError):
    """The request body did not arrive in time. Send it again over a better connection, or in smaller parts."""

    code, title, status = "body_timeout", "Body timeout", 408

    def __init__(self, seconds: float) -> None:
        super().__init__(f"The body did not arrive within {seconds:g} s.")


class UnsupportedMediaType(ProtocolError):
    """The body has a media type that this path does not accept. Send JSON with `Content-Type: application/json`."""

    code, title, status = "unsupported_media_type", "Unsupported media type", 415


class RateLimited(ProtocolError):
    """The key has sent more requests than its rate limit allows, or its address too many wrong keys. Wait `retry_after` seconds (also in the `Retry-After` header), then continue."""

    code, title, status = "rate_limited", "Too many requests", 429

    def __init__(self, retry_after: int, *, reason: str = "Too many requests") -> None:
        super().__init__(
            f"{reason}; try again in {retry_after} s.",
            headers={"Retry-After": str(retry_after)},
            retry_after=retry_after,
        )


class Internal(ProtocolError):
    """The server failed unexpectedly. Nothing was written. The `request_id` identifies the failure in the server's log."""

    code, title, status = "internal", "Internal error", 500

    def __init__(self) -> None:
        super().__init__("The server failed unexpectedly. Nothing was written.")


class Unavailable(ProtocolError):
    """The server, or its database, cannot process the request at the moment. Try again after `Retry-After` seconds. If the database connection broke during the commit, the write may have succeeded: with the same `Idempotency-Key` it is not done twice."""

    code, title, status = "unavailable", "Unavailable", 503

    def __init__(self, detail: str = "The database is unavailable at the moment.") -> None:
        super().__init__(detail, headers={"Retry-After": "1"})


class VersionRequired(ProtocolError):
    """This write needs the version that it is based on, so that no concurrent change is lost. Send the `ETag` of your last read as `If-Match`."""

    code, title, status = "version_required", "Version required", 428


class KeyReused(ProtocolError):
    """This `Idempotency-Key` was used for another request. Use a new key for each request."""

    code, title, status = "idempotency_key_reused", "Idempotency key reused", 422


class RequestInProgress(ProtocolError):
    """A request with this `Idempotency-Key` is still running. Wait a moment and send the same request again to get its response."""

    code, title, status = "request_in_progress", "Request in progress", 409
