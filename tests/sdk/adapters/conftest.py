"""Fixtures of adapter tests: a fake provider, a live server, and clients of both kinds."""

import asyncio
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from openintent import AsyncOpenIntentClient, Intent, OpenIntentClient
from openintent.adapters import Adapter, AdapterConfig

from examples.fake_provider import FakeProvider
from tests.servers import Server

from .interfaces import Interface

KEY = "dev-user-key"


@pytest.fixture(scope="session")
def provider() -> Iterator[FakeProvider]:
    with FakeProvider() as running:
        yield running


@pytest.fixture
def api(server: Server) -> Iterator[OpenIntentClient]:
    """Return a client to prepare and inspect the server."""
    with OpenIntentClient(server.url, KEY, "ada") as client:
        yield client


@pytest.fixture
def intent(api: OpenIntentClient) -> Intent:
    return api.create_intent(title="Ask a model")


@dataclass
class ClientRunner:
    """Runs synchronous and asynchronous clients alike, so that one test covers both kinds."""

    is_async: bool
    runner: asyncio.Runner
    closing: list[Any] = field(default_factory=list)

    def wait(self, value: Any) -> Any:
        return self.runner.run(_awaited(value)) if inspect.isawaitable(value) else value

    def chunks(self, stream: Any, most: int | None = None) -> list[Any]:
        """Return the chunks of a stream: all, or the first few."""
        return self.runner.run(_async_chunks(stream, most)) if hasattr(stream, "__anext__") else _chunks(stream, most)

    def within(self, manager: Any, use: Callable[[Any], Any]) -> Any:
        """Return what `use` returns for the object of a `with` block; it may return a coroutine."""
        if self.is_async:
            return self.runner.run(_async_within(manager, use))
        with manager as entered:
            return use(entered)

    def end_generators(self) -> None:
        """End the asynchronous generators that nobody holds any more, as the loop does in the background."""
        self.runner.run(self.runner.get_loop().shutdown_asyncgens())

    def openintent(self, url: str) -> Any:
        client = (AsyncOpenIntentClient if self.is_async else OpenIntentClient)(url, KEY, "ada")
        self.closing.append(client)
        return client

    def close(self) -> None:
        for client in self.closing:
            self.wait(client.close())
            if hasattr(client, "aio"):
                self.runner.run(client.aio.aclose())


async def _awaited(value: Any) -> Any:
    return await value


async def _async_chunks(stream: Any, most: int | None) -> list[Any]:
    found: list[Any] = []
    while len(found) != most:
        try:
            found.append(await stream.__anext__())
        except StopAsyncIteration:
            break
    return found


def _chunks(stream: Any, most: int | None) -> list[Any]:
    found: list[Any] = []
    while len(found) != most:
        try:
            found.append(next(stream))
        except StopIteration:
            break
    return found


async def _async_within(manager: Any, use: Callable[[Any], Any]) -> Any:
    async with manager as entered:
        result = use(entered)
        return await result if inspect.isawaitable(result) else result


@pytest.fixture(params=["sync", "async"])
def client_runner(request: pytest.FixtureRequest) -> Iterator[ClientRunner]:
    with asyncio.Runner() as runner:
        client_runner = ClientRunner(request.param == "async", runner)
        yield client_runner
        client_runner.close()


@pytest.fixture
def make_adapter(
    client_runner: ClientRunner, provider: FakeProvider, server: Server, intent: Intent
) -> Callable[..., tuple[Adapter, Any]]:
    """Return `make_adapter(interface, log_streams=False)`: it returns an adapter, and its object with the interface's methods."""

    def make_adapter(interface: Interface, **config: Any) -> tuple[Adapter, Any]:
        client = interface.connect(provider.url, client_runner.is_async)
        client_runner.closing.append(client)
        adapter = interface.adapter(client, client_runner.openintent(server.url), intent.id, AdapterConfig(**config))
        return adapter, interface.owner(adapter, client_runner.is_async)

    return make_adapter


@pytest.fixture
def logged_events(api: OpenIntentClient, intent: Intent) -> Callable[[Adapter], list[tuple[str, dict[str, Any]]]]:
    """Return a function of an adapter that returns its logged events, without costs."""

    def logged_events(adapter: Adapter) -> list[tuple[str, dict[str, Any]]]:
        assert adapter.flush(30)
        return [(e.event_type, e.payload) for e in api.get_events(intent.id)[1:] if e.event_type != "cost_recorded"]

    return logged_events
