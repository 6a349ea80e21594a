"""The client whose methods are coroutines. It needs httpx2, the extra `async`."""

import asyncio
import ssl
from collections.abc import Sequence
from functools import cache
from types import TracebackType
from typing import Self, TypeVar
from weakref import WeakSet

from ._async_lease import AsyncHeldLease
from ._base_client import ClientBase
from ._endpoint import AsyncSender, Call
from ._lease import Plan
from ._request_flow import Answer, Conversation, Lost, Outcome, Request, conversation
from ._stream_state import Following, followed
from ._wait_for_decision import deciding
from .enums import EventType
from .models import Arbitration
from .resources import Calls
from .resources._helpers import Id

try:
    import httpx2
except ModuleNotFoundError as missing:
    raise ImportError("AsyncOpenIntentClient needs httpx2: pip install 'httpx2>=2.16,<3'") from missing

from ._async_stream import AsyncEventStream

T = TypeVar("T")


@cache
def _certificates() -> ssl.SSLContext:
    """One for all clients: to read the certificates takes longer than anything else that a new client does."""
    return httpx2.create_ssl_context()


class AsyncOpenIntentClient(Calls, ClientBase, AsyncSender):
    """A client of an OpenIntent server for asyncio, with the methods of `OpenIntentClient` as coroutines.

        async with AsyncOpenIntentClient("http://localhost:8000", api_key="dev-user-key") as client:
            intent = await client.create_intent(title="Research market trends")

    Like every asyncio object it belongs to one event loop. Cancelling a write leaves open whether it was done.
    """

    def _open(self) -> None:
        self._sleep = asyncio.sleep
        self._http = httpx2.AsyncClient(
            timeout=httpx2.Timeout(self._timeout, connect=self._connect_timeout),
            follow_redirects=False,
            verify=_certificates(),
        )
        self._for_streams: httpx2.AsyncClient | None = None
        self._streams: WeakSet[AsyncEventStream] = WeakSet()

    async def send(self, call: Call[T]) -> T:
        """Perform a call: wait, ask, and try again as long as that makes sense."""
        return await self._carry_out(conversation(call, self._peer))

    async def _carry_out(self, steps: Conversation[T]) -> T:
        try:
            attempt = next(steps)
            while True:
                if attempt.pause:
                    await self._sleep(attempt.pause)
                attempt = steps.send(await self._exchange(attempt.request))
        except StopIteration as end:
            result: T = end.value
            return result

    def lease(self, intent_id: Id, scope: str, duration_seconds: int = 300, *, wait: float = 0) -> AsyncHeldLease:
        """Hold `scope` while an `async with` block runs: `async with client.lease(intent.id, "content.draft") as lease:` (protocol K-5).

        The lease is renewed in the background, and released at the block's end, also after an error. One that the agent held
        before the block stays held. Where another agent holds the scope, it is waited for, up to `wait` seconds.

        Raises InputValidationError at once; at the block's beginning what `acquire_lease` raises.
        """
        return AsyncHeldLease(self, Plan(intent_id, scope, duration_seconds, wait))

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
        """The events of an intent, a portfolio or an agent, or of the whole server, as they happen (protocol K-4, S-1 to S-4).

            async for event in client.stream(intent_id=intent.id, event_types=["state_patched", "status_changed"]):

        It goes on until it is closed. Each event comes once and in order: where the connection breaks, is silent for 40 seconds or is
        ended by the server, where the server is away or has no room, the stream connects again, after a growing pause, and goes on
        from where it was. With `reconnect=False` that is an error instead.

        after        the position to go on from, that of the last event you know; 0: from the beginning. None: from now on, which
                     is when the stream connects: at the beginning of `async with client.stream(…) as stream:`, else at the first event
        event_types  the types to hear of; none: all

        A portfolio's events are its own and its members', an agent's its assignments and those of the intents assigned to it.

        Raises InputValidationError at once; while it runs AuthenticationError (also when the key is revoked meanwhile),
        PermissionDeniedError, NotFoundError, ValidationError; with `reconnect=False` also ConnectionFailedError, RateLimitError,
        ServerError.
        """
        call = followed(intent_id=intent_id, portfolio_id=portfolio_id, agent_id=agent_id, event_types=event_types)
        following = Following(call, self._peer, after=after, reconnect=reconnect)
        self._require_open()
        stream = AsyncEventStream(following, self._stream_http, self._connect_timeout)
        self._streams.add(stream)
        return stream

    async def wait_for_decision(self, intent_id: Id, arbitration_id: Id, timeout: float | None = None) -> Arbitration:
        """The arbitration once it is decided: `.decision` says how (protocol A-6). What may pass, as a restart of the server, is waited for.

        `timeout` is in seconds, None for as long as it takes; a server that hangs is given up only after the client's own timeout.

        Raises UndecidedError if it is withdrawn or expires, DecisionTimeoutError, a TimeoutError too, if it is still pending after
        `timeout`; InputValidationError, NotFoundError, AuthenticationError, PermissionDeniedError.
        """
        return await self._carry_out(deciding(intent_id, arbitration_id, timeout, self._peer))

    async def close(self) -> None:
        """Close the connections, and end the streams. The client cannot be used after that."""
        for stream in list(self._streams):
            await stream.aclose()
        if self._for_streams:
            await self._for_streams.aclose()
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

    async def _exchange(self, request: Request) -> Outcome:
        try:
            response = await self._http.request(
                request.call.method,
                request.url,
                content=request.body,
                headers=dict(request.headers),
                timeout=httpx2.Timeout(self._timeout + request.call.patience, connect=self._connect_timeout),
            )
        except httpx2.RequestError as error:
            unsent = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
            timeout = isinstance(error, httpx2.TimeoutException)
            return Lost.by(error, sent=not isinstance(error, unsent), timeout=timeout)
        return Answer(response.status_code, response.headers, response.content)

    def _stream_http(self) -> httpx2.AsyncClient:
        """What opens streams: any number, and apart from the calls, whose connections they would use up."""
        self._require_open()
        if self._for_streams is None:
            limits = httpx2.Limits(max_connections=None, max_keepalive_connections=0)
            self._for_streams = httpx2.AsyncClient(follow_redirects=False, limits=limits, verify=_certificates())
        return self._for_streams

    def _require_open(self) -> None:
        if self._http.is_closed:
            raise RuntimeError("This client is closed.")
