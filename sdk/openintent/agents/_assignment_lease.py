"""The lease under which an assignment is handled: kept while it lasts, and the only one under which anything is written."""

import logging
import threading
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from .._base_client import ClientBase
from .._fencing import Tokens
from ..client import OpenIntentClient
from ..enums import LeaseStatus
from ..errors import ConflictError, LeaseConflictError, NotFoundError, OpenIntentError, PermissionDeniedError
from ..models import Lease

C = TypeVar("C", bound=ClientBase)

log = logging.getLogger("openintent.agents")


class Fenced(Tokens):
    """The tokens of a client that writes to one intent under one lease, also once that is lost: then its writes all fail."""

    def __init__(self, lease: Lease) -> None:
        super().__init__()
        self._intent_id = lease.intent_id
        self.renew_with(lease)

    def renew_with(self, lease: Lease) -> None:
        """Write under this lease from now on."""
        super().hold(lease)  # The last one counts.

    def hold(self, lease: Lease) -> None:
        if lease.intent_id != self._intent_id:
            super().hold(lease)

    def let_go(self, intent_id: str, *, lease_id: str | None = None, token: int | None = None) -> None:
        if intent_id != self._intent_id:
            super().let_go(intent_id, lease_id=lease_id, token=token)


class Unfenced(Tokens):
    """The tokens of a client that takes and gives back leases, and writes under none."""

    def hold(self, lease: Lease) -> None:
        """Forget it."""


def sharing(client: C, tokens: Tokens) -> C:
    """The same client, its connections included, that sends other fencing tokens."""
    other = copy(client)
    other._peer = replace(client._peer, tokens=tokens)
    return other


def is_new(lease: Lease, seconds: int) -> bool:
    """Whether acquiring it has made it. One that the agent held already, in this process or another, counts from now on."""
    return lease.expires_at - lease.acquired_at == timedelta(seconds=seconds)


class Hold:
    """A lease that was just acquired, renewed until the block ends, and then released."""

    def __init__(self, client: OpenIntentClient, lease: Lease, seconds: int) -> None:
        self.lease = lease
        self.tokens = Fenced(lease)
        self._client = client
        self._seconds = seconds
        self._lost: str | None = None
        self._then: Callable[[str], None] = log.debug
        self._is_over = False
        self._renewing = threading.Lock()
        self._wake = threading.Event()

    def __enter__(self) -> "Hold":
        threading.Thread(target=self._keep, name=f"lease on {self.lease.intent_id}", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def on_lost(self, call: Callable[[str], None]) -> None:
        """Have this called when it is over before the block is: it was revoked, or it ran out and another one came in between."""
        self._then = call
        if self._lost:
            call(self._lost)

    def renew(self) -> bool:
        """Answers whether it is held, as far as can be known. Raises OpenIntentError where the server cannot be asked now."""
        with self._renewing:
            if self._is_over:
                return False
            try:
                self._client.renew_lease(self.lease.intent_id, self.lease.id, self._seconds)
            except LeaseConflictError:
                return self._regain() or self._lose("its lease was lost")
            except (NotFoundError, PermissionDeniedError) as error:
                return self._lose(f"its lease was lost ({error})")
            return True

    def renew_soon(self) -> None:
        """Have it renewed now, and not in its time: there is reason to think that it has run out."""
        self._wake.set()

    def release(self) -> None:
        """Give it back, unless it is over. Where the server cannot be reached, it runs out by itself."""
        if self._end():
            self._give_back(self.lease)

    def take_away(self, reason: str) -> None:
        """Take note that it is over: the server has said so."""
        self._lose(reason)

    def _keep(self) -> None:
        while not self._is_over:
            self._wake.wait(self._seconds / 3)
            self._wake.clear()
            try:
                if not self._is_over:
                    self.renew()
            except OpenIntentError as error:
                log.warning("The lease on %s could not be renewed: %s", self.lease.intent_id, error)

    def _regain(self) -> bool:
        """Go on under a new lease where the old one has just run out, and the intent has had no other since."""
        known = self._client.get_leases(self.lease.intent_id, status=LeaseStatus.EXPIRED)
        if self.lease.id not in {each.id for each in known}:
            return False
        try:
            lease = self._client.acquire_lease(self.lease.intent_id, self.lease.scope, self._seconds)
        except (ConflictError, LeaseConflictError, NotFoundError, PermissionDeniedError):
            return False
        if not is_new(lease, self._seconds):  # Another process of this agent has it.
            return False
        if self._is_over or lease.fencing_token != self.lease.fencing_token + 1:
            self._give_back(lease)
            return False
        self.lease = lease
        self.tokens.renew_with(lease)
        return True

    def _give_back(self, lease: Lease) -> None:
        try:
            self._client.release_lease(lease.intent_id, lease.id)
        except OpenIntentError as error:
            log.debug("The lease on %s could not be released: %s", lease.intent_id, error)

    def _lose(self, reason: str) -> bool:
        if self._end():
            self._lost = reason
            self._then(reason)
        return False

    def _end(self) -> bool:
        """Answers whether that is new."""
        was_over, self._is_over = self._is_over, True
        self._wake.set()
        return not was_over
