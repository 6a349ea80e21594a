"""Assignment leases: renewed while an assignment is handled, and required for everything that is written."""

import logging
import threading
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from typing import TypeVar

from .._base_client import ClientBase
from .._fencing_tokens import FencingTokens
from .._lease import LOST, Renewal, is_new
from ..client import OpenIntentClient
from ..enums import EventType, LeaseStatus
from ..errors import ConflictError, LeaseConflictError, NotFoundError, OpenIntentError, PermissionDeniedError
from ..models import Lease
from ._queries import FINAL

C = TypeVar("C", bound=ClientBase)

RELEASE_TIMEOUT = 3.0
"""Seconds for which a release waits for the server at most, twice: whoever stops an agent does not want to wait longer."""

log = logging.getLogger("openintent.agents")


class PinnedToken(FencingTokens):
    """Tokens of a client that writes to one intent under one lease, even after that is lost: then all its writes fail."""

    def __init__(self, lease: Lease) -> None:
        super().__init__()
        self._intent_id = lease.intent_id
        self.pin(lease)

    def pin(self, lease: Lease) -> None:
        """Write under this lease from now on."""
        super().add(lease)  # The latest one counts.

    def add(self, lease: Lease) -> None:
        if lease.intent_id != self._intent_id:
            super().add(lease)

    def remove(self, intent_id: str, *, lease_id: str) -> None:
        if intent_id != self._intent_id:
            super().remove(intent_id, lease_id=lease_id)


class NoTokens(FencingTokens):
    """Tokens of a client that acquires and releases leases, and writes under none."""

    def add(self, lease: Lease) -> None:
        """Ignore the lease."""


def with_tokens(client: C, tokens: FencingTokens) -> C:
    """Return a client that shares this one's connections and sends other fencing tokens."""
    other = copy(client)
    other._server = replace(client._server, tokens=tokens)
    return other


def _with_limits(client: C, *, timeout: float, max_tries: int) -> C:
    """Return a client that shares this one's connections and gives up sooner."""
    other = copy(client)
    other._timeout = min(timeout, client._timeout)
    other._server = replace(client._server, retries=replace(client._server.retries, max_tries=max_tries))
    return other


class AssignmentLease:
    """A lease that was just acquired, renewed until the block ends, and then released.

    client     a client that writes under no lease
    is_closed  whether the lease has ended because the holder itself has closed the intent
    """

    def __init__(self, client: OpenIntentClient, lease: Lease, seconds: int) -> None:
        self.lease = lease
        self.tokens = PinnedToken(lease)
        self.client = client
        self._hurried = _with_limits(client, timeout=RELEASE_TIMEOUT, max_tries=2)
        self.is_closed = False
        self._seconds = seconds
        self._renewal = Renewal(seconds)
        self._lost: str | None = None
        self._on_lost: Callable[[str], None] = log.debug
        self._has_ended = False
        self._renewal_lock = threading.Lock()
        self._wake = threading.Event()

    def __enter__(self) -> "AssignmentLease":
        threading.Thread(target=self._renew_periodically, name=f"lease on {self.lease.intent_id}", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def on_lost(self, callback: Callable[[str], None]) -> None:
        """Call `callback` with a reason if the lease is lost before the block ends: revoked, or expired and acquired by another."""
        self._on_lost = callback
        if self._lost:
            callback(self._lost)

    def renew(self) -> bool:
        """Renew the lease. Return whether it is held, or needed no more. Raise OpenIntentError if the server does not answer."""
        with self._renewal_lock:
            if self._has_ended:
                return self.is_closed
            call, seconds = self._renewal.call(self.lease, self._seconds)
            try:
                self.client.send(call)
            except LeaseConflictError:
                return self._reacquire() or self._end_closed() or self.mark_lost("its lease was lost")
            except LOST as error:
                return self.mark_lost(f"its lease was lost ({error})")
            self._renewal.mark_renewed(seconds)
            return True

    def renew_soon(self) -> None:
        """Renew now instead of at the next interval, as the lease has probably expired."""
        self._wake.set()

    def release(self) -> None:
        """Release the lease unless it has ended. If the server cannot be reached, it expires."""
        if self._mark_ended():
            self._release(self.lease)

    def mark_lost(self, reason: str) -> bool:
        """Note that the lease is lost, and call the callback. Return False. Idempotent."""
        if self._mark_ended():
            self._lost = reason
            self._on_lost(reason)
        return False

    def _renew_periodically(self) -> None:
        while not self._has_ended:
            self._wake.wait(self._renewal.pause(self._seconds))
            self._wake.clear()
            try:
                if not self._has_ended:
                    self.renew()
            except OpenIntentError as error:
                self._renewal.mark_failed(self.lease.scope, error)

    def _reacquire(self) -> bool:
        """Continue under a new lease if the old one has just expired and the intent has had no other since."""
        expired = self.client.get_leases(self.lease.intent_id, status=LeaseStatus.EXPIRED)
        if self.lease.id not in {each.id for each in expired}:
            return False
        try:
            lease = self.client.acquire_lease(self.lease.intent_id, self.lease.scope, self._seconds)
        except (ConflictError, LeaseConflictError, NotFoundError, PermissionDeniedError):
            return False
        if not is_new(lease, self._seconds):  # Another process of this agent holds it.
            return False
        if self._has_ended or lease.fencing_token != self.lease.fencing_token + 1:
            self._release(lease)
            return False
        self.lease = lease
        self.tokens.pin(lease)
        self._renewal.mark_renewed(self._seconds)
        return True

    def _end_closed(self) -> bool:
        """End the lease, without calling that a loss, if its holder has closed the intent. Return whether it has."""
        changes = self.client.get_events(self.lease.intent_id, event_type=EventType.STATUS_CHANGED, order="desc", limit=1)
        if changes and changes[0].actor == self.lease.agent_id and changes[0].payload.get("to") in FINAL:
            self.is_closed = True
            self._mark_ended()
        return self.is_closed

    def _release(self, lease: Lease) -> None:
        try:
            self._hurried.release_lease(lease.intent_id, lease.id)
        except OpenIntentError as error:
            log.debug("The lease on %s could not be released: %s", lease.intent_id, error)

    def _mark_ended(self) -> bool:
        """Return whether the lease had not ended before."""
        had_ended, self._has_ended = self._has_ended, True
        self._wake.set()
        return not had_ended
