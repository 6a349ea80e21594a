"""The client that waits for its answers."""

import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self, TypeVar
from weakref import WeakSet

import requests

from ._base_client import ClientBase
from ._endpoint import Call, Sender
from ._lease import HeldLease, Plan
from ._request_flow import Answer, Conversation, Outcome, Request, conversation
from ._requests import lost_by, new_session
from ._stream import EventStream
from ._stream_state import Following, followed
from ._wait_for_decision import deciding
from .enums import EventType
from .models import Arbitration
from .resources import Calls
from .resources._helpers import Id

T = TypeVar("T")


class OpenIntentClient(Calls, ClientBase, Sender):
    """A client of an OpenIntent server.

        with OpenIntentClient("http://localhost:8000", api_key="dev-user-key") as client:
            intent = client.create_intent(title="Research market trends")

    It may be used from several threads: each gets its own connections.
    """

    def _open(self) -> None:
        self._sleep = time.sleep
        self._mine = threading.local()
        self._sessions: WeakSet[requests.Session] = WeakSet()
        self._streams: WeakSet[EventStream] = WeakSet()
        self._opening = threading.Lock()
        self._closed = False

    def send(self, call: Call[T]) -> T:
        """Perform a call: wait, ask, and try again as long as that makes sense."""
        return self._carry_out(conversation(call, self._peer))

    def _carry_out(self, steps: Conversation[T]) -> T:
        try:
            attempt = next(steps)
            while True:
                if attempt.pause:
                    self._sleep(attempt.pause)
                attempt = steps.send(self._exchange(attempt.request))
        except StopIteration as end:
            result: T = end.value
            return result

    def lease(self, intent_id: Id, scope: str, duration_seconds: int = 300, *, wait: float = 0) -> HeldLease:
        """Hold `scope` while a `with` block runs: `with client.lease(intent.id, "content.draft") as lease:` (protocol K-5).

        The lease is renewed in the background, and released at the block's end, also after an error. One that the agent held
        before the block stays held. Where another agent holds the scope, it is waited for, up to `wait` seconds.

        Raises InputValidationError at once; at the block's beginning what `acquire_lease` raises.
        """
        return HeldLease(self, Plan(intent_id, scope, duration_seconds, wait))

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
        """The events of an intent, a portfolio or an agent, or of the whole server, as they happen (protocol K-4, S-1 to S-4).

            for event in client.stream(intent_id=intent.id, event_types=["state_patched", "status_changed"]):

        It goes on until it is closed. Each event comes once and in order: where the connection breaks, is silent for 40 seconds or is
        ended by the server, where the server is away or has no room, the stream connects again, after a growing pause, and goes on
        from where it was. With `reconnect=False` that is an error instead.

        after        the position to go on from, that of the last event you know; 0: from the beginning. None: from now on, which
                     is when the stream connects: at the beginning of `with client.stream(…) as stream:`, else at the first event
        event_types  the types to hear of; none: all

        A portfolio's events are its own and its members', an agent's its assignments and those of the intents assigned to it.

        Raises InputValidationError at once; while it runs AuthenticationError (also when the key is revoked meanwhile),
        PermissionDeniedError, NotFoundError, ValidationError; with `reconnect=False` also ConnectionFailedError, RateLimitError,
        ServerError.
        """
        call = followed(intent_id=intent_id, portfolio_id=portfolio_id, agent_id=agent_id, event_types=event_types)
        following = Following(call, self._peer, after=after, reconnect=reconnect)
        stream = EventStream(following, self._connect_timeout)
        with self._opening:
            self._require_open()
            self._streams.add(stream)
        return stream

    def wait_for_decision(self, intent_id: Id, arbitration_id: Id, timeout: float | None = None) -> Arbitration:
        """The arbitration once it is decided: `.decision` says how (protocol A-6). What may pass, as a restart of the server, is waited for.

        `timeout` is in seconds, None for as long as it takes; a server that hangs is given up only after the client's own timeout.

        Raises UndecidedError if it is withdrawn or expires, DecisionTimeoutError, a TimeoutError too, if it is still pending after
        `timeout`; InputValidationError, NotFoundError, AuthenticationError, PermissionDeniedError.
        """
        return self._carry_out(deciding(intent_id, arbitration_id, timeout, self._peer))

    def close(self) -> None:
        """Close the connections of all threads, and end the streams. The client cannot be used after that."""
        with self._opening:
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

    def _exchange(self, request: Request) -> Outcome:
        try:
            response = self._session().request(
                request.call.method,
                request.url,
                data=request.body,
                headers=dict(request.headers),
                timeout=(self._connect_timeout, self._timeout + request.call.patience),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            return lost_by(error)
        return Answer(response.status_code, response.headers, response.content)

    def _session(self) -> requests.Session:
        """This thread's session."""
        self._require_open()
        session: requests.Session | None = getattr(self._mine, "session", None)
        if session is None:
            session = self._mine.session = new_session()
            with self._opening:
                self._sessions.add(session)
        return session

    def _require_open(self) -> None:
        if self._closed:
            raise RuntimeError("This client is closed.")
