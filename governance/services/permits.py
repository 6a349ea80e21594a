"""Permit verbs: spend, record the outcome, revoke, expire (rules A-9 to A-16)."""

import logging
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import OperationalError
from django.db.models import F, Q, QuerySet

from access.identity import SYSTEM, Actor
from access.models import Role
from core.db import atomic_verb, database_now
from core.encoding import instant
from core.errors import Forbidden
from governance import permits
from governance.errors import (
    EffectTaken,
    OutcomeRecorded,
    PermitExpired,
    PermitNotFound,
    PermitNotSpent,
    PermitSpent,
)
from governance.guards import is_same_caller
from governance.models import Permit, PermitOutcome, PermitStatus
from intents.events import EventType, NewEvent, append
from intents.models import Intent
from intents.write_lock import lock_for_write

log = logging.getLogger("openintent.governance")

MARKED_AT_ONCE = 50
"""Permits that one read request marks as ended at most; the worker marks the others."""


@atomic_verb
def spend_permit(*, permit_id: UUID | str, actor: Actor, action: dict[str, Any]) -> Permit:
    """Spend the permit on this act, once (rules A-9, A-10, A-11, A-14). The act follows: its outcome is recorded later.

    Raises PermitNotFound, LeaseLost, Forbidden, Invalid without a fencing token, PermitSpent, PermitExpired, PermitRevoked,
    PermitStale, PermitMismatch, IntentClosed.
    """
    intent, permit = _lock(permit_id, actor)
    permits.spend(intent, permit, action, actor=actor, now=intent.now())
    if permit.expires_at <= intent.read_clock():  # By now all writes are sent (rule E-8).
        raise PermitExpired(f"The permit {permit.pk} is expired.")
    return permit


@atomic_verb
def record_outcome(*, permit_id: UUID | str, actor: Actor, outcome: str, note: str | None = None) -> Permit:
    """Record what came of the act: once, and once more if it was unknown (rule A-15). The same again changes nothing.

    For the agent that asked, arbiters and operators. `failed` means that the effect did not happen, and frees its key.

    Raises PermitNotFound, LeaseLost, Forbidden, PermitNotSpent, OutcomeRecorded.
    """
    intent, permit = _lock(permit_id, actor)
    if not actor.role.includes(Role.ARBITER):
        permits.require_asker(permit, actor, "record its outcome")
    if permit.status != PermitStatus.SPENT:
        raise PermitNotSpent(permit.pk, permit.status_at(intent.now()))
    if (permit.outcome, permit.outcome_note) == (outcome, note):
        return permit
    if permit.outcome not in (None, PermitOutcome.UNKNOWN):
        raise OutcomeRecorded(permit.pk, permit.outcome)
    _record_outcome(intent, permit, outcome, note, actor=actor, now=intent.now())
    return permit


@atomic_verb
def revoke_permit(*, permit_id: UUID | str, actor: Actor, reason: str | None = None) -> Permit:
    """End a live permit: for the agent that asked, arbiters and operators (rule A-14). Idempotent.

    Raises PermitNotFound, LeaseLost, Forbidden, PermitSpent, PermitExpired.
    """
    intent, permit = _lock(permit_id, actor)
    if not (is_same_caller(actor, permit.agent_id, permit.principal) or actor.role.includes(Role.ARBITER)):
        raise Forbidden(f"Only {permit.agent_id}, an arbiter or an operator can revoke this permit.")
    now = intent.now()
    match permit.status_at(now):
        case PermitStatus.SPENT:
            raise PermitSpent(f"The permit {permit.pk} is spent.")
        case PermitStatus.EXPIRED:
            raise PermitExpired(f"The permit {permit.pk} is expired.")
        case PermitStatus.LIVE:
            permits.end(intent, permit, PermitStatus.REVOKED, {"reason": reason}, actor=actor, now=now)
    return permit


@atomic_verb
def end_permit(permit_id: UUID) -> bool:
    """Mark the permit expired or stale, or its outcome unknown, if that is due. Return whether it was marked now.

    One whose intent is locked is left as it is: it may be being spent (rule E-8).
    """
    intent_id = Permit.objects.filter(pk=permit_id).values_list("intent_id", flat=True).first()
    intent = Intent.objects.try_lock(intent_id) if intent_id else None
    return intent is not None and _end_if_due(intent, permit_id)


def _end_if_due(intent: Intent, permit_id: UUID) -> bool:
    permit, now = Permit.objects.select_related("arbitration").get(pk=permit_id), intent.now()
    if permit.status == PermitStatus.SPENT and permit.outcome is None and permit.expires_at <= now:
        _record_outcome(intent, permit, PermitOutcome.UNKNOWN, None, actor=SYSTEM, now=now)
        return True
    if permit.status != PermitStatus.LIVE:
        return False
    changed = permits.changes_since(intent, permit)
    if permit.status_at(now) == PermitStatus.EXPIRED:
        changed = []
    elif not changed:
        return False
    status = PermitStatus.STALE if changed else PermitStatus.EXPIRED
    more = {"status": str(status), "changed": changed, "expires_at": instant(permit.expires_at)}
    permits.end(intent, permit, status, more, actor=SYSTEM, now=now)
    return True


def due_permits(limit: int) -> list[UUID]:
    """Return the ids of permits that have ended, or whose outcome is overdue, and are not marked so; the oldest first."""
    return [*_due(Permit.objects.all(), database_now()).order_by("expires_at").values_list("pk", flat=True)[:limit]]


def end_due_permits(found: QuerySet[Permit]) -> None:
    """Mark those of the permits that have ended, before they are read. One that cannot be marked now stays as it is (rule E-8)."""
    try:
        live = found.filter(status=PermitStatus.LIVE).exclude(bound_values={}).values_list("pk", flat=True)
        due = _due(found, database_now()).order_by("expires_at").values_list("pk", flat=True)
        for pk in {*due[:MARKED_AT_ONCE], *live[:MARKED_AT_ONCE]}:
            end_permit(pk)
    except OperationalError:
        log.warning("permits that have ended could not be marked", exc_info=True)


def require_effect_free(intent: Intent, action: dict[str, Any] | None) -> None:
    """Raise EffectTaken if a permit holds the action's effect key; one that has ended is marked so (rule A-16).

    A part of verbs that hold the lock of `intent`. That of the holder's intent is not waited for.
    """
    effect_key = action["effect_key"] if action else None
    if effect_key is None:
        return
    for pk, intent_id in Permit.objects.holding(effect_key).values_list("pk", "intent_id"):
        if not (_end_if_due(intent, pk) if intent_id == intent.pk else end_permit(pk)):
            raise EffectTaken(effect_key, pk)


def _due(found: QuerySet[Permit], now: datetime) -> QuerySet[Permit]:
    is_stale = Q(arbitration__bind_version=True) & ~Q(intent__version=F("intent_version"))
    is_unsettled = Q(status=PermitStatus.SPENT, outcome=None, expires_at__lte=now)
    return found.filter(Q(status=PermitStatus.LIVE) & (Q(expires_at__lte=now) | is_stale) | is_unsettled)


def _lock(permit_id: UUID | str, actor: Actor) -> tuple[Intent, Permit]:
    """Lock the permit's intent, under which the permit changes. Raise PermitNotFound, LeaseLost."""
    found = Permit.objects.filter(pk=permit_id) if isinstance(permit_id, UUID) else Permit.objects.none()
    intent_id = found.values_list("intent_id", flat=True).first()
    if intent_id is None:
        raise PermitNotFound(permit_id)
    intent = lock_for_write(intent_id, actor, None)
    return intent, found.select_related("arbitration").get()


def _record_outcome(intent: Intent, permit: Permit, outcome: str, note: str | None, *, actor: Actor, now: datetime) -> None:
    permit.outcome, permit.outcome_note = outcome, note
    permit.save(update_fields=["outcome", "outcome_note"])
    payload = {"permit_id": str(permit.pk), "outcome": str(outcome), "note": note}
    append(intent, NewEvent(EventType.OUTCOME_RECORDED, payload), actor=actor, now=now)
