"""The synchronous client."""

import threading
import time
from types import TracebackType
from typing import Self
from weakref import WeakSet

import requests

from ._request_flow import Outcome, Request, Response
from ._requests import new_session, no_response
from ._stream import EventStream
from ._stream_state import StreamState
from .resources import Resources


class OpenIntentClient(Resources):
    """A client of an OpenIntent server.

        with OpenIntentClient("http://localhost:8000", api_key="dev-user-key") as client:
            intent = client.create_intent(title="Research market trends")

    Threads may share it: each gets its own connections.
    """

    def _open_transport(self) -> None:
        self._local = threading.local()
        self._sessions: WeakSet[requests.Session] = WeakSet()
        self._streams: WeakSet[EventStream] = WeakSet()
        self._lock = threading.Lock()
        self._closed = False

    def _open_stream(self, state: StreamState) -> EventStream:
        stream = EventStream(state, self._connect_timeout)
        with self._lock:
            self._require_open()
            self._streams.add(stream)
        return stream

    def _sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def close(self) -> None:
        """Close the connections of all threads and end the streams. The client cannot be used afterwards."""
        with self._lock:
            self._closed = True
            streams = list(self._streams)
            for session in self._sessions:
                session.close()
        for stream in streams:
            stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _send(self, request: Request) -> Outcome:
        self._require_open()
        session: requests.Session | None = getattr(self._local, "session", None)  # Each thread has its own.
        if session is None:
            session = self._local.session = new_session()
            with self._lock:
                self._sessions.add(session)
        try:
            response = session.request(
                request.call.method,
                request.url,
                data=request.body,
                headers=dict(request.headers),
                timeout=(self._connect_timeout, self._timeout + request.call.extra_timeout),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            return no_response(error)
        return Response(response.status_code, response.headers, response.content)

    def _require_open(self) -> None:
        if self._closed:
            raise RuntimeError("This client is closed.")
