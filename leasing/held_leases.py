"""Active leases of an intent, repeated in its row while they are few.

Who locks the intent has them with it: a write under a lease takes no more queries than one without. The caller holds the
intent's row lock.
"""

from datetime import datetime
from typing import NamedTuple

from core.encoding import instant
from intents.models import Intent
from leasing.models import Holding, Lease

REPEATED = 10
"""Leases that an intent's row repeats at most."""


class _Repeated(NamedTuple):
    fencing_token: int
    agent_id: str
    principal: str
    scope: str
    expires_at: str


class HeldLease(Holding, _Repeated):
    """Lease as the guards need it. `expires_at` is in the form of the protocol, in which times sort as texts."""

    @classmethod
    def of(cls, lease: Lease) -> "HeldLease":
        return cls(lease.fencing_token, lease.agent_id, lease.principal, lease.scope, instant(lease.expires_at))


def repeat(intent: Intent, lease: Lease, *, more: int) -> None:
    """Change the intent's number of active leases by `more`, and repeat the lease as it is now, or no longer once it has ended.

    The caller saves both fields of the row.
    """
    is_complete = _is_complete(intent)
    others = [each for each in intent.held_leases or () if each[0] != lease.fencing_token]
    now = others if more < 0 else sorted([*others, [*HeldLease.of(lease)]])
    intent.active_leases += more
    intent.held_leases = now if now and is_complete and len(now) <= REPEATED else None


def repeated(intent: Intent, now: datetime | None = None) -> list[HeldLease] | None:
    """Return the intent's active leases, with `now` without those that are overdue, in the order of their tokens.

    None if its row does not repeat them.
    """
    if not _is_complete(intent):
        return None
    at = "" if now is None else instant(now)
    return [held for each in intent.held_leases or () if (held := HeldLease(*each)).expires_at > at]


def _is_complete(intent: Intent) -> bool:
    """Return whether the row repeats all active leases. If they were too many, it does so again after the last has ended."""
    return len(intent.held_leases or ()) == intent.active_leases
