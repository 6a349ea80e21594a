"""Parsing of requests to models and of their responses, independent of the provider."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar


@dataclass(slots=True)
class Usage:
    """Tokens. `prompt` includes those read from and written to the cache, `completion` those of reasoning.

    modifiers  what makes the price another: a service tier, a speed, a region, a modality
    tools      requests to tools of the provider, which are billed by their number
    """

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    cache_write: int = 0
    cache_write_hour: int = 0
    modifiers: tuple[str, ...] = ()
    tools: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return self.prompt + self.completion


@dataclass(slots=True)
class ToolCall:
    """A tool call that the model requests. `arguments` are JSON, as text or parsed."""

    name: str
    id: str
    arguments: str | Mapping[str, Any]


@dataclass(slots=True)
class RequestInfo:
    """The fields of `llm_request_started`. The model is None if the request names none."""

    model: str | None
    messages_count: int | None = None
    tools: list[str] | None = None
    stream: bool = False
    temperature: float | None = None


@dataclass(slots=True)
class ResponseInfo:
    """A response as far as it has arrived, with the first `max_content` characters of its text.

    error         the provider's error, if it reports one inside a response
    extra_usage   what `usage` leaves out: tokens of the same request, billed by themselves, with their model if it is another
    unfinished    the id by which a response that the provider still works on can be retrieved
    """

    max_content: int
    model: str | None = None
    finish_reason: str | None = None
    usage: Usage | None = None
    tool_calls: list[ToolCall] = field(default_factory=list)
    error: str | None = None
    extra_usage: list[tuple[str | None, Usage]] = field(default_factory=list)
    unfinished: str | None = None
    text_parts: list[str] = field(default_factory=list)

    def add_text(self, text: str | None) -> None:
        if text and self.max_content > 0:
            self.text_parts.append(text if len(text) <= self.max_content else text[: self.max_content])
            self.max_content -= len(text)

    @property
    def content(self) -> str | None:
        return "".join(self.text_parts) if self.text_parts else None


class ChunkParser(ABC):
    """Parses the chunks of a stream into its `ResponseInfo`."""

    def __init__(self, response: ResponseInfo) -> None:
        self._response = response

    @abstractmethod
    def feed(self, chunk: Any) -> None:
        """Parse one chunk. This is called for every token, so it must be cheap."""

    def close(self) -> None:  # noqa: B027 - Most have nothing to complete.
        """Complete the response after the last chunk."""


IsHidden = Callable[[Any], bool]
"""Whether a chunk was requested by the adapter alone, and must not reach the caller. Other chunks lose what it added to them.
It never raises."""


class Dialect(ABC):
    """A provider's API. Methods may raise any error on unexpected data. `stream`: all its responses are streams.

    chunk_parser  the class that parses the chunks of a streamed response
    messages      the name of the argument that has the messages
    """

    chunk_parser: ClassVar[type[ChunkParser]]
    messages = "messages"

    def __init__(self, *, stream: bool = False) -> None:
        self.stream = stream

    def parse_request(self, arguments: Mapping[str, Any]) -> RequestInfo:
        """Return the description of a request with these arguments."""
        return RequestInfo(
            model=text_or_none(arguments.get("model")),
            messages_count=count_messages(arguments.get(self.messages)),
            tools=tool_names(self.tool_name(tool) for tool in items_of(arguments.get("tools"))),
            stream=self.stream or arguments.get("stream") is True,
            temperature=number_or_none(arguments.get("temperature")),
        )

    def tool_name(self, tool: Any) -> Any:
        """Return the name of a tool that a request offers."""
        return get(tool, "name")

    @abstractmethod
    def parse_response(self, answer: Any, response: ResponseInfo) -> None:
        """Parse a whole response."""

    def with_usage(self, arguments: dict[str, Any]) -> tuple[dict[str, Any], IsHidden | None]:
        """Return the arguments of a streamed request that include its usage, and a test for the chunks this adds."""
        return arguments, None


def get(thing: Any, name: str) -> Any:
    """Return a member of an object or of a mapping, as requests may be either. None if it has none."""
    return thing.get(name) if isinstance(thing, dict) else getattr(thing, name, None)


def whole(value: Any) -> int:
    """Return a number of tokens; 0 for what is none, as null is."""
    return value if isinstance(value, int) else 0


def text_or_none(value: Any) -> str | None:
    """Return text that is not empty; None for a placeholder that means "not given"."""
    return value if isinstance(value, str) and value else None


def count_messages(thing: Any) -> int | None:
    """Return the number of messages; text is one."""
    return 1 if isinstance(thing, str) else len(thing) if isinstance(thing, (list, tuple)) else None


def items_of(thing: Any) -> Iterable[Any]:
    """Return the items of a list; none for a placeholder that means "not given"."""
    return thing if isinstance(thing, (list, tuple)) else ()


def tool_names(tools: Iterable[Any]) -> list[str] | None:
    """Return the names among these, None if there are none."""
    return [str(name) for name in tools if name] or None


def number_or_none(value: Any) -> float | None:
    return value if isinstance(value, (int, float)) else None
