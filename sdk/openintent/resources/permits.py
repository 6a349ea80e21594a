"""Permits and gates (protocol §9): the right to do one act once, and what needs one."""

from collections.abc import Mapping, Sequence
from typing import Any

from .._call import Call, call_builder, list_call, no_content
from .._parameters import Id, Instant, as_optional_id, path, without_none
from .._permits import OPTIONS, HeldPermit, PermitRequest, permit_flow
from ..enums import PermitOutcome, PermitStatus, Urgency
from ..models import Arbitration, Gate, Permit
from ..validation import validate_gate, validate_outcome, validate_permit_reason, validate_terms
from ._transport import Transport
from .governance import GovernanceResource, NewAction


class PermitResource(Transport):
    """/intents/{id}/permits, /permits and /gates (protocol §9)."""

    def get_permits(self, intent_id: Id, *, status: PermitStatus | str | None = None, limit: int | None = None) -> list[Permit]:
        """Return the permits of the intent, or those with a status, the oldest first. Raises NotFoundError."""
        return self.send(list_call(path("intents", intent_id, "permits"), "permits", Permit, limit=limit, status=status))

    def get_permit(self, permit_id: Id) -> Permit:
        """Return a permit. Raises NotFoundError."""
        return self.send(Call("GET", path("permits", permit_id), Permit.from_json))

    def request_permit(
        self,
        intent_id: Id,
        verb: str,
        target: str,
        params: Mapping[str, Any] | None = None,
        *,
        reason: str,
        effect_key: str | None = None,
        context: Mapping[str, Any] | None = None,
        bind_version: bool | None = None,
        bind_paths: Sequence[str] | None = None,
        permit_seconds: int | None = None,
        quorum: int | None = None,
        blocking: bool | None = None,
        expires_at: Instant | None = None,
        urgency: Urgency | str | None = None,
        idempotency_key: str | None = None,
    ) -> Arbitration:
        """Ask for a permit to do exactly this, once: `wait_for_permit` returns it. People choose between "approve" and "refuse".

        `effect_key` names the effect: no two permits have it at once, whichever agents ask (A-16). The rest is as in
        `request_arbitration`.

        Raises InputValidationError, NotFoundError, ConflictError (`intent_closed`, `effect_taken`), ValidationError.
        """
        request = call_builder(GovernanceResource.request_arbitration)(
            intent_id,
            reason,
            action={"verb": verb, "target": target, "params": params or {}, "effect_key": effect_key},
            options=OPTIONS,
            grants=OPTIONS[:1],
            context=context,
            bind_version=bind_version,
            bind_paths=bind_paths,
            permit_seconds=permit_seconds,
            quorum=quorum,
            blocking=blocking,
            expires_at=expires_at,
            urgency=urgency,
            idempotency_key=idempotency_key,
        )
        return self.send(request)

    def wait_for_permit(self, intent_id: Id, arbitration_id: Id, timeout: float | None = None) -> Permit:
        """Wait until the request for a permit is decided, as `wait_for_decision` does, and return the permit.

        Raises PermitRefusedError, also a PermissionDeniedError, if the decision does not grant it; what `wait_for_decision` raises.
        """

        def read(wait: int) -> Call[Arbitration]:
            return call_builder(GovernanceResource.get_arbitration)(arbitration_id, wait=wait)

        permits = call_builder(PermitResource.get_permits)(intent_id)
        return self._run(permit_flow(read, permits, intent_id, timeout, self._server))

    def permit(
        self,
        intent_id: Id,
        verb: str,
        target: str,
        params: Mapping[str, Any] | None = None,
        *,
        reason: str,
        effect_key: str | None = None,
        timeout: float | None = None,
        **more: Any,
    ) -> HeldPermit:
        """Do an act outside of the server under a permit: `with client.permit(intent.id, "deploy", "shop", reason="…") as permit:`.

        Entering the block asks, waits for at most `timeout` seconds, and spends the permit; leaving it records the outcome: succeeded;
        failed if the block raises NotExecuted; unknown after any other exception. `more` is as in `request_permit`.

        Raises, on entering, what `request_permit`, `wait_for_permit` and `spend_permit` raise.
        """
        action = {"verb": verb, "target": target, "params": params or {}, "effect_key": effect_key}
        asking = call_builder(PermitResource.request_permit)(
            intent_id, verb, target, params, reason=reason, effect_key=effect_key, **more
        )
        return HeldPermit(self, PermitRequest(intent_id, action, asking, timeout))

    def spend_permit(
        self, permit_id: Id, action: NewAction, *, intent_id: Id | None = None, idempotency_key: str | None = None
    ) -> Permit:
        """Spend the permit, immediately before the act, which must be exactly what was approved (A-9, A-10).

        An agent that holds a lease on the intent names the `intent_id`, so that its fencing token goes along (A-14).

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
                fenced_path=None if intent_id is None else path("intents", intent_id, "permits"),
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
