"""Leases: exclusive, temporary ownership of a scope of an intent (RFC-0003)."""

from .._call import Call, list_call
from .._lease import HeldLease, acquire_call, join_queue_call, leave_queue_call, release_call, renew_call
from .._parameters import Id, path, without_none
from ..enums import LeaseStatus
from ..models import Lease, LeasePlace
from ..validation import validate_lease_revoke
from ._transport import Transport


class LeaseResource(Transport):
    """/intents/{id}/leases and /leases (RFC-0003).

    From `acquire_lease` to `release_lease` a client sends the lease's fencing token with its writes to the intent: once the
    lease is lost, they fail with LeaseConflictError `lease_lost` instead of overwriting the next holder's work (L-4), in all of
    its threads, until it acquires the scope again or releases the lease.
    """

    def acquire_lease(
        self,
        intent_id: Id,
        scope: str,
        duration_seconds: int = 300,
        *,
        idempotency_key: str | None = None,
    ) -> Lease:
        """Acquire a lease on `scope`, such as `content.draft` or `file:src/app.py`, for 1 to 86,400 seconds.

        Others cannot acquire scopes that overlap it: `content` and `content.draft` do, and so do `file:src` and `file:src/app.py`.
        If the agent holds the scope already, the same lease is returned, extended if it would end earlier.

        Raises LeaseConflictError `lease_conflict` (`existing_lease`), ConflictError `intent_closed`, NotFoundError,
        InputValidationError.
        """
        return self.send(acquire_call(intent_id, scope, duration_seconds, idempotency_key))

    def lease(self, intent_id: Id, scope: str, duration_seconds: int = 300, *, wait: float = 0) -> HeldLease:
        """Hold a lease on `scope` during a `with` block: `with client.lease(intent.id, "content.draft") as lease:` (protocol K-5).

        The lease is renewed in the background and released at the end of the block, also after an error. One that the agent
        held before the block stays held, and is not shortened. Blocks on one scope, in one another or in several threads, share the
        lease: the last one that ends releases it. If another agent holds the scope, entering the block waits up to `wait` seconds in its queue.
        Once the lease is lost, every write to the intent within the block raises LeaseConflictError.

        Raises InputValidationError at once; on entering the block, what `acquire_lease` raises.
        """
        return HeldLease(self, intent_id, scope, duration_seconds, wait)

    def join_lease_queue(
        self,
        intent_id: Id,
        scope: str,
        duration_seconds: int = 300,
        *,
        idempotency_key: str | None = None,
    ) -> LeasePlace:
        """Acquire a lease on `scope`, or take a place in its queue: a scope is handed over to the first that waits for it.

        Ask again every second until the result has a `lease`: after 5 seconds the place is lost. `lease(…, wait=)` does that.

        Raises LeaseConflictError `lease_conflict` if the queue is full, ConflictError `intent_closed`, NotFoundError,
        InputValidationError.
        """
        return self.send(join_queue_call(intent_id, scope, duration_seconds, idempotency_key))

    def leave_lease_queue(self, intent_id: Id, place_id: Id) -> None:
        """Give up a place in the queue, and the lease if it was granted meanwhile. Idempotent.

        Raises PermissionDeniedError `not_lease_holder`, NotFoundError.
        """
        return self.send(leave_queue_call(intent_id, place_id))

    def renew_lease(self, intent_id: Id, lease_id: Id, duration_seconds: int = 300) -> Lease:
        """Renew the lease: it then expires `duration_seconds` from now.

        Raises LeaseConflictError `lease_expired`, PermissionDeniedError `not_lease_holder`, NotFoundError.
        """
        return self.send(renew_call(intent_id, lease_id, duration_seconds))

    def release_lease(self, intent_id: Id, lease_id: Id) -> None:
        """Release the lease. Idempotent.

        Raises PermissionDeniedError `not_lease_holder`, NotFoundError.
        """
        return self.send(release_call(intent_id, lease_id))

    def revoke_lease(self, intent_id: Id, lease_id: Id, reason: str | None = None) -> Lease:
        """Revoke another agent's lease. For arbiters and operators.

        Raises InputValidationError, PermissionDeniedError, NotFoundError.
        """
        validate_lease_revoke(reason)
        return self.send(
            Call(
                "POST",
                path("intents", intent_id, "leases", lease_id, "revoke"),
                Lease.from_json,
                json=without_none(reason=reason),
            )
        )

    def get_leases(
        self, intent_id: Id, *, status: LeaseStatus | str | None = LeaseStatus.ACTIVE, limit: int | None = None
    ) -> list[Lease]:
        """Return the intent's active leases; those with another `status`, or None for all. Raises NotFoundError."""
        return self.send(list_call(path("intents", intent_id, "leases"), "leases", Lease, limit=limit, status=status))

    def list_leases(
        self,
        *,
        agent_id: str | None = None,
        status: LeaseStatus | str | None = LeaseStatus.ACTIVE,
        limit: int | None = None,
    ) -> list[Lease]:
        """Return the active leases of all intents, or of one agent; those with another `status`, or None for all."""
        return self.send(list_call(path("leases"), "leases", Lease, limit=limit, agent_id=agent_id, status=status))
