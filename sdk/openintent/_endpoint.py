"""An endpoint, described once and without I/O.

A method under `@endpoint` describes a `Call`. On a client it performs the call instead: on
`OpenIntentClient` it returns the result, on `AsyncOpenIntentClient` an awaitable of it, with the
same arguments and exact types on both.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import wraps
from types import MethodType
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Generic,
    ParamSpec,
    TypeVar,
    overload,
)

from .validation import validate_header, validate_json, validate_whole_number

if TYPE_CHECKING:
    from ._fencing import Tokens

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T]):
    """One operation of the API and how to read its answer. A call that exists can be sent.

    method, path     what to ask; the path starts at the server's root and is percent-encoded
    parse            makes the result of the JSON body, None if it is empty; of a call with
                     `pages`, of the items of all pages
    params, json     the query (what is None is left out) and the body
    version          the intent's version that the write builds on, sent as If-Match
    pages, limit     the name of the list in a paged answer, and how many items are wanted (None: all)
    repeatable       False if asking twice could be answered differently from asking once. Every
                     POST is repeatable, by its idempotency key
    idempotency_key  the caller's own; otherwise each performance of a POST makes one
    patience         seconds for which the server may keep the answer back, on top of the client's timeout
    then             what the result means for the fencing tokens that the client sends
    exact            whether the answer's fractions are read as Decimal: a float would cost them digits
    raw              whether the answer is bytes and no JSON: `parse` gets them as they are
    """

    method: str
    path: str
    parse: Callable[[Any], T]
    params: Mapping[str, Any] = field(default_factory=dict)
    json: Mapping[str, Any] | None = None
    version: int | None = None
    pages: str | None = None
    limit: int | None = None
    repeatable: bool = True
    idempotency_key: str | None = None
    patience: int = 0
    then: "Callable[[T, Tokens], None] | None" = None
    exact: bool = False
    raw: bool = False

    def __post_init__(self) -> None:
        """Raises InputValidationError for what no request could carry, whatever the operation."""
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


class Sender(ABC):
    """A client that performs calls while the caller waits."""

    @abstractmethod
    def send(self, call: Call[T]) -> T:
        """Perform a call and return its result."""

    def _method(self, describe: Callable[P, Call[T]]) -> Callable[P, T]:
        @wraps(describe)
        def method(*args: P.args, **kwargs: P.kwargs) -> T:
            return self.send(describe(*args, **kwargs))

        return method


class AsyncSender(ABC):
    """A client that performs calls as coroutines."""

    @abstractmethod
    async def send(self, call: Call[T]) -> T:
        """Perform a call and return its result."""

    def _method(self, describe: Callable[P, Call[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        @wraps(describe)
        async def method(*args: P.args, **kwargs: P.kwargs) -> T:
            return await self.send(describe(*args, **kwargs))

        return method


class endpoint(Generic[P, T]):
    """Makes a method that describes a `Call` into one that performs it.

    On the class it is still the description: `OpenIntentClient.log_event(None, intent_id, "comment")`
    is a `Call`, for code that wants to do something else with it.
    """

    def __init__(self, describe: Callable[Concatenate[Any, P], Call[T]]) -> None:
        self._describe = describe

    @overload
    def __get__(self, client: None, owner: type) -> Callable[Concatenate[Any, P], Call[T]]: ...
    @overload
    def __get__(self, client: Sender, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: AsyncSender, owner: type) -> Callable[P, Coroutine[Any, Any, T]]: ...

    def __get__(self, client: Sender | AsyncSender | None, owner: type) -> Callable[..., Any]:
        if client is None:
            return self._describe
        return client._method(MethodType(self._describe, client))
