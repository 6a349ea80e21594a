"""The client that waits for its answers."""

import threading
import time
from types import TracebackType
from typing import Self, TypeVar
from weakref import WeakSet

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from ._base import ClientBase
from ._call import Call, Sender
from ._exchange import Answer, Lost, Outcome, Request, conversation
from ._leasing import HeldLease, Plan
from .calls import Calls
from .calls._parts import Id

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
        self._opening = threading.Lock()
        self._closed = False

    def send(self, call: Call[T]) -> T:
        """Perform a call: wait, ask, and try again as long as that makes sense."""
        steps = conversation(call, self._peer)
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

    def close(self) -> None:
        """Close the connections of all threads. The client cannot be used after that."""
        with self._opening:
            self._closed = True
            for session in self._sessions:
                session.close()

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
            cause = _cause(error)
            unsent = isinstance(cause, (NewConnectionError, ConnectTimeoutError))
            return Lost.by(cause, sent=not unsent, timeout=isinstance(error, requests.Timeout))
        return Answer(response.status_code, response.headers, response.content)

    def _session(self) -> requests.Session:
        """This thread's session."""
        if self._closed:
            raise RuntimeError("This client is closed.")
        session: requests.Session | None = getattr(self._mine, "session", None)
        if session is None:
            session = self._mine.session = requests.Session()
            session.auth = _as_they_are  # Or requests would look for a password in ~/.netrc.
            with self._opening:
                self._sessions.add(session)
        return session


def _as_they_are(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _cause(error: requests.RequestException) -> BaseException:
    """What urllib3 said: requests wraps it once, and urllib3 itself once more if no connection was made."""
    wrapped = error.args[0] if error.args else error
    cause = getattr(wrapped, "reason", None) or wrapped
    return cause if isinstance(cause, BaseException) else error
