"""Permits: what ends them, what spends them, and who holds an effect. Parts of verbs, which hold the intent's row lock."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from access.identity import Actor
from core.db import sql_rows
from core.encoding import instant
from core.errors import Forbidden, Invalid
from governance import actions
from governance.errors import (
    ArbitrationStale,
    PermitExpired,
    PermitMismatch,
    PermitRevoked,
    PermitSpent,
    PermitStale,
)
from governance.models import Arbitration, Decision, Permit, PermitStatus
from intents.events import EventType, NewEvent, append
from intents.models import Intent
from leasing.models import Lease

VERSION = "version"

_ENDED = {
    PermitStatus.SPENT: PermitSpent,
    PermitStatus.EXPIRED: PermitExpired,
    PermitStatus.REVOKED: PermitRevoked,
}


def grant(intent: Intent, arbitration: Arbitration, decision: Decision, *, actor: Actor, now: datetime) -> Permit:
    """Make the permit of a decision that grants (rule A-8), for the intent as the decision has left it (rule A-11)."""
    permit = Permit(
        arbitration=arbitration,
        decision=decision,
        intent=intent,
        agent_id=arbitration.requester_id,
        principal=arbitration.principal,
        verb=arbitration.action["verb"],
        target=arbitration.action["target"],
        action_sha256=arbitration.action_sha256 or "",
        effect_key=arbitration.action["effect_key"],
        intent_version=intent.version,
        bound_values=arbitration.bound_values,
        expires_at=now + timedelta(seconds=arbitration.permit_seconds or 0),
        created_at=now,
    )
    permit.save(force_insert=True)
    payload = {
        **_about(permit),
        "arbitration_id": str(arbitration.pk),
        "decision_id": str(decision.pk),
        "agent_id": permit.agent_id,
        "effect_key": permit.effect_key,
        "intent_version": permit.intent_version,
        "expires_at": instant(permit.expires_at),
    }
    append(intent, NewEvent(EventType.PERMIT_GRANTED, payload), actor=actor, now=now)
    return permit


def spend(
    intent: Intent, permit: Permit, sent: Mapping[str, Any], *, actor: Actor, now: datetime, outcome: str | None = None
) -> None:
    """Spend the permit on the act that is sent, or raise the reason why not (rules A-9 to A-11, A-14).

    It was read under the intent's lock, without which no permit changes: so it is spent once.
    `outcome` is that of an act which the server does itself, in this transaction.
    """
    require_asker(permit, actor, "spend it")
    _require_own_token(intent, actor, now)
    _require_live(permit, now)
    if (member := _differing_member(permit, sent)) is not None:
        raise PermitMismatch(permit.pk, member)
    if changed := changes_since(intent, permit):
        raise PermitStale(permit.pk, changed)
    intent.require_open()
    permit.status, permit.spent_at, permit.outcome = PermitStatus.SPENT, now, outcome
    sql_rows.update(permit, ("status", "spent_at", "outcome"))
    payload = {**_about(permit), "outcome": outcome}
    append(intent, NewEvent(EventType.PERMIT_SPENT, payload), actor=actor, now=now)


def _differing_member(permit: Permit, sent: Mapping[str, Any]) -> str | None:
    """Return what `actions.differing_member` does. The digest decides; only another one needs the arbitration (rule A-10)."""
    if actions.digest({"effect_key": permit.effect_key, **sent}) == permit.action_sha256:
        return None
    return actions.differing_member(permit.arbitration.action, sent)


def end(intent: Intent, permit: Permit, status: PermitStatus, more: dict[str, Any], *, actor: Actor, now: datetime) -> None:
    """End a live permit that was not spent, with its event."""
    permit.status = status
    permit.save(update_fields=["status"])
    event_type = EventType.PERMIT_REVOKED if status == PermitStatus.REVOKED else EventType.PERMIT_EXPIRED
    append(intent, NewEvent(event_type, {**_about(permit), **more}), actor=actor, now=now)


def changes_since(intent: Intent, bound: Arbitration | Permit) -> list[str]:
    """Return what has changed since the request or the grant: the version, and bound paths with another value (rule A-11)."""
    current = actions.bound_values(intent.state, bound.bound_values)
    changed = [path for path, value in bound.bound_values.items() if current[path] != value]
    if intent.version != bound.intent_version:  # Only then the permit's arbitration is read.
        arbitration = bound.arbitration if isinstance(bound, Permit) else bound
        if arbitration.bind_version:
            changed.insert(0, VERSION)
    return changed


def require_current(intent: Intent, arbitration: Arbitration) -> None:
    """Raise ArbitrationStale if the intent is no longer as it was shown (rule A-11)."""
    if changed := changes_since(intent, arbitration):
        raise ArbitrationStale(changed, requested=arbitration.intent_version or 0, current=intent.version)


def require_asker(permit: Permit, actor: Actor, what: str) -> None:
    """Raise Forbidden if the actor is not the agent that asked, under its own key (rule A-14)."""
    if actor.id != permit.agent_id or not (actor.is_bound or actor.principal == permit.principal):
        raise Forbidden(f"Only {permit.agent_id}, which asked for the permit, can {what}.")


def _require_own_token(intent: Intent, actor: Actor, now: datetime) -> None:
    """Raise Invalid if the actor holds a lease on the intent and sends no token; `lock_for_write` has checked one that is sent."""
    if actor.fencing_token is None and intent.active_leases:
        held = Lease.objects.held_on(intent.pk, now).filter(agent_id=actor.id)
        if any(lease.is_held_by(actor) for lease in held):
            raise Invalid.field("X-Fencing-Token", f"is required: {actor.id} holds a lease on the intent", "required")


def _require_live(permit: Permit, now: datetime) -> None:
    status = permit.status_at(now)
    if status == PermitStatus.STALE:
        raise PermitStale(permit.pk, [VERSION])
    if status != PermitStatus.LIVE:
        raise _ENDED[PermitStatus(status)](f"The permit {permit.pk} is {status}.")


def _about(permit: Permit) -> dict[str, Any]:
    return {
        "permit_id": str(permit.pk),
        "verb": permit.verb,
        "target": permit.target,
        "action_sha256": permit.action_sha256,
    }
