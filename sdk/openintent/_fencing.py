"""The fencing tokens of the leases that a client holds (protocol L-4)."""

import re
import threading

from .models import Lease

_WRITE = re.compile(r"/api/v1/intents/([^/]+)(?!/leases)(?:/|$)")


class Tokens:
    """What a client sends as X-Fencing-Token: for each intent, the token of the lease that it acquired last and still holds.

    A lease is held until the client releases it, or a write says that it is lost. That a lease has run out is for the server
    to say: a client that was stalled for too long must not write as if nothing had happened.
    """

    def __init__(self) -> None:
        self._held: dict[str, list[Lease]] = {}
        self._changing = threading.Lock()

    def hold(self, lease: Lease) -> None:
        """Send this lease's token from now on."""
        with self._changing:
            others = [each for each in self._held.get(lease.intent_id, []) if each.id != lease.id]
            self._held[lease.intent_id] = [*others, lease]

    def let_go(self, intent_id: str, *, lease_id: str | None = None, token: int | None = None) -> None:
        """Send the token of this lease no more."""
        with self._changing:
            left = [each for each in self._held.get(intent_id, []) if lease_id != each.id and token != each.fencing_token]
            if left:
                self._held[intent_id] = left
            else:
                self._held.pop(intent_id, None)

    def of(self, method: str, path: str) -> tuple[str, int] | None:
        """For a write to an intent with a lease: the intent's id, and the token to send."""
        if method == "GET" or not self._held:
            return None
        match = _WRITE.match(path)
        leases = self._held.get(match[1]) if match else None
        return (leases[-1].intent_id, leases[-1].fencing_token) if leases else None
