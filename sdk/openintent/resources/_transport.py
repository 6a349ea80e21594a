"""Transport of the clients: calls in, results out, over the HTTP client of a subclass."""

from abc import abstractmethod
from typing import TypeVar

from .._base_client import ClientBase
from .._call import Call
from .._lease import Holds
from .._request_flow import Outcome, Request, RequestFlow, request_flow
from .._stream import EventStream
from .._stream_state import StreamState

T = TypeVar("T")


class Transport(ClientBase):
    """A client that performs calls, retries included."""

    _holds: Holds

    def send(self, call: Call[T]) -> T:
        """Perform a call and return its result. Every method of the API does so: override it to see or replace them all."""
        return self._run(request_flow(call, self._server))

    def _run(self, steps: RequestFlow[T]) -> T:
        try:
            attempt = next(steps)
            while True:
                if attempt.pause:
                    self._sleep(attempt.pause)
                attempt = steps.send(self._send(attempt.request))
        except StopIteration as end:
            result: T = end.value
            return result

    @abstractmethod
    def _send(self, request: Request) -> Outcome:
        """Send a request once."""

    @abstractmethod
    def _sleep(self, seconds: float) -> None:
        """Wait before a retry."""

    @abstractmethod
    def _open_stream(self, state: StreamState) -> EventStream:
        """Return a stream that has not connected yet."""
