"""What stands in front of a provider's client."""

import asyncio
from collections.abc import Callable, Mapping
from operator import attrgetter
from types import TracebackType
from typing import Any, ClassVar, Self, TypeAlias
from uuid import UUID

from .._base_client import ClientBase
from ..errors import InputValidationError
from ..resources._helpers import as_id
from .config import AdapterConfig
from .proxy import StandIn
from .queue import queue_of
from .sink import Log

Route: TypeAlias = Callable[[Any, "Adapter"], Any]
"""Makes of what the provider's client has at a path what the adapter has there."""


class Adapter:
    """A provider's client whose requests to models are logged as events of an intent, with their costs (protocol K-6).

    It is used as the client it wraps, and answers what that answers; what it does not log, it passes on. Errors of the
    provider arrive as they are, and no error of the logging arrives at all. Wrapping costs nothing: make an adapter for each
    intent. All adapters of one OpenIntent client share a queue, which sends in the background.

    `with_options` and `copy` answer an adapter again. Requests made through `with_raw_response` and
    `with_streaming_response` are not logged.
    """

    provider: ClassVar[str]
    """The provider's name in events, costs and prices."""
    wraps: ClassVar[str]
    """The classes whose objects it takes, for people."""
    needs: ClassVar[str]
    """The path of something that these have, and others do not."""
    routes: ClassVar[Mapping[str, Route]]
    """By their dotted paths, what is not passed on as it is."""

    _branches: ClassVar[set[str]]
    """The paths on the way to those."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._branches = {path[:dot] for path in cls.routes for dot, each in enumerate(path) if each == "."}

    def __init__(
        self,
        provider_client: Any,
        openintent_client: ClientBase,
        intent_id: str | UUID,
        config: AdapterConfig | None = None,
    ) -> None:
        """Nothing is sent yet.

        provider_client    the provider's own, synchronous or asynchronous
        openintent_client  an OpenIntentClient or an AsyncOpenIntentClient; events are sent to its server, as its agent, over
                           connections of their own, so it may be closed before
        intent_id          where events and costs are logged
        config             what is logged; see AdapterConfig

        Raises InputValidationError, TypeError.
        """
        if not isinstance(openintent_client, ClientBase):
            raise TypeError(
                f"openintent_client is a {_name(openintent_client)}, not an OpenIntentClient or AsyncOpenIntentClient"
            )
        if not _has(provider_client, self.needs):
            raise TypeError(f"{type(self).__name__} wraps {self.wraps}, not {_name(provider_client)}")
        if not as_id(intent_id):
            raise InputValidationError("intent_id cannot be empty", field="intent_id")
        self.provider_client = provider_client
        self.openintent_client = openintent_client
        self._log = Log(queue_of(openintent_client), as_id(intent_id), self.provider, config or AdapterConfig())

    @property
    def intent_id(self) -> str:
        return self._log.intent_id

    @property
    def config(self) -> AdapterConfig:
        return self._log.config

    def flush(self, timeout: float | None = 10.0) -> bool:
        """Wait until everything logged so far by any adapter of this OpenIntent client is with the server, or refused by it.

        False if that takes more than `timeout` seconds; what is left is still tried. At the end of the process a flush
        of at most `openintent.adapters.queue.AT_EXIT` seconds happens by itself.
        """
        return self._log.queue.flush(timeout)

    async def aflush(self, timeout: float | None = 10.0) -> bool:
        """The same, without blocking the event loop."""
        return await asyncio.to_thread(self.flush, timeout)

    def __getattr__(self, name: str) -> Any:
        if "_log" not in self.__dict__:  # While it is being made, or copied.
            raise AttributeError(name)
        return self.reach(self.provider_client, "", name)

    def reach(self, owner: Any, path: str, name: str) -> Any:
        """The attribute `name` of what the provider's client has at `path`, as the adapter shows it."""
        found = getattr(owner, name)
        path = f"{path}.{name}" if path else name
        if route := self.routes.get(path):
            return route(found, self)
        return Resource(found, path, self) if path in self._branches else found

    def beside(self, provider_client: Any) -> "Adapter":
        """The same adapter around another client."""
        return type(self)(provider_client, self.openintent_client, self.intent_id, self.config)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self.provider_client)})

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.provider_client!r}, intent_id={self.intent_id!r})"

    def __enter__(self) -> Self:
        self.provider_client.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.provider_client.__exit__(kind, error, traceback)

    async def __aenter__(self) -> Self:
        await self.provider_client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.provider_client.__aexit__(kind, error, traceback)


class Resource(StandIn):
    """A part of a provider's client on the way to a method that is logged."""

    def __init__(self, inner: Any, path: str, adapter: Adapter) -> None:
        super().__init__(inner)
        self._path = path
        self._adapter = adapter

    def __getattr__(self, name: str) -> Any:
        return self._adapter.reach(self.__dict__["_inner"], self._path, name)


def _has(thing: object, path: str) -> bool:
    try:
        attrgetter(path)(thing)
    except AttributeError:
        return False
    return True


def _name(thing: object) -> str:
    return f"{type(thing).__module__}.{type(thing).__qualname__}"
