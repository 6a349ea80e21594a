"""Lease blocks: `with client.lease(…)` acquires, renews and releases a lease (protocol K-5)."""

import logging
import threading
from collections.abc import Generator
from datetime import timedelta
from time import monotonic
from types import TracebackType
from typing import Literal, Protocol

from ._parameters import Id, as_id
from .errors import ConnectionFailedError, LeaseConflictError, OpenIntentError, ServerError
from .models import Lease
from .validation import validate_lease_acquire

POLL_INTERVAL = 0.5
"""Seconds between two tries to acquire a scope that is taken: there is no notification of an early release."""

log = logging.getLogger("openintent")


class LeaseRequest:
    """The arguments of a lease block."""

    def __init__(self, intent_id: Id, scope: str, duration_seconds: int, wait: float) -> None:
        """Raise InputValidationError for invalid arguments."""
        validate_lease_acquire(scope, duration_seconds)
        self.intent_id = as_id(intent_id)
        self.scope = scope
        self.duration_seconds = duration_seconds
        self.wait = wait

    @property
    def renew_interval(self) -> float:
        """Seconds between renewals. Two of them may fail before the lease expires."""
        return self.duration_seconds / 3

    def pauses(self) -> Generator[float]:
        """Yield the seconds to pause before each further try, until `wait` is over."""
        until = monotonic() + self.wait
        while (left := until - monotonic()) > 0:
            yield min(POLL_INTERVAL, left)


def is_new(lease: Lease, duration_seconds: int) -> bool:
    """Return whether acquiring it has created it: one that the agent held before runs from its first acquisition."""
    return lease.expires_at - lease.acquired_at == timedelta(seconds=duration_seconds)


def log_release_failure(lease: Lease, error: OpenIntentError) -> None:
    log.warning("The lease on %r could not be released and expires at %s: %s", lease.scope, lease.expires_at, error)


def log_renewal_failure(lease: Lease, error: OpenIntentError) -> bool:
    """Log that a renewal failed. Return whether a retry can succeed."""
    log.warning("The lease on %r could not be renewed: %s", lease.scope, error)
    return isinstance(error, (ConnectionFailedError, ServerError))


class LeaseClient(Protocol):
    """The part of a client that a lease block uses."""

    def acquire_lease(self, intent_id: Id, scope: str, duration_seconds: int, /) -> Lease: ...

    def renew_lease(self, intent_id: Id, lease_id: Id, duration_seconds: int, /) -> Lease: ...

    def release_lease(self, intent_id: Id, lease_id: Id, /) -> None: ...


class HeldLease:
    """A lease on a scope while the block runs, created by `client.lease(…)`."""

    def __init__(self, client: LeaseClient, intent_id: Id, scope: str, duration_seconds: int, wait: float) -> None:
        self._client = client
        self._request = LeaseRequest(intent_id, scope, duration_seconds, wait)
        self._ending = threading.Event()

    def __enter__(self) -> Lease:
        pauses = self._request.pauses()
        while True:
            try:
                self._lease = self._client.acquire_lease(
                    self._request.intent_id, self._request.scope, self._request.duration_seconds
                )
                break
            except LeaseConflictError:
                pause = next(pauses, None)
                if pause is None:
                    raise
            self._ending.wait(pause)
        self._renewal = threading.Thread(target=self._renew, name=f"lease {self._request.scope}", daemon=True)
        self._renewal.start()
        return self._lease

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        self._ending.set()
        self._renewal.join()
        if is_new(self._lease, self._request.duration_seconds):
            try:
                self._client.release_lease(self._lease.intent_id, self._lease.id)
            except OpenIntentError as failure:  # The lease expires, and the block's own error must not be hidden.
                log_release_failure(self._lease, failure)
        return False

    def _renew(self) -> None:
        while not self._ending.wait(self._request.renew_interval):
            try:
                self._client.renew_lease(self._request.intent_id, self._lease.id, self._request.duration_seconds)
            except OpenIntentError as error:
                if not log_renewal_failure(self._lease, error):
                    return
