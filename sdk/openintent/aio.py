"""The asynchronous client. It needs httpx2, the extra `async`."""

import asyncio
import ssl
from functools import cache
from types import TracebackType
from typing import Self
from weakref import WeakSet

from ._request_flow import NoResponse, Outcome, Request, Response
from ._stream_state import StreamState

try:
    import httpx2
except ModuleNotFoundError as missing:
    raise ImportError("AsyncOpenIntentClient needs httpx2: pip install 'httpx2>=2.16,<3'") from missing

from ._async_stream import AsyncEventStream
from .resources._async import AsyncResources


@cache
def _ssl_context() -> ssl.SSLContext:
    """Return one context for all clients: reading the certificates is the slowest part of creating a client."""
    return httpx2.create_ssl_context()


class AsyncOpenIntentClient(AsyncResources):
    """A client of an OpenIntent server for asyncio, with the methods of `OpenIntentClient` as coroutines.

        async with AsyncOpenIntentClient("http://localhost:8000", api_key="dev-user-key") as client:
            intent = await client.create_intent(title="Research market trends")

    Like every asyncio object it belongs to one event loop. After a cancelled write it is unknown whether it was carried out.
    """

    def _open_transport(self) -> None:
        self._http = httpx2.AsyncClient(
            timeout=httpx2.Timeout(self._timeout, connect=self._connect_timeout),
            follow_redirects=False,
            verify=_ssl_context(),
        )
        self._stream_client: httpx2.AsyncClient | None = None
        self._streams: WeakSet[AsyncEventStream] = WeakSet()

    def _open_stream(self, state: StreamState) -> AsyncEventStream:
        self._require_open()
        stream = AsyncEventStream(state, self._get_stream_client, self._connect_timeout)
        self._streams.add(stream)
        return stream

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def close(self) -> None:
        """Close the connections and end the streams. The client cannot be used afterwards."""
        for stream in list(self._streams):
            await stream.aclose()
        if self._stream_client:
            await self._stream_client.aclose()
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def _send(self, request: Request) -> Outcome:
        try:
            response = await self._http.request(
                request.call.method,
                request.url,
                content=request.body,
                headers=dict(request.headers),
                timeout=httpx2.Timeout(self._timeout + request.call.extra_timeout, connect=self._connect_timeout),
            )
        except httpx2.RequestError as error:
            unsent = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
            timeout = isinstance(error, httpx2.TimeoutException)
            return NoResponse.from_error(error, sent=not isinstance(error, unsent), timeout=timeout)
        return Response(response.status_code, response.headers, response.content)

    def _get_stream_client(self) -> httpx2.AsyncClient:
        """Return the HTTP client of the streams: unlimited, and separate from calls, whose connections they would use up."""
        self._require_open()
        if self._stream_client is None:
            limits = httpx2.Limits(max_connections=None, max_keepalive_connections=0)
            self._stream_client = httpx2.AsyncClient(follow_redirects=False, limits=limits, verify=_ssl_context())
        return self._stream_client

    def _require_open(self) -> None:
        if self._http.is_closed:
            raise RuntimeError("This client is closed.")
