"""`client.stream(…)`: the log as it grows, as an iterator (protocol K-4)."""

import threading
from collections import deque
from contextlib import suppress
from types import TracebackType
from typing import Self

import requests
from urllib3.exceptions import HTTPError, ReadTimeoutError

from . import _stream_state
from ._request_flow import Answer, Lost
from ._requests import lost_by, new_session
from ._stream_state import ENDED, Following
from .models import Event

CHUNK = 64 * 2**10


class EventStream:
    """The events of an intent, a portfolio, an agent or the whole server, each once. Made by `client.stream(…)`.

        with client.stream(intent_id=intent.id) as stream:
            for event in stream:
                print(event.event_type)

    Entering the block connects: what happens from then on is heard. Without a block, the first event that is asked for connects.
    One thread iterates; any may `close`, which ends the iteration.
    """

    def __init__(self, following: Following, connect_timeout: float) -> None:
        self._following = following
        self._connect_timeout = connect_timeout
        self._session = new_session()
        self._response: requests.Response | None = None
        self._ready: deque[Event] = deque()
        self._heard: int | None = None
        self._closing = threading.Event()
        self._iterating = threading.Lock()

    @property
    def position(self) -> int | None:
        """The position to pass as `after` to go on from here: of the last event that was handed out, or where the stream began.

        Where nothing happens it goes on as well, as the server says how far it has looked. None as long as the server has not said.
        """
        return self._following.began if self._heard is None else self._heard

    def __enter__(self) -> Self:
        try:
            with self._iterating:
                while not self._following.is_connected and not self._closing.is_set():
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
                while not self._ready and not self._closing.is_set():
                    self._heard = self._following.position
                    self._advance()
                if not self._closing.is_set():
                    event = self._ready.popleft()
                    self._heard = event.position
                    return event
        except BaseException:
            self.close()
            raise
        self.close()
        raise StopIteration

    def close(self) -> None:
        """End the connection, and the iteration, also of another thread. Repeating it does nothing."""
        self._closing.set()
        if response := self._response:
            with suppress(ValueError, RuntimeError, OSError):  # It has ended meanwhile.
                response.raw.shutdown()
        if self._iterating.acquire(blocking=False):  # Or the thread that iterates does it: it has just been woken.
            try:
                self._disconnect()
                self._session.close()
            finally:
                self._iterating.release()

    def __del__(self) -> None:
        self.close()

    def _advance(self) -> None:
        """Take one step: connect, or read what has come."""
        if self._response is None:
            if not self._closing.wait(self._following.pause):
                self._connect()
        elif self._following.is_over:  # Only now: what was sent before the goodbye has been handed out.
            self._lose(ENDED)
        else:
            self._ready.extend(self._following.feed(self._read(self._response)))

    def _connect(self) -> None:
        request = self._following.request()
        try:
            response = self._session.get(
                request.url,
                headers=dict(request.headers),
                timeout=(self._connect_timeout, _stream_state.SILENCE),
                allow_redirects=False,
                stream=True,
            )
            if self._following.is_stream(response.status_code, response.headers):
                self._response = response
                return
            with response:
                body = response.content if response.status_code >= 400 else b""  # What is no refusal may be endless.
                answer = Answer(response.status_code, response.headers, body)
        except requests.RequestException as error:
            self._lose(lost_by(error))
            return
        self._following.refuse(answer)

    def _read(self, response: requests.Response) -> bytes:
        """What has come, as soon as it has: `iter_content` waits until a chunk is full. Empty if that is the end of the connection."""
        try:
            if chunk := response.raw.read1(CHUNK, decode_content=True):
                return bytes(chunk)
            self._lose(ENDED)
        except (HTTPError, OSError) as error:
            self._lose(Lost.by(error, sent=True, timeout=isinstance(error, ReadTimeoutError)))
        return b""

    def _lose(self, lost: Lost) -> None:
        self._disconnect()
        if not self._closing.is_set():
            self._following.lose(lost)

    def _disconnect(self) -> None:
        response, self._response = self._response, None
        if response is not None:
            response.close()
