"""The client whose methods are coroutines. It needs httpx2: `pip install 'openintent[async]'`."""

import asyncio
from types import TracebackType
from typing import Self, TypeVar

from ._aleasing import AsyncHeldLease
from ._base import ClientBase
from ._call import AsyncSender, Call
from ._exchange import Answer, Lost, Outcome, Request, conversation
from ._leasing import Plan
from .calls import Calls
from .calls._parts import Id

try:
    import httpx2
except ModuleNotFoundError as missing:
    raise ImportError("AsyncOpenIntentClient needs httpx2: pip install 'openintent[async]'") from missing

T = TypeVar("T")


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
        )

    async def send(self, call: Call[T]) -> T:
        """Perform a call: wait, ask, and try again as long as that makes sense."""
        steps = conversation(call, self._peer)
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

    async def close(self) -> None:
        """Close the connections. The client cannot be used after that."""
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
