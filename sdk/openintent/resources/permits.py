"""Permits and gates (protocol §9): the right to do one act once, and what needs one."""

from collections.abc import Mapping, Sequence
from typing import Any

from .._call import Call, list_call, no_content
from .._parameters import Id, as_optional_id, path, without_none
from ..enums import PermitOutcome, PermitStatus
from ..models import Gate, Permit
from ..validation import validate_gate, validate_outcome, validate_permit_reason, validate_terms
from ._transport import Transport
from .governance import NewAction


class PermitResource(Transport):
    """/intents/{id}/permits, /permits and /gates (protocol §9)."""

    def get_permits(self, intent_id: Id, *, status: PermitStatus | str | None = None, limit: int | None = None) -> list[Permit]:
        """Return the permits of the intent, or those with a status, the oldest first. Raises NotFoundError."""
        return self.send(list_call(path("intents", intent_id, "permits"), "permits", Permit, limit=limit, status=status))

    def get_permit(self, permit_id: Id) -> Permit:
        """Return a permit. Raises NotFoundError."""
        return self.send(Call("GET", path("permits", permit_id), Permit.from_json))

    def spend_permit(self, permit_id: Id, action: NewAction, *, idempotency_key: str | None = None) -> Permit:
        """Spend the permit, immediately before the act, which must be exactly what was approved (A-9, A-10).

        Raises PermissionDeniedError (`permit_mismatch`), ConflictError (`permit_spent`, `permit_expired`, `permit_revoked`,
        `permit_stale`), NotFoundError.
        """
        validate_terms(action)
        return self.send(
            Call(
                "POST",
                path("permits", permit_id, "spend"),
                Permit.from_json,
                json={"action": action},
                idempotency_key=idempotency_key,
            )
        )

    def record_outcome(
        self, permit_id: Id, outcome: PermitOutcome | str, note: str | None = None, *, idempotency_key: str | None = None
    ) -> Permit:
        """Record what came of the act: `succeeded`, `failed` (the effect did not happen) or `unknown`, which may be settled later (A-15).

        Raises InputValidationError, ConflictError (`permit_not_spent`, `outcome_recorded`), NotFoundError.
        """
        validate_outcome(outcome, note)
        return self.send(
            Call(
                "POST",
                path("permits", permit_id, "outcome"),
                Permit.from_json,
                json=without_none(outcome=outcome, note=note),
                idempotency_key=idempotency_key,
            )
        )

    def revoke_permit(self, permit_id: Id, reason: str | None = None, *, idempotency_key: str | None = None) -> Permit:
        """End a live permit: the agent that asked, arbiters and operators may. Raises ConflictError `permit_spent`, NotFoundError."""
        validate_permit_reason(reason)
        return self.send(
            Call(
                "POST",
                path("permits", permit_id, "revoke"),
                Permit.from_json,
                json=without_none(reason=reason),
                idempotency_key=idempotency_key,
            )
        )

    def set_gate(
        self,
        verb: str,
        *,
        intent_id: Id | None = None,
        portfolio_id: Id | None = None,
        when: Mapping[str, Any] | None = None,
        quorum: int | None = None,
        deciders: Sequence[str] | None = None,
        permit_seconds: int | None = None,
        idempotency_key: str | None = None,
    ) -> Gate:
        """Let an operation of the API, or an act outside, need a permit: on an intent, on a portfolio's members, or everywhere (A-12).

        For operators. Raises InputValidationError, ValidationError, PermissionDeniedError.
        """
        validate_gate(verb, quorum=quorum, permit_seconds=permit_seconds)
        return self.send(
            Call(
                "POST",
                path("gates"),
                Gate.from_json,
                json=without_none(
                    verb=verb,
                    intent_id=as_optional_id(intent_id),
                    portfolio_id=as_optional_id(portfolio_id),
                    when=when,
                    quorum=quorum,
                    deciders=deciders,
                    permit_seconds=permit_seconds,
                ),
                idempotency_key=idempotency_key,
            )
        )

    def list_gates(self, *, limit: int | None = None) -> list[Gate]:
        """Return the gates, the oldest first."""
        return self.send(list_call(path("gates"), "gates", Gate, limit=limit))

    def remove_gate(self, gate_id: Id) -> None:
        """Remove a gate. For operators. Idempotent. Raises NotFoundError, PermissionDeniedError."""
        return self.send(Call("DELETE", path("gates", gate_id), no_content))
