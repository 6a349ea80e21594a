"""Calls of the API, described without I/O."""

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from functools import partial
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, Self, TypeVar, cast

from ._fencing_tokens import FencingTokens
from ._parameters import without_none
from .validation import validate_header, validate_json, validate_whole_number

P = ParamSpec("P")
T = TypeVar("T")


class Decodable(Protocol):
    """A model that can be decoded from a JSON object."""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self: ...


D = TypeVar("D", bound=Decodable)


@dataclass(frozen=True, slots=True)
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
    patience         seconds after which no further attempt is made, and none waits any longer
    extra_timeout    seconds for which the server may delay its response, on top of the client's timeout
    on_success       updates the client's fencing tokens with the result
    fenced_path      the path of the intent whose lease token goes along, if the request's own does not name it
    exact_decimals   whether fractions are parsed as Decimal: a float would lose digits
    is_binary        whether the response is bytes instead of JSON: `parse` gets them unchanged
    """

    method: str
    path: str
    parse: Callable[[Any], T]
    _: KW_ONLY
    params: Mapping[str, Any] = field(default_factory=dict)
    json: Mapping[str, Any] | None = None
    version: int | None = None
    pages: str | None = None
    limit: int | None = None
    retryable: bool = True
    idempotency_key: str | None = None
    patience: float | None = None
    extra_timeout: int = 0
    on_success: Callable[[T, FencingTokens], None] | None = None
    fenced_path: str | None = None
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


def list_call(path: str, name: str, model: type[D], *, limit: int | None, **params: Any) -> Call[list[D]]:
    """Return the call for a complete list, or its first `limit` items, whatever the page size."""
    return Call(
        "GET",
        path,
        lambda items: [model.from_json(item) for item in items],
        params=without_none(**params),
        pages=name,
        limit=limit,
    )


def no_content(_: object) -> None:
    """Parse a response without content."""


class _Describer:
    """A client that sends nothing: `send` returns the call."""

    def send(self, call: Call[T]) -> Call[T]:
        return call


def call_builder(method: Callable[Concatenate[Any, P], T]) -> Callable[P, Call[T]]:
    """Return a function with the parameters of a method of `OpenIntentClient`, which returns the call that the method sends."""
    return partial(cast(Any, method), _Describer())
