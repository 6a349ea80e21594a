"""How a call goes, whoever sends its bytes: attempts, retries, pages, errors. No I/O.

`conversation` is a generator. It yields what to send next and after which pause, is sent what came
back, and returns the result. Both clients run the same one.

A call is tried again after a pause (protocol K-2)

- on 429 and 503: the server did nothing. `Retry-After` is honoured; if it asks for more than
  `Retries.longest` seconds, the caller gets the error at once and can plan with its `retry_after`;
- when no connection could be made: the server never saw it;
- when the connection broke or nothing came in time, so that nobody knows whether the server did it: only
  if the call may be repeated. Reads may; so may a POST, whose idempotency key brings the first answer
  again, and a DELETE, which is answered the same when there is nothing left to do. A PATCH of an
  intent may not: the If-Match would protect the intent, but the second answer could be a version conflict with
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
from typing import Any, TypeAlias, TypeVar
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from ._endpoint import Call
from ._fencing import Tokens
from .errors import ConnectionFailedError, LeaseConflictError, OpenIntentError, RequestTimeoutError, refusal

T = TypeVar("T")

PAGE = 1000
"""Items per page of a list, the most that the protocol allows."""


@dataclass(frozen=True, slots=True)
class Request:
    """A call in bytes, the same for each of its attempts."""

    call: Call[Any]
    url: str
    headers: Mapping[str, str] = field(repr=False)  # The key is in them.
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """Wait `pause` seconds, then send `request`."""

    request: Request
    pause: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server, or something before it, answered."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def problem(self) -> Mapping[str, Any]:
        """The JSON object of a refusal; empty if it is anything else."""
        try:
            body = json.loads(self.content)
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}

    @property
    def retry_after(self) -> float | None:
        """Seconds that the answer asks to wait: the header as a number or a date, else the problem's member."""
        value = self.headers.get("Retry-After") or self.problem.get("retry_after")
        return None if value is None else _seconds(str(value))


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer. `sent` is False only if the server cannot have seen the request."""

    reason: str
    sent: bool
    timeout: bool

    @classmethod
    def by(cls, error: BaseException, *, sent: bool, timeout: bool) -> "Lost":
        """Keep the first cause in words, and not the exception: it holds the request, and so the key."""
        while error.__cause__:  # Not __context__: that may be what the caller was busy with.
            error = error.__cause__
        return cls(str(error) or type(error).__name__, sent, timeout)


Outcome: TypeAlias = Answer | Lost
Conversation: TypeAlias = Generator[Attempt, Outcome, T]


@dataclass(frozen=True, slots=True)
class Retries:
    """How often to try in total, and how long to wait in between (seconds)."""

    tries: int = 3
    base: float = 0.5
    longest: float = 60.0
    jitter: Callable[[], float] = random

    def pause(self, request: Request, outcome: Outcome, tried: int) -> float | None:
        """The wait before the next attempt; None if `outcome`, of attempt `tried`, is final."""
        if tried >= self.tries or not _may_go_better(request, outcome, tried):
            return None
        asked = (outcome.retry_after or 0.0) if isinstance(outcome, Answer) else 0.0
        if asked > self.longest:
            return None
        # On top of what was asked, or all callers who were told the same come back together.
        return asked + self.base * 2.0 ** (tried - 1) * (0.5 + self.jitter() / 2)


@dataclass(frozen=True, slots=True)
class Peer:
    """The server, who we are to it, and our patience."""

    root: str
    identity: Mapping[str, str] = field(repr=False)
    retries: Retries
    tokens: Tokens = field(default_factory=Tokens)

    def request(self, call: Call[Any], params: Mapping[str, Any]) -> Request:
        """`call` in bytes, with `params` as its query."""
        query = urlencode({name: value for name, value in params.items() if value is not None})
        url = f"{self.root}{call.path}{'?' if query else ''}{query}"
        body = None if call.json is None else _encode(call.json)
        return Request(call, url, self._headers(call), body)

    def _headers(self, call: Call[Any]) -> dict[str, str]:
        headers = dict(self.identity)
        if call.json is not None:
            headers["Content-Type"] = "application/json"
        if call.version is not None:
            headers["If-Match"] = f'"{call.version}"'
        if call.method == "POST":
            headers["Idempotency-Key"] = call.idempotency_key or str(uuid4())
        if held := self.tokens.of(call.method, call.path):
            headers["X-Fencing-Token"] = str(held[1])
        return headers


def conversation(call: Call[T], peer: Peer) -> Conversation[T]:
    """Everything a call takes, short of I/O.

    Raises OpenIntentError: as the server refused, or ConnectionFailedError.
    """
    held = peer.tokens.of(call.method, call.path)
    try:
        result = yield from _result(call, peer)
    except LeaseConflictError as refused:
        if held and refused.code == "lease_lost":  # Said once. What comes now is no longer the lease's work.
            peer.tokens.let_go(held[0], token=held[1])
        raise
    if call.then:
        call.then(result, peer.tokens)
    return result


def _result(call: Call[T], peer: Peer) -> Conversation[T]:
    if call.pages is None:
        body = yield from _body(peer.request(call, call.params), peer.retries)
    else:
        body = yield from _items(call, call.pages, peer)
    with _readable(call):
        return call.parse(body)


def _items(call: Call[T], pages: str, peer: Peer) -> Conversation[list[Any]]:
    """The items of all pages, at most `call.limit`."""
    items: list[Any] = []
    cursor: str | None = None
    while True:
        wanted = PAGE if call.limit is None else min(PAGE, call.limit - len(items))
        request = peer.request(call, {**call.params, "limit": wanted, "cursor": cursor})
        page = yield from _body(request, peer.retries)
        with _readable(call):
            items += page[pages]
            cursor = page["next"]
        enough = call.limit is not None and len(items) >= call.limit
        if cursor is None or enough:
            return items[: call.limit]


def _body(request: Request, retries: Retries) -> Conversation[Any]:
    """The decoded body of a successful answer, None if it is empty; its bytes, if they are no JSON."""
    answer = yield from _answer(request, retries)
    if answer.status >= 300:
        raise refused(request.call, answer)
    if request.call.raw:
        return answer.content
    with _readable(request.call):
        return json.loads(answer.content, parse_float=Decimal if request.call.exact else None) if answer.content else None


def _answer(request: Request, retries: Retries) -> Conversation[Answer]:
    """The answer that is final, after as many attempts as it takes."""
    tried, pause = 0, 0.0
    while True:
        outcome = yield Attempt(request, pause)
        tried += 1
        again = retries.pause(request, outcome, tried)
        if again is None:
            break
        pause = again
    if isinstance(outcome, Lost):
        raise no_answer(request, outcome)
    return outcome


def _may_go_better(request: Request, outcome: Outcome, tried: int) -> bool:
    if isinstance(outcome, Lost):
        return request.call.repeatable or not outcome.sent
    if outcome.status == 409:
        return tried > 1 and outcome.problem.get("code") == "request_in_progress"
    return outcome.status in {429, 503}


def refused(call: Call[Any], answer: Answer) -> OpenIntentError:
    """The exception for an answer that is no success."""
    if answer.status >= 400:
        return refusal(answer.status, answer.problem, answer.retry_after)
    return OpenIntentError(
        f"{call} was redirected to {answer.headers.get('Location')}. Redirects are not followed: "
        "the key would go along. Set base_url to the server's own address.",
        status_code=answer.status,
    )


def no_answer(request: Request, lost: Lost) -> ConnectionFailedError:
    """The exception for none."""
    kind = RequestTimeoutError if lost.timeout else ConnectionFailedError
    host = urlsplit(request.url).netloc
    doubt = " It may have been carried out: read again first." if lost.sent and not request.call.repeatable else ""
    return kind(f"{request.call}: no answer from {host} ({lost.reason}).{doubt}", sent=lost.sent)


@contextmanager
def _readable(call: Call[Any]) -> Generator[None]:
    """Turn what happens when an answer is not the protocol's into one error that says so."""
    try:
        yield
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        raise OpenIntentError(
            f"{call} succeeded, but the answer is not the protocol's ({error!r}). "
            "Is base_url the address of an OpenIntent server?"
        ) from error


def _encode(body: Mapping[str, Any]) -> bytes:
    """JSON of a validated body. `default` serves the mappings that are not dicts."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=dict)
    return text.encode()


def _seconds(value: str) -> float | None:
    """Read a Retry-After (RFC 9110 §10.2.3): seconds, or a date from which they are counted."""
    with suppress(ValueError):
        seconds = float(value)
        return max(0.0, seconds) if isfinite(seconds) else None
    with suppress(Exception):  # The parser raises whatever a zone, or a year, beyond reason makes it raise.
        at = parsedate_to_datetime(value)
        return max(0.0, ((at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds())
    return None
