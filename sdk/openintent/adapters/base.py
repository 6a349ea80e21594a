"""The base class of adapters, which wrap a provider's client."""

import asyncio
from collections.abc import Callable, Mapping
from operator import attrgetter
from types import TracebackType
from typing import Any, ClassVar, Self, TypeAlias
from uuid import UUID

from .._base_client import ClientBase
from .._parameters import as_id
from ..errors import InputValidationError
from .config import AdapterConfig
from .proxy import PatchableProxy
from .queue import get_queue
from .sink import EventSink

Route: TypeAlias = Callable[[Any, "Adapter", Any], Any]
"""Returns the adapter's attribute for the one of the provider's client at the same path. The last argument has the attribute: the
adapter, or a proxy."""
RAW_RESPONSES = {"with_raw_response", "with_streaming_response"}
OWN_ATTRIBUTES = {"provider_client", "openintent_client", "_sink"}


class Adapter:
    """A provider's client whose requests to models are logged as events of an intent, with their costs (protocol K-6).

    It is used like the client it wraps, and returns the same; attributes that are not logged are passed on, and set on the
    client. The provider's errors are raised unchanged, and errors of the logging are never raised. Wrapping is cheap: create an
    adapter for each intent. All adapters of one OpenIntent client share a queue, which sends in the background.

    It is an instance of the client's class, too. `with_options` and `copy` return an adapter again.
    """

    provider: ClassVar[str]
    """The provider's name in events, costs and prices."""
    wraps: ClassVar[str]
    """The classes whose objects it wraps, for error messages."""
    needs: ClassVar[str]
    """The path of an attribute that these have, and others do not."""
    routes: ClassVar[Mapping[str, Route]]
    """The attributes that are not passed on unchanged, by their dotted paths."""

    _prefixes: ClassVar[set[str]]
    """The proper prefixes of those paths."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._prefixes = {path[:dot] for path in cls.routes for dot, each in enumerate(path) if each == "."}

    def __init__(
        self,
        provider_client: Any,
        openintent_client: ClientBase,
        intent_id: str | UUID,
        config: AdapterConfig | None = None,
    ) -> None:
        """Wrap a provider's client. No request is sent yet.

        provider_client    the provider's own, synchronous or asynchronous
        openintent_client  an OpenIntentClient or an AsyncOpenIntentClient; events are sent to its server, as its agent, over
                           separate connections, so it may be closed before
        intent_id          the intent whose events and costs are logged
        config             see AdapterConfig

        Raises InputValidationError, TypeError.
        """
        if not isinstance(openintent_client, ClientBase):
            kind = type(openintent_client)
            raise TypeError(
                f"openintent_client is a {kind.__module__}.{kind.__qualname__}, not an OpenIntentClient or AsyncOpenIntentClient"
            )
        try:
            attrgetter(self.needs)(provider_client)
        except AttributeError:
            kind = type(provider_client)
            raise TypeError(f"{type(self).__name__} wraps {self.wraps}, not {kind.__module__}.{kind.__qualname__}") from None
        if not as_id(intent_id):
            raise InputValidationError("intent_id cannot be empty", field="intent_id")
        self.provider_client = provider_client
        self.openintent_client = openintent_client
        self._sink = EventSink(get_queue(openintent_client), as_id(intent_id), self.provider, config or AdapterConfig())

    @property
    def intent_id(self) -> str:
        return self._sink.intent_id

    @property
    def config(self) -> AdapterConfig:
        return self._sink.config

    def flush(self, timeout: float | None = 10.0) -> bool:
        """Wait until everything logged so far by any adapter of this OpenIntent client is sent, or rejected by the server.

        Return False if that takes more than `timeout` seconds; the rest is still sent later. At the end of the process the
        queue is flushed automatically, for at most `openintent.adapters.queue.AT_EXIT` seconds.
        """
        return self._sink.queue.flush(timeout)

    async def aflush(self, timeout: float | None = 10.0) -> bool:
        """Do what `flush` does, without blocking the event loop."""
        return await asyncio.to_thread(self.flush, timeout)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return type(self.__dict__.get("provider_client", self))

    def __getattr__(self, name: str) -> Any:
        if "_sink" not in self.__dict__:  # While it is being created, or copied.
            raise AttributeError(name)
        return self.reach(self, self.provider_client, "", name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in OWN_ATTRIBUTES or not hasattr(self.provider_client, name):
            object.__setattr__(self, name, value)
        else:
            setattr(self.provider_client, name, value)

    def __delattr__(self, name: str) -> None:
        if name in self.__dict__:
            object.__delattr__(self, name)
        else:
            delattr(self.provider_client, name)

    def reach(self, holder: Any, inner: Any, path: str, name: str) -> Any:
        """Return the attribute `name` of `inner`, which the provider's client has at `path`, wrapped if it is logged."""
        found = getattr(inner, name)
        if name in RAW_RESPONSES and "With" in type(found).__name__:
            return type(found)(holder)  # It calls the methods of what it is made of.
        path = f"{path}.{name}" if path else name
        if route := self.routes.get(path):
            return route(found, self, holder)
        return NestedProxy(found, path, self) if path in self._prefixes else found

    def beside(self, provider_client: Any) -> "Adapter":
        """Return an adapter with the same settings around another client."""
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


class NestedProxy(PatchableProxy):
    """Proxy of an attribute on the path to a method that is logged."""

    _own = frozenset({"_inner", "_path", "_adapter"})

    def __init__(self, inner: Any, path: str, adapter: Adapter) -> None:
        super().__init__(inner)
        self._path = path
        self._adapter = adapter

    def __getattr__(self, name: str) -> Any:
        if name == "_client":
            return self._adapter
        return self._adapter.reach(self, self.__dict__["_inner"], self._path, name)
