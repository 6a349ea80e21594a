"""Asynchronous event streams, for `async for` (protocol K-4)."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from types import TracebackType
from typing import Any, Self

from . import _stream_state
from ._forks import reset_in_children
from ._httpx2 import httpx2, no_response
from ._request_flow import NoResponse, Response
from ._stream_state import ENDED, StreamState
from .models import Event

_closing_tasks: set[asyncio.Task[None]] = set()


class AsyncEventStream:
    """The events of an intent, a portfolio, an agent or the whole server, each once. Created by `client.stream(…)`.

        async with client.stream(intent_id=intent.id) as stream:
            async for event in stream:
                print(event.event_type)

    Entering the block connects, so that no later event is missed. Without a block, the first event requested connects.
    One task iterates; any of the same loop may `aclose`, which ends the iteration. If the task is cancelled while it waits for an
    event, the connection is closed; iterating again resumes from there.
    """

    def __init__(self, state: StreamState, connect: Callable[[], httpx2.AsyncClient], connect_timeout: float) -> None:
        self._state = state
        self._connect_http = connect
        self._timeout = httpx2.Timeout(connect_timeout, read=_stream_state.SILENCE_TIMEOUT)
        self._pending: deque[Event] = deque()
        self._last_position: int | None = None
        self._is_closed = False
        self._abandoned: list[object] = []
        self._reset()
        reset_in_children(self)

    def _reset(self) -> None:
        self._response: httpx2.Response | None = None
        self._chunks: AsyncIterator[bytes] | None = None
        self._step: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def reset_after_fork(self) -> None:
        self._abandoned += [self._response, self._chunks, self._step]  # Collecting them would end the parent's connection.
        self._reset()

    def __repr__(self) -> str:
        return self._state.describe(type(self).__name__)

    @property
    def position(self) -> int | None:
        """The position to pass as `after` to resume from here: that of the last event returned, or the start of the stream.

        It also advances without events, as the server reports its progress. None until the server has sent a position.
        """
        return self._state.start_position if self._last_position is None else self._last_position

    async def __aenter__(self) -> Self:
        while not self._state.is_connected and not self._is_closed:
            await self._run_step()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while not self._pending and not self._is_closed:
            self._last_position = self._state.position
            await self._run_step()
        if self._is_closed:
            raise StopAsyncIteration
        event = self._pending.popleft()
        self._last_position = event.position
        return event

    async def aclose(self) -> None:
        """Close the connection and end the iteration, also that of another task. Idempotent."""
        self._is_closed = True
        if self._step:
            self._step.cancel()
            await asyncio.wait([self._step])
        await self._disconnect()

    def __del__(self) -> None:
        response, loop = self._response, self._loop
        if response is not None and loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(_close_soon, response.aclose)

    async def _run_step(self) -> None:
        """Advance, in a task of its own that `aclose` can cancel without cancelling the iterating one."""
        if self._loop is not None and self._loop.is_closed():
            self._reset()
        self._loop = asyncio.get_running_loop()
        self._step = asyncio.create_task(self._advance())
        try:
            await self._step
        except asyncio.CancelledError:
            await self._disconnect()
            task = asyncio.current_task()
            is_cancelled = task is not None and task.cancelling() > 0  # The iterating task itself, and not just the step.
            if not self._is_closed or is_cancelled:
                raise
        except BaseException:
            self._is_closed = True
            await self._disconnect()
            raise
        finally:
            self._step = None

    async def _advance(self) -> None:
        """Connect, or read what has arrived."""
        if self._chunks is None:
            await asyncio.sleep(self._state.pause)
            await self._connect()
        elif self._state.end_reason:  # Only now: the events before the end have been returned.
            await self._handle_disconnect(ENDED)
        else:
            try:
                chunk = await anext(self._chunks)
            except StopAsyncIteration:
                await self._handle_disconnect(ENDED)
            except httpx2.RequestError as error:
                await self._handle_disconnect(no_response(error))
            else:
                self._pending.extend(self._state.feed(chunk))

    async def _connect(self) -> None:
        request = self._state.request()
        http = self._connect_http()
        try:
            response = self._response = await http.send(
                http.build_request("GET", request.url, headers=dict(request.headers), timeout=self._timeout), stream=True
            )
            if self._state.is_stream(response.status_code, response.headers):
                self._chunks = response.aiter_bytes()
                return
            body = await response.aread() if response.status_code >= 400 else b""  # The body of a success may be endless.
            refused = Response(response.status_code, response.headers, body)
        except httpx2.RequestError as error:
            await self._handle_disconnect(no_response(error))
            return
        await self._disconnect()
        self._state.handle_refusal(refused)

    async def _handle_disconnect(self, failed: NoResponse) -> None:
        await self._disconnect()
        self._state.handle_disconnect(failed)

    async def _disconnect(self) -> None:
        response, self._response, self._chunks = self._response, None, None
        if response is not None and not (self._loop and self._loop.is_closed()):
            await response.aclose()


def _close_soon(aclose: Callable[[], Awaitable[None]]) -> None:
    """Close the connection of a stream that was garbage-collected, as asyncio does for generators."""

    async def close() -> Any:
        await aclose()

    task = asyncio.ensure_future(close())
    _closing_tasks.add(task)
    task.add_done_callback(_closing_tasks.discard)
