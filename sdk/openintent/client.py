"""The synchronous client."""

import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self, TypeVar
from weakref import WeakSet

import requests

from ._base_client import ClientBase
from ._endpoint import Call, SyncTransport
from ._lease import HeldLease, LeaseRequest
from ._request_flow import Outcome, Request, RequestFlow, Response, request_flow
from ._requests import new_session, no_response
from ._stream import EventStream
from ._stream_state import StreamState, stream_call
from ._wait_for_decision import decision_flow
from .enums import EventType
from .models import Arbitration
from .resources import Resources
from .resources._helpers import Id

T = TypeVar("T")


class OpenIntentClient(Resources, ClientBase, SyncTransport):
    """A client of an OpenIntent server.

        with OpenIntentClient("http://localhost:8000", api_key="dev-user-key") as client:
            intent = client.create_intent(title="Research market trends")

    Threads may share it: each gets its own connections.
    """

    def _open_transport(self) -> None:
        self._sleep = time.sleep
        self._local = threading.local()
        self._sessions: WeakSet[requests.Session] = WeakSet()
        self._streams: WeakSet[EventStream] = WeakSet()
        self._lock = threading.Lock()
        self._closed = False

    def send(self, call: Call[T]) -> T:
        """Perform a call, with retries, and return its result. Raises OpenIntentError."""
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

    def lease(self, intent_id: Id, scope: str, duration_seconds: int = 300, *, wait: float = 0) -> HeldLease:
        """Hold a lease on `scope` during a `with` block: `with client.lease(intent.id, "content.draft") as lease:` (protocol K-5).

        The lease is renewed in the background and released at the end of the block, also after an error. One that the agent
        held before the block stays held. If another agent holds the scope, entering the block waits up to `wait` seconds.

        Raises InputValidationError at once; on entering the block, what `acquire_lease` raises.
        """
        return HeldLease(self, LeaseRequest(intent_id, scope, duration_seconds, wait))

    def stream(
        self,
        *,
        intent_id: Id | None = None,
        portfolio_id: Id | None = None,
        agent_id: str | None = None,
        after: int | None = None,
        event_types: EventType | str | Sequence[EventType | str] | None = None,
        reconnect: bool = True,
    ) -> EventStream:
        """Stream the events of an intent, a portfolio, an agent or the whole server as they happen (protocol K-4, S-1 to S-4).

            for event in client.stream(intent_id=intent.id, event_types=["state_patched", "status_changed"]):

        The stream runs until it is closed. Each event is returned once and in order: when the connection breaks, is silent for
        40 seconds or is ended by the server, and when the server is down or has no capacity, the stream reconnects after a growing
        pause and resumes. With `reconnect=False` that is an error instead.

        after        the position to resume after, that of the last event you know; 0: from the beginning. None: from now on, which
                     is when the stream connects: on entering `with client.stream(…) as stream:`, else at the first event
        event_types  the types to return; none: all

        A portfolio's events are its own and its members', an agent's its assignments and those of the intents assigned to it.

        Raises InputValidationError at once; while iterating AuthenticationError (also when the key is revoked meanwhile),
        PermissionDeniedError, NotFoundError, ValidationError; with `reconnect=False` also ConnectionFailedError, RateLimitError,
        ServerError.
        """
        call = stream_call(intent_id=intent_id, portfolio_id=portfolio_id, agent_id=agent_id, event_types=event_types)
        state = StreamState(call, self._server, after=after, reconnect=reconnect)
        stream = EventStream(state, self._connect_timeout)
        with self._lock:
            self._require_open()
            self._streams.add(stream)
        return stream

    def wait_for_decision(self, intent_id: Id, arbitration_id: Id, timeout: float | None = None) -> Arbitration:
        """Wait until an arbitration is decided, and return it with its `decision` (protocol A-6). Transient errors are retried.

        `timeout` is in seconds, None waits without limit; a request that hangs fails only after the client's own timeout.

        Raises UndecidedError if it is withdrawn or expires, DecisionTimeoutError, also a TimeoutError, if it is still pending after
        `timeout`; InputValidationError, NotFoundError, AuthenticationError, PermissionDeniedError.
        """
        return self._run(decision_flow(intent_id, arbitration_id, timeout, self._server))

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
