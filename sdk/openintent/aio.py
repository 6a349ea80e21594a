"""The asynchronous client. It needs httpx2, the extra `async`."""

import asyncio
from types import TracebackType
from typing import Self

from ._async_stream import AsyncEventStream
from ._httpx2 import AsyncConnections, httpx2, no_response
from ._lease import Holds
from ._request_flow import Outcome, Request, Response
from ._stream_state import StreamState
from .resources._async import AsyncResources


class AsyncOpenIntentClient(AsyncResources):
    """A client of an OpenIntent server for asyncio, with the methods of `OpenIntentClient` as coroutines.

        async with AsyncOpenIntentClient("http://localhost:8000", api_key="dev-user-key") as client:
            intent = await client.create_intent(title="Research market trends")

    It has connections of its own in each event loop and each forked process; a block or a stream belongs to the loop that entered
    it. After a cancelled write it is unknown whether it was carried out.
    """

    def _open_transport(self) -> None:
        self._connections = AsyncConnections(self._network)
        self._holds = Holds(asyncio.Lock)

    def _open_stream(self, state: StreamState) -> AsyncEventStream:
        stream = AsyncEventStream(state, self._connections.streams, self._connect_timeout)
        self._connections.add(stream)
        return stream

    async def _sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def close(self) -> None:
        """Close the connections and end the streams. The client cannot be used afterwards."""
        await self._connections.close()

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
        connect, read = self._timeouts(request)
        try:
            response = await self._connections.calls().request(
                request.call.method,
                request.url,
                content=request.body,
                headers=dict(request.headers),
                timeout=httpx2.Timeout(read, connect=connect),
            )
        except httpx2.RequestError as error:
            return no_response(error)
        return Response(response.status_code, response.headers, response.content)
