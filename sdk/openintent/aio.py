"""The asynchronous client. It needs httpx2, the extra `async`."""

import asyncio
import ssl
from collections.abc import Sequence
from functools import cache
from types import TracebackType
from typing import Self, TypeVar
from weakref import WeakSet

from ._async_lease import AsyncHeldLease
from ._base_client import ClientBase
from ._endpoint import AsyncTransport, Call
from ._lease import LeaseRequest
from ._request_flow import NoResponse, Outcome, Request, RequestFlow, Response, request_flow
from ._stream_state import StreamState, stream_call
from ._wait_for_decision import decision_flow
from .enums import EventType
from .models import Arbitration
from .resources import Resources
from .resources._helpers import Id

try:
    import httpx2
except ModuleNotFoundError as missing:
    raise ImportError("AsyncOpenIntentClient needs httpx2: pip install 'httpx2>=2.16,<3'") from missing

from ._async_stream import AsyncEventStream

T = TypeVar("T")


@cache
def _ssl_context() -> ssl.SSLContext:
    """Return one context for all clients: reading the certificates is the slowest part of creating a client."""
    return httpx2.create_ssl_context()


class AsyncOpenIntentClient(Resources, ClientBase, AsyncTransport):
    """A client of an OpenIntent server for asyncio, with the methods of `OpenIntentClient` as coroutines.

        async with AsyncOpenIntentClient("http://localhost:8000", api_key="dev-user-key") as client:
            intent = await client.create_intent(title="Research market trends")

    Like every asyncio object it belongs to one event loop. After a cancelled write it is unknown whether it was carried out.
    """

    def _open_transport(self) -> None:
        self._sleep = asyncio.sleep
        self._http = httpx2.AsyncClient(
            timeout=httpx2.Timeout(self._timeout, connect=self._connect_timeout),
            follow_redirects=False,
            verify=_ssl_context(),
        )
        self._stream_client: httpx2.AsyncClient | None = None
        self._streams: WeakSet[AsyncEventStream] = WeakSet()

    async def send(self, call: Call[T]) -> T:
        """Perform a call, with retries, and return its result. Raises OpenIntentError."""
        return await self._run(request_flow(call, self._server))

    async def _run(self, steps: RequestFlow[T]) -> T:
        try:
            attempt = next(steps)
            while True:
                if attempt.pause:
                    await self._sleep(attempt.pause)
                attempt = steps.send(await self._send(attempt.request))
        except StopIteration as end:
            result: T = end.value
            return result

    def lease(self, intent_id: Id, scope: str, duration_seconds: int = 300, *, wait: float = 0) -> AsyncHeldLease:
        """Hold a lease on `scope` during an `async with` block: `async with client.lease(intent.id, "content.draft") as lease:` (protocol K-5).

        The lease is renewed in the background and released at the end of the block, also after an error. One that the agent
        held before the block stays held. If another agent holds the scope, entering the block waits up to `wait` seconds.

        Raises InputValidationError at once; on entering the block, what `acquire_lease` raises.
        """
        return AsyncHeldLease(self, LeaseRequest(intent_id, scope, duration_seconds, wait))

    def stream(
        self,
        *,
        intent_id: Id | None = None,
        portfolio_id: Id | None = None,
        agent_id: str | None = None,
        after: int | None = None,
        event_types: EventType | str | Sequence[EventType | str] | None = None,
        reconnect: bool = True,
    ) -> AsyncEventStream:
        """Stream the events of an intent, a portfolio, an agent or the whole server as they happen (protocol K-4, S-1 to S-4).

            async for event in client.stream(intent_id=intent.id, event_types=["state_patched", "status_changed"]):

        The stream runs until it is closed. Each event is returned once and in order: when the connection breaks, is silent for
        40 seconds or is ended by the server, and when the server is down or has no capacity, the stream reconnects after a growing
        pause and resumes. With `reconnect=False` that is an error instead.

        after        the position to resume after, that of the last event you know; 0: from the beginning. None: from now on, which
                     is when the stream connects: on entering `async with client.stream(…) as stream:`, else at the first event
        event_types  the types to return; none: all

        A portfolio's events are its own and its members', an agent's its assignments and those of the intents assigned to it.

        Raises InputValidationError at once; while iterating AuthenticationError (also when the key is revoked meanwhile),
        PermissionDeniedError, NotFoundError, ValidationError; with `reconnect=False` also ConnectionFailedError, RateLimitError,
        ServerError.
        """
        call = stream_call(intent_id=intent_id, portfolio_id=portfolio_id, agent_id=agent_id, event_types=event_types)
        state = StreamState(call, self._server, after=after, reconnect=reconnect)
        self._require_open()
        stream = AsyncEventStream(state, self._get_stream_client, self._connect_timeout)
        self._streams.add(stream)
        return stream

    async def wait_for_decision(self, intent_id: Id, arbitration_id: Id, timeout: float | None = None) -> Arbitration:
        """Wait until an arbitration is decided, and return it with its `decision` (protocol A-6). Transient errors are retried.

        `timeout` is in seconds, None waits without limit; a request that hangs fails only after the client's own timeout.

        Raises UndecidedError if it is withdrawn or expires, DecisionTimeoutError, also a TimeoutError, if it is still pending after
        `timeout`; InputValidationError, NotFoundError, AuthenticationError, PermissionDeniedError.
        """
        return await self._run(decision_flow(intent_id, arbitration_id, timeout, self._server))

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
