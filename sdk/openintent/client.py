"""The synchronous client."""

import threading
import time
from types import TracebackType
from typing import Self

import requests

from ._lease import Holds
from ._request_flow import Outcome, Request, Response
from ._requests import Connections, new_session, no_response
from ._stream import EventStream
from ._stream_state import StreamState
from .resources import Resources


class OpenIntentClient(Resources):
    """A client of an OpenIntent server.

        with OpenIntentClient("http://localhost:8000", api_key="dev-user-key") as client:
            intent = client.create_intent(title="Research market trends")

    Threads and forked processes may share it: each gets its own connections.
    """

    def _open_transport(self) -> None:
        self._connections = Connections(self._network)
        self._holds = Holds(threading.Lock)

    def _open_stream(self, state: StreamState) -> EventStream:
        stream = EventStream(state, lambda: new_session(self._network), self._connect_timeout)
        self._connections.add(stream)
        return stream

    def _sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def close(self) -> None:
        """Close the connections of all threads and end the streams. The client cannot be used afterwards."""
        self._connections.close()

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
        try:
            response = self._connections.session().request(
                request.call.method,
                request.url,
                data=request.body,
                headers=dict(request.headers),
                timeout=self._timeouts(request),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            return no_response(error)
        return Response(response.status_code, response.headers, response.content)
