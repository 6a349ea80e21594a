"""Leases: exclusive, temporary ownership of a scope of an intent (RFC-0003)."""

from .._endpoint import Call, endpoint
from ..enums import LeaseStatus
from ..models import Lease
from ..validation import validate_lease_acquire, validate_lease_renew, validate_lease_revoke
from ._helpers import Id, as_id, list_call, no_content, path, without_none


class LeaseResource:
    """/intents/{id}/leases and /leases (RFC-0003).

    From `acquire_lease` to `release_lease` a client sends the lease's fencing token with its writes to the intent: once the
    lease is lost, they fail with LeaseConflictError `lease_lost` instead of overwriting the next holder's work (L-4).
    """

    @endpoint
    def acquire_lease(
        self,
        intent_id: Id,
        scope: str,
        duration_seconds: int = 300,
        *,
        idempotency_key: str | None = None,
    ) -> Call[Lease]:
        """Acquire a lease on `scope`, such as `content.draft`, for 1 to 86,400 seconds. Overlapping scopes are excluded for others.

        If the agent holds the scope already, the same lease is returned, extended if it would end earlier.

        Raises LeaseConflictError `lease_conflict` (`existing_lease`), ConflictError `intent_closed`, NotFoundError,
        InputValidationError.
        """
        validate_lease_acquire(scope, duration_seconds)
        return Call(
            method="POST",
            path=path("intents", intent_id, "leases"),
            json={"scope": scope, "duration_seconds": duration_seconds},
            parse=Lease.from_json,
            idempotency_key=idempotency_key,
            on_success=lambda lease, tokens: tokens.add(lease),
        )

    @endpoint
    def renew_lease(self, intent_id: Id, lease_id: Id, duration_seconds: int = 300) -> Call[Lease]:
        """Renew the lease: it then expires `duration_seconds` from now.

        Raises LeaseConflictError `lease_expired`, PermissionDeniedError `not_lease_holder`, NotFoundError.
        """
        validate_lease_renew(duration_seconds)
        return Call(
            method="PATCH",
            path=path("intents", intent_id, "leases", lease_id),
            json={"duration_seconds": duration_seconds},
            parse=Lease.from_json,
        )

    @endpoint
    def release_lease(self, intent_id: Id, lease_id: Id) -> Call[None]:
        """Release the lease. Idempotent.

        Raises PermissionDeniedError `not_lease_holder`, NotFoundError.
        """
        return Call(
            method="DELETE",
            path=path("intents", intent_id, "leases", lease_id),
            parse=no_content,
            on_success=lambda _, tokens: tokens.remove(as_id(intent_id), lease_id=as_id(lease_id)),
        )

    @endpoint
    def revoke_lease(self, intent_id: Id, lease_id: Id, reason: str | None = None) -> Call[Lease]:
        """Revoke another agent's lease. For arbiters and operators.

        Raises InputValidationError, PermissionDeniedError, NotFoundError.
        """
        validate_lease_revoke(reason)
        return Call(
            method="POST",
            path=path("intents", intent_id, "leases", lease_id, "revoke"),
            json=without_none(reason=reason),
            parse=Lease.from_json,
        )

    @endpoint
    def get_leases(
        self, intent_id: Id, *, status: LeaseStatus | str | None = LeaseStatus.ACTIVE, limit: int | None = None
    ) -> Call[list[Lease]]:
        """Return the intent's active leases; those with another `status`, or None for all. Raises NotFoundError."""
        return list_call(path("intents", intent_id, "leases"), "leases", Lease, limit=limit, status=status)

    @endpoint
    def list_leases(
        self,
        *,
        agent_id: str | None = None,
        status: LeaseStatus | str | None = LeaseStatus.ACTIVE,
        limit: int | None = None,
    ) -> Call[list[Lease]]:
        """Return the active leases of all intents, or of one agent; those with another `status`, or None for all."""
        return list_call(path("leases"), "leases", Lease, limit=limit, agent_id=agent_id, status=status)
