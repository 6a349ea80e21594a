"""Fencing tokens of the leases that a client holds (protocol L-4, K-9)."""

import re
import threading

from ._forks import reset_in_children
from .models import Lease

_WRITE = re.compile(r"/api/v1/intents/([^/]+)(?!/leases)(?:/|$)")


class FencingTokens:
    """Leases of one client by intent and scope, for all its threads, and the token to send with a write to an intent.

    A lease is held until the client releases it or acquires its scope again. One that is known to be lost goes before the others,
    so that every write to its intent is refused by the server until then: none goes out unfenced. Else it is the lease acquired
    last. Only the server decides that a lease has expired: a client that was stalled must not write as if nothing had happened.
    """

    def __init__(self) -> None:
        self._held: dict[str, dict[str, Lease]] = {}
        self._lost: set[str] = set()
        self.reset_after_fork()
        reset_in_children(self)

    def reset_after_fork(self) -> None:
        self._lock = threading.Lock()

    def add(self, lease: Lease) -> None:
        """Send this lease's token from now on."""
        with self._lock:
            held = dict(self._held.get(lease.intent_id, {}))
            if before := held.pop(lease.scope, None):
                self._lost.discard(before.id)
            self._held[lease.intent_id] = {**held, lease.scope: lease}

    def remove(self, intent_id: str, *, lease_id: str) -> None:
        """Stop sending the token of this lease. Idempotent."""
        with self._lock:
            self._lost.discard(lease_id)
            left = {scope: each for scope, each in self._held.pop(intent_id, {}).items() if each.id != lease_id}
            if left:
                self._held[intent_id] = left

    def holds(self, intent_id: str, scope: str) -> bool:
        """Return whether the client holds a lease on exactly this scope."""
        return scope in self._held.get(intent_id, {})

    def mark_lost(self, intent_id: str, token: int) -> None:
        """Note that the lease with this token is lost, for all threads."""
        with self._lock:
            self._lost |= {each.id for each in self._held.get(intent_id, {}).values() if each.fencing_token == token}

    def find(self, method: str, path: str) -> tuple[str, int] | None:
        """Return the intent's id and the token to send with this request; None if it writes to no leased intent."""
        if method == "GET" or not self._held:
            return None
        match = _WRITE.match(path)
        held = self._held.get(match[1].lower()) if match else None
        if not held:
            return None
        leases = list(held.values())
        lease = next((each for each in leases if each.id in self._lost), leases[-1])
        return lease.intent_id, lease.fencing_token
