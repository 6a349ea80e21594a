"""Fencing tokens of the leases that a client holds (protocol L-4)."""

import re
import threading

from .models import Lease

_WRITE = re.compile(r"/api/v1/intents/([^/]+)(?!/leases)(?:/|$)")


class FencingTokens:
    """Leases of one client, and for each intent the token to send: that of the lease acquired last and still held.

    A lease is held until the client releases it, or a write is refused because it is lost. Only the server decides that a
    lease has expired: a client that was stalled for too long must not write as if nothing had happened.
    """

    def __init__(self) -> None:
        self._held: dict[str, list[Lease]] = {}
        self._lock = threading.Lock()

    def add(self, lease: Lease) -> None:
        """Send this lease's token from now on."""
        with self._lock:
            others = [each for each in self._held.get(lease.intent_id, []) if each.id != lease.id]
            self._held[lease.intent_id] = [*others, lease]

    def remove(self, intent_id: str, *, lease_id: str | None = None, token: int | None = None) -> None:
        """Stop sending the token of this lease. Idempotent."""
        with self._lock:
            left = [each for each in self._held.get(intent_id, []) if lease_id != each.id and token != each.fencing_token]
            if left:
                self._held[intent_id] = left
            else:
                self._held.pop(intent_id, None)

    def find(self, method: str, path: str) -> tuple[str, int] | None:
        """Return the intent's id and the token to send with this request; None if it writes to no leased intent."""
        if method == "GET" or not self._held:
            return None
        match = _WRITE.match(path)
        leases = self._held.get(match[1]) if match else None
        return (leases[-1].intent_id, leases[-1].fencing_token) if leases else None
