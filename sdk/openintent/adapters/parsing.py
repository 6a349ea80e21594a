"""What is understood of a request to a model and of its answer, whoever the provider is."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(slots=True)
class Usage:
    """Tokens. `prompt` includes the cached ones and those that go to the cache, `completion` those of reasoning."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0
    cache_write: int = 0
    cache_write_hour: int = 0

    @property
    def total(self) -> int:
        return self.prompt + self.completion


@dataclass(slots=True)
class ToolCall:
    """A tool that the model asks for. `arguments` are its own JSON, as text or read."""

    name: str
    id: str
    arguments: str | Mapping[str, Any]


@dataclass(slots=True)
class Asked:
    """What goes into `llm_request_started`."""

    model: str
    messages_count: int | None = None
    tools: list[str] | None = None
    stream: bool = False
    temperature: float | None = None


@dataclass(slots=True)
class Reading:
    """What an answer has said so far; of its words the first `room` characters."""

    room: int
    model: str | None = None
    finish_reason: str | None = None
    usage: Usage | None = None
    tools: list[ToolCall] = field(default_factory=list)
    error: str | None = None
    """Why there is no answer, where the provider says so in an answer."""
    standard: bool = True
    """Whether the tokens are sold at the list's price."""
    words: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        if text and self.room > 0:
            self.words.append(text if len(text) <= self.room else text[: self.room])
            self.room -= len(text)

    @property
    def content(self) -> str | None:
        return "".join(self.words) if self.words else None


class ChunkReader(Protocol):
    """Reads the pieces of a stream into its `Reading`."""

    def take(self, chunk: Any) -> None:
        """Read one piece. This is called for every token: it must cost next to nothing."""

    def close(self) -> None:
        """There are no more: complete the reading."""


Hides = Callable[[Any], bool]
"""Whether a chunk is there for us alone."""


class Dialect(ABC):
    """How to read one of a provider's interfaces. It may raise whatever its surprise is. `stream`: it answers with streams only."""

    def __init__(self, *, stream: bool = False) -> None:
        self.stream = stream

    @abstractmethod
    def asked(self, arguments: Mapping[str, Any]) -> Asked:
        """What the arguments of a call ask for."""

    @abstractmethod
    def read(self, answer: Any, reading: Reading) -> None:
        """Read a whole answer."""

    @abstractmethod
    def reader(self, reading: Reading) -> ChunkReader:
        """What reads the pieces of a streamed one."""

    def with_usage(self, arguments: dict[str, Any]) -> tuple[dict[str, Any], Hides | None]:
        """The arguments of a streamed request that is told its usage, and what the caller would not have got without."""
        return arguments, None


def get(thing: Any, name: str) -> Any:
    """A member of an object or of a mapping: requests may be either. None if it has none."""
    return thing.get(name) if isinstance(thing, dict) else getattr(thing, name, None)


def count_of(thing: Any) -> int | None:
    """How many messages: text is one."""
    return 1 if isinstance(thing, str) else len(thing) if isinstance(thing, (list, tuple)) else None


def each(thing: Any) -> Iterable[Any]:
    """The items of a list; a placeholder that means "not given" has none."""
    return thing if isinstance(thing, (list, tuple)) else ()


def names_of(tools: Iterable[Any]) -> list[str] | None:
    """The names among these, None if there are none."""
    return [str(name) for name in tools if name] or None


def number_of(value: Any) -> float | None:
    return value if isinstance(value, (int, float)) else None
