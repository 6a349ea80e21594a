"""Connections of the asynchronous client, by the `httpx2` library."""

import asyncio
import ssl
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from weakref import WeakKeyDictionary, WeakSet

from ._forks import reset_in_children
from ._network import NetworkSettings
from ._request_flow import NoResponse

try:
    import httpx2
except ModuleNotFoundError as missing:
    raise ImportError("AsyncOpenIntentClient needs httpx2: pip install 'httpx2>=2.16,<3'") from missing

__all__ = ["AsyncConnections", "httpx2", "no_response"]

_abandoned: list[httpx2.AsyncClient] = []
"""Connections of the parent process. They are kept: collecting them would close what the parent uses."""


class Closable(Protocol):
    async def aclose(self) -> None: ...


@cache
def _ssl_context(ca_file: str | None) -> ssl.SSLContext:
    """Return one context for all clients: reading the certificates is the slowest part of creating a client."""
    if ca_file is None:
        return httpx2.create_ssl_context()
    is_folder = Path(ca_file).is_dir()
    return ssl.create_default_context(cafile=None if is_folder else ca_file, capath=ca_file if is_folder else None)


def no_response(error: httpx2.RequestError) -> NoResponse:
    """Return the outcome for an attempt that failed with this error."""
    unsent = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.ProxyError)
    timeout = isinstance(error, httpx2.TimeoutException)
    return NoResponse.from_error(error, sent=not isinstance(error, unsent), timeout=timeout)


class AsyncConnections:
    """Connections of a client and its copies, in each event loop: those of calls, and those of streams, which are unlimited."""

    def __init__(self, network: NetworkSettings) -> None:
        self._network = network
        self._streams: WeakSet[Closable] = WeakSet()
        self._is_closed = False
        self._clients: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, httpx2.AsyncClient]] = WeakKeyDictionary()
        reset_in_children(self)

    def reset_after_fork(self) -> None:
        _abandoned.extend(client for clients in self._clients.values() for client in clients.values())
        self._clients = WeakKeyDictionary()

    def calls(self) -> httpx2.AsyncClient:
        """Return the HTTP client of calls. Raise RuntimeError if the client is closed."""
        return self._client("calls")

    def streams(self) -> httpx2.AsyncClient:
        """Return the HTTP client of streams, which would use up the connections of calls."""
        return self._client("streams", limits=httpx2.Limits(max_connections=None, max_keepalive_connections=0))

    def _client(self, name: str, **settings: Any) -> httpx2.AsyncClient:
        self._require_open()
        clients = self._clients.setdefault(asyncio.get_running_loop(), {})
        if name not in clients:
            clients[name] = httpx2.AsyncClient(
                follow_redirects=False,
                trust_env=False,
                verify=_ssl_context(self._network.ca_file),
                proxy=self._network.proxy,
                **settings,
            )
        return clients[name]

    def add(self, stream: Closable) -> None:
        """End this stream when the client is closed. Raise RuntimeError if that has happened."""
        self._require_open()
        self._streams.add(stream)

    async def close(self) -> None:
        """Close the connections and end the streams."""
        self._is_closed = True
        for stream in list(self._streams):
            await stream.aclose()
        for loop, clients in list(self._clients.items()):
            for client in clients.values():
                if loop is asyncio.get_running_loop():
                    await client.aclose()
                elif loop.is_running():  # In another thread.
                    asyncio.run_coroutine_threadsafe(client.aclose(), loop)

    def _require_open(self) -> None:
        if self._is_closed:
            raise RuntimeError("This client is closed.")
