"""Connections of the synchronous client, by the `requests` library."""

import threading
from typing import Protocol
from weakref import WeakSet

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ProxyError

from ._forks import reset_in_children
from ._network import NetworkSettings
from ._request_flow import NoResponse


class Closable(Protocol):
    def close(self) -> None: ...


def new_session(network: NetworkSettings) -> requests.Session:
    """Return a session, which belongs to one thread. It takes nothing from the environment, such as a password in ~/.netrc."""
    session = requests.Session()
    session.trust_env = False
    session.verify = network.ca_file or True
    session.proxies = {"http": network.proxy, "https": network.proxy} if network.proxy else {}
    return session


def no_response(error: requests.RequestException) -> NoResponse:
    """Return the outcome for an attempt that failed with this error."""
    # requests wraps urllib3's error, and that wraps the error of a failed connection.
    wrapped = error.args[0] if error.args else error
    reason = getattr(wrapped, "reason", None) or wrapped
    cause = reason if isinstance(reason, BaseException) else error
    unsent = isinstance(cause, (NewConnectionError, ConnectTimeoutError, ProxyError))
    return NoResponse.from_error(cause, sent=not unsent, timeout=isinstance(error, requests.Timeout))


class Connections:
    """Connections of a client and its copies: a session for each thread, in each process."""

    def __init__(self, network: NetworkSettings) -> None:
        self._network = network
        self._streams: WeakSet[Closable] = WeakSet()
        self._is_closed = False
        self.reset_after_fork()
        reset_in_children(self)

    def reset_after_fork(self) -> None:
        self._local = threading.local()
        self._sessions: WeakSet[requests.Session] = WeakSet()
        self._lock = threading.Lock()

    def session(self) -> requests.Session:
        """Return the session of this thread. Raise RuntimeError if the client is closed."""
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None or self._is_closed:
            with self._lock:
                self._require_open()
                session = self._local.session = new_session(self._network)
                self._sessions.add(session)
        return session

    def add(self, stream: Closable) -> None:
        """End this stream when the client is closed. Raise RuntimeError if that has happened."""
        with self._lock:
            self._require_open()
            self._streams.add(stream)

    def close(self) -> None:
        """Close the connections of all threads, and end the streams."""
        with self._lock:
            self._is_closed = True
            streams = list(self._streams)
            for session in self._sessions:
                session.close()
        for stream in streams:
            stream.close()

    def _require_open(self) -> None:
        if self._is_closed:
            raise RuntimeError("This client is closed.")
