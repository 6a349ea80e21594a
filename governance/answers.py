"""Representation of arbitrations, decisions and delegations in responses."""

from datetime import datetime
from typing import Any

from core.encoding import identifier, instant
from governance.models import Arbitration, Decision, Delegation, Status


def status_at(arbitration: Arbitration, now: datetime) -> str:
    """Return the status at `now`: an overdue one is expired. For verbs, which hold the intent's lock (rule E-8)."""
    is_overdue = arbitration.status == Status.PENDING and arbitration.expires_at and arbitration.expires_at <= now
    return str(Status.EXPIRED if is_overdue else arbitration.status)


def arbitration_body(arbitration: Arbitration) -> dict[str, Any]:
    """Return the arbitration by its status: an overdue one is pending until it is marked expired (rule E-8)."""
    decision = getattr(arbitration, "decision", None) if arbitration.status == Status.RESOLVED else None
    return {
        "id": identifier(arbitration.pk),
        "intent_id": identifier(arbitration.intent_id),
        "requester_id": arbitration.requester_id,
        "reason": arbitration.reason,
        "context": arbitration.context,
        "options": arbitration.options,
        "blocking": arbitration.blocking,
        "expires_at": instant(arbitration.expires_at),
        "status": str(arbitration.status),
        "decision": decision and decision_body(decision),
        "created_at": instant(arbitration.created_at),
        "resolved_at": instant(arbitration.resolved_at),
    }


def decision_body(decision: Decision) -> dict[str, Any]:
    return {
        "id": identifier(decision.pk),
        "intent_id": identifier(decision.intent_id),
        "arbitration_id": identifier(decision.arbitration_id),
        "decision": decision.decision,
        "rationale": decision.rationale,
        "decision_type": decision.decision_type,
        "evidence": decision.evidence,
        "decided_by": decision.decided_by,
        "created_at": instant(decision.created_at),
    }


def delegation_body(delegation: Delegation) -> dict[str, Any]:
    return {
        "id": identifier(delegation.pk),
        "delegator": delegation.delegator,
        "delegate": delegation.delegate,
        "scope": delegation.scope,
        "constraints": delegation.constraints,
        "expires_at": instant(delegation.expires_at),
        "revoked_at": instant(delegation.revoked_at),
        "created_at": instant(delegation.created_at),
    }
