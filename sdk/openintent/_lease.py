"""`with client.lease(…)`: a lease that is acquired, kept and released by itself (protocol K-5)."""

import logging
import threading
from collections.abc import Generator
from datetime import timedelta
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Literal

from .errors import ConnectionFailedError, LeaseConflictError, OpenIntentError, ServerError
from .models import Lease
from .resources._helpers import Id, as_id
from .validation import validate_lease_acquire

if TYPE_CHECKING:
    from .client import OpenIntentClient

LOOK_EVERY = 0.5
"""Seconds between two tries to acquire a scope that is taken. Nothing tells that it was released early."""

log = logging.getLogger("openintent")


class Plan:
    """What both kinds of block have in common: what is asked for, how long to wait for it, and when to renew it."""

    def __init__(self, intent_id: Id, scope: str, duration_seconds: int, wait: float) -> None:
        """Raises InputValidationError."""
        validate_lease_acquire(scope, duration_seconds)
        self.intent_id = as_id(intent_id)
        self.scope = scope
        self.duration_seconds = duration_seconds
        self.wait = wait

    @property
    def renew_every(self) -> float:
        """Seconds. Two renewals may fail before the lease runs out."""
        return self.duration_seconds / 3

    def pauses(self) -> Generator[float]:
        """How long to pause before each further try; ends when waiting is over."""
        until = monotonic() + self.wait
        while (left := until - monotonic()) > 0:
            yield min(LOOK_EVERY, left)

    def is_new(self, lease: Lease) -> bool:
        """Whether this block acquired it. One that the agent held before has its time counted anew since it began."""
        return lease.expires_at - lease.acquired_at == timedelta(seconds=self.duration_seconds)


def unreleased(lease: Lease, error: OpenIntentError) -> None:
    log.warning("The lease on %r could not be released, and ends at %s: %s", lease.scope, lease.expires_at, error)


def unrenewed(lease: Lease, error: OpenIntentError) -> bool:
    """Say that a lease could not be renewed. Answers whether trying again makes sense."""
    log.warning("The lease on %r could not be renewed: %s", lease.scope, error)
    return isinstance(error, (ConnectionFailedError, ServerError))


class HeldLease:
    """A lease on `scope` while the block runs. Made by `client.lease(…)`."""

    def __init__(self, client: "OpenIntentClient", plan: Plan) -> None:
        self._client = client
        self._plan = plan
        self._ending = threading.Event()

    def __enter__(self) -> Lease:
        self._lease = self._acquire()
        self._renewing = threading.Thread(target=self._renew, name=f"lease {self._plan.scope}", daemon=True)
        self._renewing.start()
        return self._lease

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        self._ending.set()
        self._renewing.join()
        if self._plan.is_new(self._lease):
            try:
                self._client.release_lease(self._plan.intent_id, self._lease.id)
            except OpenIntentError as failure:  # It ends by itself, and the block's own error is not to be hidden.
                unreleased(self._lease, failure)
        return False

    def _acquire(self) -> Lease:
        pauses = self._plan.pauses()
        while True:
            try:
                return self._client.acquire_lease(self._plan.intent_id, self._plan.scope, self._plan.duration_seconds)
            except LeaseConflictError:
                pause = next(pauses, None)
                if pause is None:
                    raise
            self._ending.wait(pause)

    def _renew(self) -> None:
        while not self._ending.wait(self._plan.renew_every):
            try:
                self._client.renew_lease(self._plan.intent_id, self._lease.id, self._plan.duration_seconds)
            except OpenIntentError as error:
                if not unrenewed(self._lease, error):
                    return
