"""Representation of leases in responses and errors."""

from typing import Any

from core.encoding import identifier, instant
from leasing.models import Lease


def lease_body(lease: Lease) -> dict[str, Any]:
    """Return the lease by its status: an overdue one is active until it is marked expired (rule E-8)."""
    return {
        "id": identifier(lease.pk),
        "intent_id": identifier(lease.intent_id),
        "agent_id": lease.agent_id,
        "scope": lease.scope,
        "status": str(lease.status),
        "fencing_token": lease.fencing_token,
        "acquired_at": instant(lease.acquired_at),
        "expires_at": instant(lease.expires_at),
        "released_at": instant(lease.released_at),
    }
