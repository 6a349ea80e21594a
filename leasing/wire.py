"""A lease as the API shows it, in answers and in refusals."""

from datetime import datetime
from typing import Any

from config.wire import identifier, instant
from leasing.models import Lease, Status


def lease_body(lease: Lease, now: datetime) -> dict[str, Any]:
    """As of `now`: a lease that has run out is expired, whether it is marked so already or not (rule L-2)."""
    ran_out = lease.status == Status.ACTIVE and lease.expires_at <= now
    return {
        "id": identifier(lease.pk),
        "intent_id": identifier(lease.intent_id),
        "agent_id": lease.agent_id,
        "scope": lease.scope,
        "status": str(Status.EXPIRED if ran_out else lease.status),
        "fencing_token": lease.fencing_token,
        "acquired_at": instant(lease.acquired_at),
        "expires_at": instant(lease.expires_at),
        "released_at": instant(lease.released_at),
    }
