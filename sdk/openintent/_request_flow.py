"""Request flow without I/O: attempts, retries, pages and errors.

`request_flow` is a generator. It yields what to send next and after which pause, is sent what came
back, and returns the result. Both clients run the same one.

A call is retried after a pause (protocol K-2)

- on 408, 429 and 503: the server did nothing. `Retry-After` is honoured; if it asks for more than
  `RetrySettings.max_retry_after` seconds, the caller gets the error at once and can plan with its `retry_after`;
- when no connection could be made: the server never saw the request;
- when the connection broke or timed out, or a proxy or the server failed (500, 502, 504, 520 to 530), so that it is unknown
  whether the server carried the request out: only if the call is retryable. Reads are; so is a POST, whose idempotency key returns the first answer
  again, and a DELETE, which is answered the same when there is nothing left to delete. A PATCH of an
  intent is not: the If-Match would protect the intent, but the second answer could be a version conflict with
  the caller's own first attempt. There the error says so and the caller reads again;
- on 409 `request_in_progress`, if it is an earlier attempt of this very call that is in progress.
"""

import json
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from math import isfinite
from random import random
from time import monotonic
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from ._backoff import backoff
from ._call import Call
from ._fencing_tokens import FencingTokens
from .errors import ConnectionFailedError, LeaseConflictError, OpenIntentError, RequestTimeoutError, error_from_problem

T = TypeVar("T")

PAGE_SIZE = 1000
"""Items per page of a list, the most that the protocol allows."""


@dataclass(frozen=True, slots=True)
class Request:
    """A call as bytes, identical for each of its attempts."""

    call: Call[Any]
    url: str
    headers: Mapping[str, str] = field(repr=False)  # The key is in them.
    body: bytes | None
    deadline: float | None = None  # Of all attempts, by the monotonic clock.


@dataclass(frozen=True, slots=True)
class Attempt:
    """An instruction to wait `pause` seconds and then send `request`."""

    request: Request
    pause: float


@dataclass(frozen=True, slots=True)
class Response:
    """The response of the server, or of a proxy before it."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def problem(self) -> Mapping[str, Any]:
        """The JSON object of an error response; empty if the body is anything else."""
        try:
            body = json.loads(self.content)
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}

    @property
    def retry_after(self) -> float | None:
        """Seconds to wait: the Retry-After header as a number or a date (RFC 9110 §10.2.3), else the problem's member."""
        value = self.headers.get("Retry-After") or self.problem.get("retry_after")
        if value is None:
            return None
        with suppress(ValueError):
            seconds = float(str(value))
            return max(0.0, seconds) if isfinite(seconds) else None
        with suppress(Exception):  # The parser raises various errors for impossible zones and years.
            at = parsedate_to_datetime(str(value))
            return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds())
        return None


@dataclass(frozen=True, slots=True)
class NoResponse:
    """A failed attempt. `sent` is False only if the server cannot have seen the request."""

    reason: str
    sent: bool
    timeout: bool

    @classmethod
    def from_error(cls, error: BaseException, *, sent: bool, timeout: bool) -> "NoResponse":
        """Keep the text of the first cause, and not the exception: that holds the request, and so the key."""
        while error.__cause__:  # Not __context__: that may be an error the caller was handling.
            error = error.__cause__
        return cls(str(error) or type(error).__name__, sent, timeout)


Outcome: TypeAlias = Response | NoResponse
RequestFlow: TypeAlias = Generator[Attempt, Outcome, T]


UNDONE = frozenset({408, 429, 503})
"""Statuses with which a server says that it has done nothing."""

PERMANENT = frozenset({501, 505})


def is_transient(status: int) -> bool:
    """Return whether a later attempt may succeed: the server, or a proxy before it, is overloaded, restarting or failing."""
    return status in UNDONE or (status >= 500 and status not in PERMANENT)


@dataclass(frozen=True, slots=True)
class RetrySettings:
    """The number of attempts in total, and the delays between them in seconds."""

    max_tries: int = 3
    base_delay: float = 0.5
    max_retry_after: float = 60.0
    jitter: Callable[[], float] = random

    def delay(self, request: Request, outcome: Outcome, tried: int) -> float | None:
        """Return the wait before the next attempt; None if `outcome`, of attempt `tried`, is final."""
        if isinstance(outcome, NoResponse):
            is_retryable = request.call.retryable or not outcome.sent
        elif outcome.status == 409:
            is_retryable = tried > 1 and outcome.problem.get("code") == "request_in_progress"
        else:
            is_retryable = outcome.status in UNDONE or (request.call.retryable and is_transient(outcome.status))
        if tried >= self.max_tries or not is_retryable:
            return None
        retry_after = (outcome.retry_after or 0.0) if isinstance(outcome, Response) else 0.0
        if retry_after > self.max_retry_after:
            return None
        # On top of Retry-After: otherwise all callers that got the same value would return together.
        delay = retry_after + backoff(tried, base=self.base_delay, jitter=self.jitter)
        return None if request.deadline and monotonic() + delay > request.deadline else delay


@dataclass(frozen=True, slots=True)
class ServerContext:
    """The server's address, the client's identity towards it, its retries and its fencing tokens."""

    root: str
    identity: Mapping[str, str] = field(repr=False)
    retries: RetrySettings
    tokens: FencingTokens = field(default_factory=FencingTokens)
    hint: str = ""

    def request(self, call: Call[Any], params: Mapping[str, Any]) -> Request:
        """Return `call` as bytes, with `params` as its query."""
        query = urlencode({name: value for name, value in params.items() if value is not None})
        url = f"{self.root}{call.path}{'?' if query else ''}{query}"
        body = None
        if call.json is not None:  # `default` serves the mappings that are not dicts.
            body = json.dumps(call.json, ensure_ascii=False, separators=(",", ":"), default=dict).encode()
        headers = dict(self.identity)
        if call.json is not None:
            headers["Content-Type"] = "application/json"
        if call.version is not None:
            headers["If-Match"] = f'"{call.version}"'
        if call.method == "POST":
            headers["Idempotency-Key"] = call.idempotency_key or str(uuid4())
        if found := self.tokens.find(call.method, call.fenced_path or call.path):
            headers["X-Fencing-Token"] = str(found[1])
        return Request(call, url, headers, body, None if call.patience is None else monotonic() + call.patience)


def request_flow(call: Call[T], server: ServerContext, pause: float = 0.0) -> RequestFlow[T]:
    """Perform a call after `pause` seconds, short of I/O, and return its result.

    Raise OpenIntentError if the server refuses, ConnectionFailedError if it does not answer.
    """
    sent_token = server.tokens.find(call.method, call.path)
    try:
        body = yield from _fetch_all_pages(call, call.pages, server, pause) if call.pages else _fetch(call, server, pause)
        with _wrapped_parse_errors(call):
            result = call.parse(body)
    except LeaseConflictError as error:
        if sent_token and error.code == "lease_lost":
            server.tokens.mark_lost(*sent_token)
        raise
    if call.on_success:
        call.on_success(result, server.tokens)
    return result


def _fetch_all_pages(call: Call[T], name: str, server: ServerContext, pause: float) -> RequestFlow[list[Any]]:
    """Return the items of all pages, at most `call.limit`; `name` is the list's member."""
    items: list[Any] = []
    cursor: str | None = None
    while True:
        wanted = PAGE_SIZE if call.limit is None else min(PAGE_SIZE, call.limit - len(items))
        page = yield from _fetch(call, server, pause, limit=wanted, cursor=cursor)
        pause = 0.0
        with _wrapped_parse_errors(call):
            items += page[name]
            cursor = page["next"]
        if cursor is None or (call.limit is not None and len(items) >= call.limit):
            return items[: call.limit]


def _fetch(call: Call[T], server: ServerContext, pause: float, **params: Any) -> RequestFlow[Any]:
    """Return the decoded body of a successful response, None if it is empty; its bytes if the call is binary."""
    request = server.request(call, {**call.params, **params})
    tried = 0
    while True:
        outcome = yield Attempt(request, pause)
        tried += 1
        delay = server.retries.delay(request, outcome, tried)
        if delay is None:
            break
        pause = delay
    if isinstance(outcome, NoResponse):
        raise connection_error(request, outcome, server.hint)
    if outcome.status >= 300:
        raise error_from_response(call, outcome)
    if call.is_binary:
        return outcome.content
    with _wrapped_parse_errors(call):
        return json.loads(outcome.content, parse_float=Decimal if call.exact_decimals else None) if outcome.content else None


def error_from_response(call: Call[Any], response: Response) -> OpenIntentError:
    """Return the exception for a response that is no success."""
    if response.status >= 400:
        return error_from_problem(response.status, response.problem, response.retry_after)
    return OpenIntentError(
        f"{call} was redirected to {response.headers.get('Location')}. Redirects are not followed, because "
        "the API key would be sent along. Set base_url to the server's own address.",
        status_code=response.status,
    )


def connection_error(request: Request, failed: NoResponse, way: str = "") -> ConnectionFailedError:
    """Return the exception for an attempt without a response. `way` names a proxy."""
    kind = RequestTimeoutError if failed.timeout else ConnectionFailedError
    host = urlsplit(request.url).netloc
    is_uncertain = failed.sent and not request.call.retryable
    hint = " It may have been carried out: read again before retrying." if is_uncertain else ""
    return kind(f"{request.call}: no response from {host}{way} ({failed.reason}).{hint}", sent=failed.sent)


@contextmanager
def _wrapped_parse_errors(call: Call[Any]) -> Generator[None]:
    """Turn errors of parsing a response that is not the protocol's into one OpenIntentError."""
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise OpenIntentError(
            f"{call} succeeded, but the response does not follow the protocol ({error!r}). "
            "Is base_url the address of an OpenIntent server?"
        ) from error
