"""Lease verbs: acquire, renew, release, revoke, expire (RFC-0003).

Each holds the intent's row lock, under which its leases are granted, numbered and counted.
"""

import logging
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import OperationalError
from django.db.models import QuerySet

from access.identity import SYSTEM, Actor
from core.db import atomic_verb, database_now, sql_rows
from core.db.statements import Statement
from core.registration import PeriodicTask
from intents.events import EventType, NewEvent, append
from intents.models import Intent
from intents.write_lock import lock_for_write
from leasing.errors import LeaseConflict, LeaseExpired, LeaseNotFound, NotLeaseHolder, TooManyLeases
from leasing.models import Lease, Status
from leasing.representation import LeaseOut
from leasing.scopes import overlap, split_levels

MAX_LEASES = 200
"""Active leases of an agent on one intent (rule L-8)."""

EXPIRE_BATCH = 50
"""Leases that one read request marks at most; the worker marks the others."""

log = logging.getLogger("openintent.leasing")


@atomic_verb
def acquire_lease(*, intent_id: UUID | str, actor: Actor, scope: str, duration: timedelta) -> tuple[Lease, bool]:
    """Make the agent the only holder of `scope`, and of all that overlaps it, for `duration` (rules L-1, L-2).

    Overdue leases there are expired first, so an agent that crashed blocks no other. The holder of exactly this scope gets
    its lease again, for at least `duration` from now, and never for less than it had (rule L-8). Return the lease, and
    whether it is new.

    Raises IntentNotFound, LeaseLost, IntentClosed, LeaseConflict, TooManyLeases.
    """
    intent = lock_for_write(intent_id, actor, "acquire_lease")
    intent.require_open()
    now, requested = intent.now(), split_levels(scope)
    active = _MARKED_ACTIVE_UNDER.objects(intent=intent.pk, first_level=requested[0]) if intent.active_leases else []
    overlapping = [lease for lease in active if overlap(split_levels(lease.scope), requested)]
    for lease in overlapping:
        if lease.expires_at > now and not lease.is_held_by(actor):
            raise LeaseConflict(LeaseOut.render(lease))
    for lease in overlapping:
        if lease.expires_at <= now:
            _expire(intent, lease, now)
        elif lease.scope == scope:
            return _extend(intent, lease, max(lease.expires_at, now + duration), actor=actor, now=now), False
    if intent.active_leases >= MAX_LEASES:
        held = Lease.objects.held(now).filter(intent=intent, agent_id=actor.id)
        if held.count() >= MAX_LEASES:
            raise TooManyLeases(actor.id, MAX_LEASES)

    intent.last_fencing_token += 1
    intent.active_leases += 1
    lease = Lease(
        intent=intent,
        agent_id=actor.id,
        principal=actor.principal,
        scope=scope,
        first_level=requested[0],
        fencing_token=intent.last_fencing_token,
        acquired_at=now,
        expires_at=now + duration,
    )
    sql_rows.create(Lease, [lease])
    saving = ("last_fencing_token", "active_leases")
    _append_event(intent, lease, EventType.LEASE_ACQUIRED, actor=actor, now=now, saving=saving)
    return lease, True


@atomic_verb
def renew_lease(*, intent_id: UUID | str, lease_id: UUID | str, actor: Actor, duration: timedelta) -> Lease:
    """Let the lease end `duration` from now (rule L-5). A renewal that would commit after its end is refused (rule E-8).

    Raises IntentNotFound, LeaseLost, LeaseNotFound, NotLeaseHolder, LeaseExpired.
    """
    intent, lease = _lock_lease(intent_id, lease_id, actor, "renew_lease")
    _require_holder(lease, actor)
    now = intent.now()
    if lease.status != Status.ACTIVE:
        raise LeaseExpired(lease.scope, lease.status)
    return _extend(intent, lease, now + duration, actor=actor, now=now)


@atomic_verb
def release_lease(*, intent_id: UUID | str, lease_id: UUID | str, actor: Actor) -> None:
    """End the lease. One that has ended already stays as it is (rule L-5).

    Raises IntentNotFound, LeaseLost, LeaseNotFound, NotLeaseHolder.
    """
    intent, lease = _lock_lease(intent_id, lease_id, actor, "release_lease")
    _require_holder(lease, actor)
    if lease.status == Status.ACTIVE:
        _release(intent, lease, actor=actor, now=intent.now())


@atomic_verb
def revoke_lease(*, intent_id: UUID | str, lease_id: UUID | str, actor: Actor, reason: str | None = None) -> Lease:
    """End the lease of another agent, whose next write with its token fails (rule L-5). Idempotent.

    Raises IntentNotFound, LeaseLost, LeaseNotFound.
    """
    intent, lease = _lock_lease(intent_id, lease_id, actor, "revoke_lease", reason)
    now = intent.now()
    if lease.status != Status.ACTIVE:
        return lease
    if lease.expires_at <= now:
        _expire(intent, lease, now)
        return lease
    lease.released_at = now
    _end_lease(intent, lease, Status.REVOKED, EventType.LEASE_REVOKED, actor=actor, now=now, reason=reason)
    return lease


@atomic_verb
def expire_lease(lease_id: UUID) -> bool:
    """Mark the lease expired if it is overdue (rule L-2). Return whether it was marked now.

    One whose intent is locked is left as it is: its holder may be renewing it (rule E-8).
    """
    intent_id = Lease.objects.filter(pk=lease_id).values_list("intent_id", flat=True).first()
    if intent_id is None:
        return False
    intent = Intent.objects.try_lock(intent_id)
    if intent is None:
        return False
    lease, now = Lease.objects.get(pk=lease_id), intent.now()
    if lease.status != Status.ACTIVE or lease.expires_at > now:
        return False
    _expire(intent, lease, now)
    return True


def overdue_leases(limit: int) -> list[UUID]:
    """Return the ids of leases that are due to be marked expired, the oldest first."""
    return [*Lease.objects.overdue(database_now()).order_by("expires_at").values_list("pk", flat=True)[:limit]]


def expire_overdue(leases: QuerySet[Lease]) -> None:
    """Mark the overdue ones among the leases expired, before they are read (rule E-8).

    One that cannot be marked at this moment stays active for its readers.
    """
    try:
        overdue = leases.overdue(database_now())  # type: ignore[attr-defined]
        for pk in overdue.order_by("expires_at").values_list("pk", flat=True)[:EXPIRE_BATCH]:
            expire_lease(pk)
    except OperationalError:
        log.warning("overdue leases could not be marked as expired", exc_info=True)


def release_all(intent: Intent, *, actor: Actor, reason: str, agent_id: str | None = None) -> None:
    """Release the leases of an intent, or of one agent there. A part of verbs that hold the intent's lock (rules L-6, R-3)."""
    if not intent.active_leases:
        return
    now = intent.now()
    for lease in Lease.objects.filter(intent=intent, status=Status.ACTIVE).order_by("fencing_token"):
        if agent_id in (None, lease.agent_id):
            _release(intent, lease, actor=actor, now=now, reason=reason)


_MARKED_ACTIVE_UNDER = Statement(
    lambda given: Lease.objects.filter(intent_id=given.intent, status=Status.ACTIVE, first_level=given.first_level).order_by(
        "fencing_token"
    )
)


def _lock_lease(
    intent_id: UUID | str, lease_id: UUID | str, actor: Actor, operation: str, reason: str | None = None
) -> tuple[Intent, Lease]:
    """Lock the intent, then the lease. Raises IntentNotFound, LeaseLost, LeaseNotFound."""
    intent = lock_for_write(intent_id, actor, operation, reason=reason)
    lease = sql_rows.lock(Lease, lease_id) if isinstance(lease_id, UUID) else None
    if lease is None or lease.intent_id != intent.pk:
        raise LeaseNotFound(lease_id)
    return intent, lease


def _require_holder(lease: Lease, actor: Actor) -> None:
    """Raise NotLeaseHolder if another agent holds the lease."""
    if not lease.is_held_by(actor):
        raise NotLeaseHolder(lease.agent_id, actor.id)


def _extend(intent: Intent, lease: Lease, until: datetime, *, actor: Actor, now: datetime) -> Lease:
    """Change the lease's end. Raise LeaseExpired, also if it is overdue once all is written (rule E-8)."""
    previous_end = lease.expires_at
    if until != previous_end:
        lease.expires_at = until
        sql_rows.update(lease, ("expires_at",))
        _append_event(intent, lease, EventType.LEASE_RENEWED, actor=actor, now=now)
    if previous_end <= intent.read_clock():
        raise LeaseExpired(lease.scope, Status.EXPIRED)
    return lease


def _release(intent: Intent, lease: Lease, *, actor: Actor, now: datetime, reason: str | None = None) -> None:
    if lease.expires_at <= now:
        _expire(intent, lease, now)
        return
    lease.released_at = now
    _end_lease(intent, lease, Status.RELEASED, EventType.LEASE_RELEASED, actor=actor, now=now, reason=reason)


def _expire(intent: Intent, lease: Lease, now: datetime) -> None:
    _end_lease(intent, lease, Status.EXPIRED, EventType.LEASE_EXPIRED, actor=SYSTEM, now=now)


def _end_lease(
    intent: Intent,
    lease: Lease,
    status: Status,
    event_type: EventType,
    *,
    actor: Actor,
    now: datetime,
    reason: str | None = None,
) -> None:
    lease.status = status
    sql_rows.update(lease, ("status", "released_at"))
    intent.active_leases -= 1
    _append_event(intent, lease, event_type, actor=actor, now=now, saving=("active_leases",), reason=reason)


def _append_event(
    intent: Intent,
    lease: Lease,
    event_type: EventType,
    *,
    actor: Actor,
    now: datetime,
    saving: tuple[str, ...] = (),
    reason: str | None = None,
) -> None:
    body = LeaseOut.render(lease)
    payload: dict[str, Any] = {
        "lease_id": body["id"],
        "agent_id": lease.agent_id,
        "scope": lease.scope,
        "fencing_token": lease.fencing_token,
        "expires_at": body["expires_at"],
    }
    if reason is not None:
        payload["reason"] = reason
    append(intent, NewEvent(event_type, payload), actor=actor, now=now, saving=saving)


PERIODIC_TASKS = (PeriodicTask("expire leases", overdue_leases, expire_lease),)
