"""Arbitration, decisions and delegations (RFC-0004)."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict

from .._endpoint import Call, endpoint
from ..enums import ArbitrationStatus
from ..models import Arbitration, Decision, Delegation
from ..validation import (
    validate_arbitration_request,
    validate_decision,
    validate_delegation,
    validate_whole_number,
    validate_withdrawal,
)
from ._helpers import Id, Ids, Instant, as_ids, as_optional_id, list_call, no_content, path, to_rfc3339, without_none

MAX_WAIT = 60
"""Seconds for which the server holds its response at most."""


class NewOption(TypedDict):
    """An option of an arbitration."""

    label: str
    rationale: NotRequired[str | None]


class NewEvidence(TypedDict):
    """Evidence for a decision."""

    source: str
    summary: NotRequired[str | None]


class GovernanceResource:
    """/intents/{id}/arbitrate, …/arbitrations, …/decisions, /arbitrations and /delegations (RFC-0004)."""

    @endpoint
    def request_arbitration(
        self,
        intent_id: Id,
        reason: str,
        *,
        context: Mapping[str, Any] | None = None,
        options: Sequence[str | NewOption] | None = None,
        blocking: bool | None = None,
        expires_at: Instant | None = None,
        idempotency_key: str | None = None,
    ) -> Call[Arbitration]:
        """Request a decision by a person or an arbiter, for example when agents disagree.

        With `options`, labels or `{"label", "rationale"}`, the decision is one of the labels. With `blocking` the intent
        is `blocked` until there is a decision, and then returns to its status (A-2). After `expires_at` it cannot be decided.

        Raises InputValidationError, NotFoundError, ConflictError `intent_closed`.
        """
        validate_arbitration_request(reason, context=context, options=options)
        return Call(
            method="POST",
            path=path("intents", intent_id, "arbitrate"),
            json=without_none(
                reason=reason,
                context=context,
                options=options,
                blocking=blocking,
                expires_at=to_rfc3339(expires_at, "expires_at"),
            ),
            parse=Arbitration.from_json,
            idempotency_key=idempotency_key,
        )

    @endpoint
    def get_arbitrations(
        self, intent_id: Id, *, status: ArbitrationStatus | str | None = None, limit: int | None = None
    ) -> Call[list[Arbitration]]:
        """Return the intent's arbitrations, or those with a status. Raises NotFoundError."""
        return list_call(path("intents", intent_id, "arbitrations"), "arbitrations", Arbitration, limit=limit, status=status)

    @endpoint
    def list_arbitrations(
        self, *, status: ArbitrationStatus | str | None = None, limit: int | None = None
    ) -> Call[list[Arbitration]]:
        """Return the arbitrations of all intents; with the status pending, those that await a decision."""
        return list_call(path("arbitrations"), "arbitrations", Arbitration, limit=limit, status=status)

    @endpoint
    def get_arbitration(self, arbitration_id: Id, *, wait: int | None = None) -> Call[Arbitration]:
        """Return an arbitration. With `wait`, the server holds its response until it is no longer pending, for so many seconds at most (60).

        Raises InputValidationError, NotFoundError.
        """
        if wait is not None:
            validate_whole_number(wait, "wait", 0, MAX_WAIT)
        return Call(
            method="GET",
            path=path("arbitrations", arbitration_id),
            params=without_none(wait=wait),
            parse=Arbitration.from_json,
            extra_timeout=wait or 0,
        )

    @endpoint
    def withdraw_arbitration(self, arbitration_id: Id, reason: str | None = None) -> Call[Arbitration]:
        """Withdraw an arbitration. Idempotent. For its requester, arbiters and operators.

        Raises InputValidationError, NotFoundError, PermissionDeniedError, ConflictError `arbitration_resolved`.
        """
        validate_withdrawal(reason)
        return Call(
            method="POST",
            path=path("arbitrations", arbitration_id, "withdraw"),
            json=without_none(reason=reason),
            parse=Arbitration.from_json,
        )

    @endpoint
    def record_decision(
        self,
        intent_id: Id,
        decision: str,
        rationale: str | None = None,
        *,
        arbitration_id: Id | None = None,
        decision_type: str | None = None,
        evidence: Sequence[NewEvidence] | None = None,
        idempotency_key: str | None = None,
    ) -> Call[Decision]:
        """Decide the arbitration `arbitration_id` (A-3). Without it the only pending one is decided, which may not be the one you have read.

        On an intent without arbitrations, or with a `decision_type` of its own, the decision stands alone. It is
        permanent. For operators, arbiters (except on their own requests), and agents with a bound key and a delegation.

        Raises InputValidationError, NotFoundError, PermissionDeniedError (`self_decision`), ConflictError
        `arbitration_resolved`, ValidationError if it is not one of the options.
        """
        validate_decision(decision, rationale, decision_type=decision_type, evidence=evidence)
        return Call(
            method="POST",
            path=path("intents", intent_id, "decisions"),
            json=without_none(
                decision=decision,
                rationale=rationale,
                arbitration_id=as_optional_id(arbitration_id),
                decision_type=decision_type,
                evidence=evidence,
            ),
            parse=Decision.from_json,
            idempotency_key=idempotency_key,
        )

    @endpoint
    def get_decisions(self, intent_id: Id, *, limit: int | None = None) -> Call[list[Decision]]:
        """Return the decisions on the intent, the oldest first. Raises NotFoundError."""
        return list_call(path("intents", intent_id, "decisions"), "decisions", Decision, limit=limit)

    @endpoint
    def create_delegation(
        self,
        delegate: str,
        *,
        intents: Ids = (),
        portfolios: Ids = (),
        actions: Sequence[str] = (),
        constraints: Mapping[str, Any] | None = None,
        expires_at: Instant | None = None,
        idempotency_key: str | None = None,
    ) -> Call[Delegation]:
        """Delegate to an agent, on these intents and the members of these portfolios; without any, on all intents.

        The action "decide" allows it to record decisions; without `actions` all are allowed. For arbiters and operators.

        Raises InputValidationError, PermissionDeniedError, ValidationError for an unknown intent or portfolio.
        """
        validate_delegation(delegate, actions=actions, constraints=constraints)
        scope = {"intents": as_ids(intents), "portfolios": as_ids(portfolios), "actions": list(actions)}
        return Call(
            method="POST",
            path=path("delegations"),
            json=without_none(
                delegate=delegate, scope=scope, constraints=constraints, expires_at=to_rfc3339(expires_at, "expires_at")
            ),
            parse=Delegation.from_json,
            idempotency_key=idempotency_key,
        )

    @endpoint
    def list_delegations(
        self, *, delegate: str | None = None, delegator: str | None = None, limit: int | None = None
    ) -> Call[list[Delegation]]:
        """Return all delegations, or those of a delegate or delegator, including ended ones."""
        return list_call(path("delegations"), "delegations", Delegation, limit=limit, delegate=delegate, delegator=delegator)

    @endpoint
    def revoke_delegation(self, delegation_id: Id) -> Call[None]:
        """Revoke a delegation at once (A-7). Idempotent. For its delegator and operators.

        Raises NotFoundError, PermissionDeniedError.
        """
        return Call(method="DELETE", path=path("delegations", delegation_id), parse=no_content)
