"""Endpoints of the API, described once and without I/O.

A method under `@endpoint` describes a `Call`. On a client it performs the call instead: on
`OpenIntentClient` it returns the result, on `AsyncOpenIntentClient` an awaitable of it, with the
same arguments and exact types on both.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import wraps
from types import MethodType
from typing import Any, Concatenate, Generic, ParamSpec, TypeVar, overload

from ._fencing_tokens import FencingTokens
from .validation import validate_header, validate_json, validate_whole_number

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T]):
    """One API call and how to parse its response. A call that exists can be sent.

    method, path     the HTTP method and the path, which starts at the server's root and is percent-encoded
    parse            turns the JSON body into the result, None if it is empty; of a call with `pages`, the items of all pages
    params, json     the query, without what is None, and the body
    version          the intent's version that the write builds on, sent as If-Match
    pages, limit     the name of the list in a paged response, and how many items are wanted (None: all)
    retryable        False if a second request could be answered differently from the first. Every POST is retryable,
                     because of its idempotency key
    idempotency_key  the caller's own; without it, each POST gets a new one
    extra_timeout    seconds for which the server may delay its response, on top of the client's timeout
    on_success       updates the client's fencing tokens with the result
    exact_decimals   whether fractions are parsed as Decimal: a float would lose digits
    is_binary        whether the response is bytes instead of JSON: `parse` gets them unchanged
    """

    method: str
    path: str
    parse: Callable[[Any], T]
    params: Mapping[str, Any] = field(default_factory=dict)
    json: Mapping[str, Any] | None = None
    version: int | None = None
    pages: str | None = None
    limit: int | None = None
    retryable: bool = True
    idempotency_key: str | None = None
    extra_timeout: int = 0
    on_success: Callable[[T, FencingTokens], None] | None = None
    exact_decimals: bool = False
    is_binary: bool = False

    def __post_init__(self) -> None:
        """Raise InputValidationError for values that no request could carry, whatever the operation."""
        for name, value in {**self.params, **(self.json or {})}.items():
            validate_json(value, name, depth=1)
        if self.version is not None:
            validate_whole_number(self.version, "version")
        if self.limit is not None:
            validate_whole_number(self.limit, "limit")
        if self.idempotency_key is not None:
            validate_header(self.idempotency_key, "idempotency_key")

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class SyncTransport(ABC):
    """A client that performs calls and blocks until they are answered."""

    @abstractmethod
    def send(self, call: Call[T]) -> T:
        """Perform a call and return its result."""

    def _bind(self, describe: Callable[P, Call[T]]) -> Callable[P, T]:
        @wraps(describe)
        def method(*args: P.args, **kwargs: P.kwargs) -> T:
            return self.send(describe(*args, **kwargs))

        return method


class AsyncTransport(ABC):
    """A client that performs calls as coroutines."""

    @abstractmethod
    async def send(self, call: Call[T]) -> T:
        """Perform a call and return its result."""

    def _bind(self, describe: Callable[P, Call[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        @wraps(describe)
        async def method(*args: P.args, **kwargs: P.kwargs) -> T:
            return await self.send(describe(*args, **kwargs))

        return method


class endpoint(Generic[P, T]):
    """Descriptor that turns a method describing a `Call` into one that performs it.

    On the class it remains the description: `OpenIntentClient.log_event(None, intent_id, "comment")`
    is a `Call`, for code that wants to do something else with it.
    """

    def __init__(self, describe: Callable[Concatenate[Any, P], Call[T]]) -> None:
        self._describe = describe

    @overload
    def __get__(self, client: None, owner: type) -> Callable[Concatenate[Any, P], Call[T]]: ...
    @overload
    def __get__(self, client: SyncTransport, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: AsyncTransport, owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...

    def __get__(self, client: SyncTransport | AsyncTransport | None, owner: type) -> Callable[..., Any]:
        if client is None:
            return self._describe
        return client._bind(MethodType(self._describe, client))
