"""Errors of leases."""

from typing import Any

from core.errors import ObjectNotFound, ProtocolError


class LeaseNotFound(ObjectNotFound):
    message = "The intent has no lease with the id"


class LeasePlaceNotFound(ObjectNotFound):
    message = "The intent's queue for leases has no place with the id"


class LeaseConflict(ProtocolError):
    """Another agent holds a lease on this part of the intent (rules L-1, L-3): `existing_lease`. Wait until it is released or expires (`expires_at`), work on another part, or ask an arbiter to revoke it."""

    code, title, status = "lease_conflict", "Lease conflict", 409

    def __init__(self, lease: dict[str, Any]) -> None:
        super().__init__(f"{lease['agent_id']} holds {lease['scope']!r} until {lease['expires_at']}.", existing_lease=lease)


class LeaseLost(ProtocolError):
    """The write came with the fencing token of a lease that is no longer active, or never was the caller's (rule L-4). Another agent may be working there: acquire the lease again, read the intent again, and check whether the write still makes sense."""

    code, title, status = "lease_lost", "Lease lost", 409

    def __init__(self, token: int, agent_id: str) -> None:
        super().__init__(f"{agent_id} holds no active lease with the fencing token {token}.", fencing_token=token)


class TooManyLeases(ProtocolError):
    """An agent has no more than 200 active leases on one intent (rule L-8). Release some, or lease a scope that contains several: `content` covers `content.draft`."""

    code, title, status = "too_many_leases", "Too many leases", 409

    def __init__(self, agent_id: str, limit: int) -> None:
        super().__init__(f"{agent_id} holds {limit} active leases on this intent, which is the limit.", limit=limit)


class LeaseExpired(ProtocolError):
    """The lease is no longer active, so it cannot be renewed (rule L-5). Acquire it again."""

    code, title, status = "lease_expired", "Lease expired", 409

    def __init__(self, scope: str, status: str) -> None:
        super().__init__(f"The lease on {scope!r} is {status}. Acquire it again.")


class NotLeaseHolder(ProtocolError):
    """Only the agent that holds a lease renews or releases it (rule L-5). An arbiter or operator can revoke it."""

    code, title, status = "not_lease_holder", "Not the holder of the lease", 403

    def __init__(self, holder: str, agent_id: str) -> None:
        super().__init__(f"The lease is held by {holder}, not by {agent_id}.")
