"""Event streams: `client.stream(…)`, an iterator over the log as it grows (protocol K-4)."""

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from . import _stream_state
from ._forks import reset_in_children
from ._request_flow import NoResponse, Response
from ._requests import no_response
from ._stream_state import ENDED, StreamState
from .models import Event

CHUNK = 64 * 2**10


class EventStream:
    """The events of an intent, a portfolio, an agent or the whole server, each once. Created by `client.stream(…)`.

        with client.stream(intent_id=intent.id) as stream:
            for event in stream:
                print(event.event_type)

    Entering the block connects, so that no later event is missed. Without a block, the first `next` connects.
    One thread iterates; any may `close`, which ends the iteration.
    """

    def __init__(self, state: StreamState, connect: Callable[[], requests.Session], connect_timeout: float) -> None:
        self._state = state
        self._connect_timeout = connect_timeout
        self._new_session = connect
        self._pending: deque[Event] = deque()
        self._last_position: int | None = None
        self._closing = threading.Event()
        self.reset_after_fork()
        reset_in_children(self)

    def reset_after_fork(self) -> None:
        self._session = self._new_session()
        self._response: requests.Response | None = None
        self._iterating = threading.Lock()
        was_closed, self._closing = self._closing.is_set(), threading.Event()
        if was_closed:
            self._closing.set()

    def __repr__(self) -> str:
        return self._state.describe(type(self).__name__)

    @property
    def position(self) -> int | None:
        """The position to pass as `after` to resume from here: that of the last event returned, or the start of the stream.

        It also advances without events, as the server reports its progress. None until the server has sent a position.
        """
        return self._state.start_position if self._last_position is None else self._last_position

    def __enter__(self) -> Self:
        try:
            with self._iterating:
                while not self._state.is_connected and not self._closing.is_set():
                    self._advance()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        try:
            with self._iterating:
                while not self._pending and not self._closing.is_set():
                    self._last_position = self._state.position
                    self._advance()
                if not self._closing.is_set():
                    event = self._pending.popleft()
                    self._last_position = event.position
                    return event
        except BaseException:
            self.close()
            raise
        self.close()
        raise StopIteration

    def close(self) -> None:
        """Close the connection and end the iteration, also that of another thread. Idempotent."""
        self._closing.set()
        if response := self._response:
            with suppress(ValueError, RuntimeError, OSError):  # The response has ended meanwhile.
                response.raw.shutdown()
        if self._iterating.acquire(blocking=False):  # Otherwise the iterating thread, which has just been woken, does it.
            try:
                self._disconnect()
                self._session.close()
            finally:
                self._iterating.release()

    def __del__(self) -> None:
        self.close()

    def _advance(self) -> None:
        """Connect, or read what has arrived."""
        if self._response is None:
            if not self._closing.wait(self._state.pause):
                self._connect()
        elif self._state.end_reason:  # Only now: the events before the end have been returned.
            self._handle_disconnect(ENDED)
        else:
            try:  # Unlike `iter_content`, `read1` does not wait for a full chunk.
                chunk = self._response.raw.read1(CHUNK, decode_content=True)
            except (HTTPError, OSError) as error:
                self._handle_disconnect(NoResponse.from_error(error, sent=True, timeout=isinstance(error, ReadTimeoutError)))
                return
            if chunk:
                self._pending.extend(self._state.feed(bytes(chunk)))
            else:
                self._handle_disconnect(ENDED)

    def _connect(self) -> None:
        request = self._state.request()
        try:
            response = self._session.get(
                request.url,
                headers=dict(request.headers),
                timeout=(self._connect_timeout, _stream_state.SILENCE_TIMEOUT),
                allow_redirects=False,
                stream=True,
            )
            if self._state.is_stream(response.status_code, response.headers):
                self._response = response
                return
            with response:
                body = response.content if response.status_code >= 400 else b""  # The body of a success may be endless.
                refused = Response(response.status_code, response.headers, body)
        except requests.RequestException as error:
            self._handle_disconnect(no_response(error))
            return
        self._state.handle_refusal(refused)

    def _handle_disconnect(self, failed: NoResponse) -> None:
        self._disconnect()
        if not self._closing.is_set():
            self._state.handle_disconnect(failed)

    def _disconnect(self) -> None:
        response, self._response = self._response, None
        if response is not None:
            response.close()
