"""The same with `async for` (protocol K-4)."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Any, Self

import httpx2

from . import _stream_state
from ._request_flow import Answer, Lost
from ._stream_state import ENDED, Following
from .models import Event

_ending: set[asyncio.Task[None]] = set()


class AsyncEventStream:
    """The events of an intent, a portfolio, an agent or the whole server, each once. Made by `client.stream(…)`.

        async with client.stream(intent_id=intent.id) as stream:
            async for event in stream:
                print(event.event_type)

    Entering the block connects: what happens from then on is heard. Without a block, the first event that is asked for connects.
    One task iterates; any of the same loop may `aclose`, which ends the iteration. If the task is cancelled while it waits for an
    event, the connection is closed; iterating again goes on where it was.
    """

    def __init__(self, following: Following, connect: Callable[[], httpx2.AsyncClient], connect_timeout: float) -> None:
        self._following = following
        self._http = connect
        self._timeout = httpx2.Timeout(connect_timeout, read=_stream_state.SILENCE)
        self._response: httpx2.Response | None = None
        self._chunks: AsyncIterator[bytes] | None = None
        self._ready: deque[Event] = deque()
        self._heard: int | None = None
        self._is_closed = False
        self._step: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def position(self) -> int | None:
        """The position to pass as `after` to go on from here: of the last event that was handed out, or where the stream began.

        Where nothing happens it goes on as well, as the server says how far it has looked. None as long as the server has not said.
        """
        return self._following.began if self._heard is None else self._heard

    async def __aenter__(self) -> Self:
        while not self._following.is_connected and not self._is_closed:
            await self._take_step()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._ready and not self._is_closed:
            self._heard = self._following.position
            await self._take_step()
        if self._is_closed:
            raise StopAsyncIteration
        event = self._ready.popleft()
        self._heard = event.position
        return event

    async def aclose(self) -> None:
        """End the connection, and the iteration, also of another task. Repeating it does nothing."""
        self._is_closed = True
        if self._step:
            self._step.cancel()
            await asyncio.wait([self._step])
        await self._disconnect()

    def __del__(self) -> None:
        response, loop = self._response, self._loop
        if response is not None and loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(_end, response.aclose)

    async def _take_step(self) -> None:
        """Advance, in a task of its own that `aclose` can cancel without cancelling whoever iterates."""
        self._loop = asyncio.get_running_loop()
        self._step = asyncio.create_task(self._advance())
        try:
            await self._step
        except asyncio.CancelledError:
            await self._disconnect()
            if not self._is_closed or _is_cancelled():
                raise
        except BaseException:
            self._is_closed = True
            await self._disconnect()
            raise
        finally:
            self._step = None

    async def _advance(self) -> None:
        """Take one step: connect, or read what has come."""
        if self._chunks is None:
            await asyncio.sleep(self._following.pause)
            await self._connect()
        elif self._following.is_over:  # Only now: what was sent before the goodbye has been handed out.
            await self._lose(ENDED)
        else:
            self._ready.extend(self._following.feed(await self._read(self._chunks)))

    async def _connect(self) -> None:
        request = self._following.request()
        http = self._http()
        try:
            response = self._response = await http.send(
                http.build_request("GET", request.url, headers=dict(request.headers), timeout=self._timeout), stream=True
            )
            if self._following.is_stream(response.status_code, response.headers):
                self._chunks = response.aiter_bytes()
                return
            body = await response.aread() if response.status_code >= 400 else b""  # What is no refusal may be endless.
            answer = Answer(response.status_code, response.headers, body)
        except httpx2.RequestError as error:
            unsent = isinstance(error, (httpx2.ConnectError, httpx2.ConnectTimeout))
            await self._lose(Lost.by(error, sent=not unsent, timeout=isinstance(error, httpx2.TimeoutException)))
            return
        await self._disconnect()
        self._following.refuse(answer)

    async def _read(self, chunks: AsyncIterator[bytes]) -> bytes:
        """What has come, as soon as it has. Empty if that is the end of the connection."""
        try:
            return await anext(chunks)
        except StopAsyncIteration:
            await self._lose(ENDED)
        except httpx2.RequestError as error:
            await self._lose(Lost.by(error, sent=True, timeout=isinstance(error, httpx2.TimeoutException)))
        return b""

    async def _lose(self, lost: Lost) -> None:
        await self._disconnect()
        self._following.lose(lost)

    async def _disconnect(self) -> None:
        response, self._response, self._chunks = self._response, None, None
        if response is not None:
            await response.aclose()


def _is_cancelled() -> bool:
    """Whether the task that runs has itself been cancelled."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _end(aclose: Callable[[], Awaitable[None]]) -> None:
    """Close the connection of a stream that was dropped, as asyncio does it for generators."""

    async def close() -> Any:
        await aclose()

    task = asyncio.ensure_future(close())
    _ending.add(task)
    task.add_done_callback(_ending.discard)
