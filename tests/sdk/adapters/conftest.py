"""Adapters between a fake provider and a live server, with clients of both kinds behind one face."""

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
    """To prepare and to look."""
    with OpenIntentClient(server.url, KEY, "ada") as client:
        yield client


@pytest.fixture
def intent(api: OpenIntentClient) -> Intent:
    return api.create_intent(title="Ask a model")


@dataclass
class Player:
    """Waits for what has to be awaited, so that one test speaks for clients of both kinds."""

    is_async: bool
    runner: asyncio.Runner
    closing: list[Any] = field(default_factory=list)

    def wait(self, value: Any) -> Any:
        return self.runner.run(_awaited(value)) if inspect.isawaitable(value) else value

    def chunks(self, stream: Any, most: int | None = None) -> list[Any]:
        """Of a stream: all, or the first few."""
        return self.runner.run(_async_chunks(stream, most)) if hasattr(stream, "__anext__") else _chunks(stream, most)

    def within(self, manager: Any, use: Callable[[Any], Any]) -> Any:
        """What `use` makes of the object of a `with` block; it may answer a coroutine."""
        if self.is_async:
            return self.runner.run(_async_within(manager, use))
        with manager as entered:
            return use(entered)

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
def player(request: pytest.FixtureRequest) -> Iterator[Player]:
    with asyncio.Runner() as runner:
        player = Player(request.param == "async", runner)
        yield player
        player.close()


@pytest.fixture
def adapted(player: Player, provider: FakeProvider, server: Server, intent: Intent) -> Callable[..., tuple[Adapter, Any]]:
    """`adapted(interface, log_streams=False)`: an adapter of the intent, and what of it has the interface's methods."""

    def adapted(interface: Interface, **config: Any) -> tuple[Adapter, Any]:
        client = interface.connect(provider.url, player.is_async)
        player.closing.append(client)
        adapter = interface.adapter(client, player.openintent(server.url), intent.id, AdapterConfig(**config))
        return adapter, interface.owner(adapter, player.is_async)

    return adapted


@pytest.fixture
def told(api: OpenIntentClient, intent: Intent) -> Callable[[Adapter], list[tuple[str, dict[str, Any]]]]:
    """The events that an adapter has logged, costs apart."""

    def told(adapter: Adapter) -> list[tuple[str, dict[str, Any]]]:
        assert adapter.flush(30)
        return [(e.event_type, e.payload) for e in api.get_events(intent.id)[1:] if e.event_type != "cost_recorded"]

    return told
