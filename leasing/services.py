"""The verbs: all that can change a lease (RFC-0003).

Each holds the intent's row lock, under which the leases of an intent are given, numbered and counted.
"""

import logging
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import OperationalError
from django.db.models import QuerySet
from django.db.models.functions import Now

from access.identity import SYSTEM, Actor
from core.db import atomic_verb, database_now, sql_rows
from intents.events import EventType, NewEvent, append
from intents.models import Intent
from leasing.errors import LeaseConflict, LeaseExpired, LeaseNotFound, NotLeaseHolder, TooManyLeases
from leasing.models import Lease, Status
from leasing.representation import lease_body
from leasing.scopes import overlap, split_levels

MAX_LEASES = 200
"""Active leases of an agent on one intent (rule L-8)."""

EXPIRE_BATCH = 50
"""Leases that a reader marks, at most; the worker marks the others."""

log = logging.getLogger("openintent.leasing")


@atomic_verb
def acquire_lease(*, intent_id: UUID | str, actor: Actor, scope: str, duration: timedelta) -> tuple[Lease, bool]:
    """Make the agent the only holder of `scope`, and of all that overlaps it, for `duration` (rules L-1, L-2).

    Leases there that have run out are expired first, so an agent that crashed blocks nobody. Who holds exactly this scope
    gets its lease again, for at least `duration` from now, and never for less than it had (rule L-8). Answers the lease, and
    whether it is a new one.

    Raises IntentNotFound, IntentClosed, LeaseConflict, TooManyLeases.
    """
    intent = Intent.objects.lock(intent_id)
    intent.require_open()
    now, wanted = intent.now(), split_levels(scope)
    there = [lease for lease in _active(intent, first_level=wanted[0]) if overlap(split_levels(lease.scope), wanted)]
    for lease in there:
        if lease.expires_at > now and not lease.is_held_by(actor):
            raise LeaseConflict(lease_body(lease))
    for lease in there:
        if lease.expires_at <= now:
            _end(intent, lease, Status.EXPIRED, EventType.LEASE_EXPIRED, actor=SYSTEM, now=now)
        elif lease.scope == scope:
            return _extend(intent, lease, max(lease.expires_at, now + duration), actor=actor, now=now), False
    if intent.active_leases >= MAX_LEASES:
        _require_room(intent, actor, now)

    intent.last_fencing_token += 1
    intent.active_leases += 1
    lease = Lease(
        intent=intent,
        agent_id=actor.id,
        principal=actor.principal,
        scope=scope,
        first_level=wanted[0],
        fencing_token=intent.last_fencing_token,
        acquired_at=now,
        expires_at=now + duration,
    )
    sql_rows.create(lease)
    _record(intent, lease, EventType.LEASE_ACQUIRED, actor=actor, now=now, saving=("last_fencing_token", "active_leases"))
    return lease, True


@atomic_verb
def renew_lease(*, intent_id: UUID | str, lease_id: UUID | str, actor: Actor, duration: timedelta) -> Lease:
    """Let the lease end `duration` from now (rule L-5). What would be committed later than its end is refused (rule E-8).

    Raises IntentNotFound, LeaseNotFound, NotLeaseHolder, LeaseExpired.
    """
    intent, lease = _lock(intent_id, lease_id)
    _require_holder(lease, actor)
    now = intent.now()
    if lease.status != Status.ACTIVE:
        raise LeaseExpired(lease.scope, lease.status)
    return _extend(intent, lease, now + duration, actor=actor, now=now)


@atomic_verb
def release_lease(*, intent_id: UUID | str, lease_id: UUID | str, actor: Actor) -> None:
    """End the lease. One that has ended already stays as it is (rule L-5).

    Raises IntentNotFound, LeaseNotFound, NotLeaseHolder.
    """
    intent, lease = _lock(intent_id, lease_id)
    _require_holder(lease, actor)
    if lease.status == Status.ACTIVE:
        _let_go(intent, lease, actor=actor, now=intent.now())


@atomic_verb
def revoke_lease(*, intent_id: UUID | str, lease_id: UUID | str, actor: Actor, reason: str | None = None) -> Lease:
    """Take the lease from its holder, whose next write with its token fails (rule L-5). Again changes nothing.

    Raises IntentNotFound, LeaseNotFound.
    """
    intent, lease = _lock(intent_id, lease_id)
    now = intent.now()
    if lease.status != Status.ACTIVE:
        return lease
    if lease.expires_at <= now:
        _end(intent, lease, Status.EXPIRED, EventType.LEASE_EXPIRED, actor=SYSTEM, now=now)
        return lease
    lease.released_at = now
    _end(intent, lease, Status.REVOKED, EventType.LEASE_REVOKED, actor=actor, now=now, reason=reason)
    return lease


@atomic_verb
def expire_lease(lease_id: UUID, *, wait: bool = True) -> bool:
    """Mark the lease expired if it has run out (rule L-2). Answers whether that was news.

    Without `wait`, one whose intent is locked is left as it is: somebody may be renewing it (rule E-8).
    """
    intent_id = Lease.objects.filter(pk=lease_id).values_list("intent_id", flat=True).first()
    if intent_id is None:
        return False
    intent = Intent.objects.lock(intent_id) if wait else Intent.objects.try_lock(intent_id)
    if intent is None:
        return False
    lease, now = Lease.objects.get(pk=lease_id), intent.now()
    if lease.status != Status.ACTIVE or lease.expires_at > now:
        return False
    _end(intent, lease, Status.EXPIRED, EventType.LEASE_EXPIRED, actor=SYSTEM, now=now)
    return True


def overdue_leases(limit: int) -> list[UUID]:
    """The leases that have run out and are not marked so, the oldest first."""
    return [*Lease.objects.overdue(database_now()).order_by("expires_at").values_list("pk", flat=True)[:limit]]


def expire_overdue(found: QuerySet[Lease]) -> None:
    """Mark those of the leases that have run out, before somebody reads them (rule E-8).

    What cannot be marked at this moment stays active for its readers.
    """
    try:
        for pk in found.overdue(Now()).order_by("expires_at").values_list("pk", flat=True)[:EXPIRE_BATCH]:  # type: ignore[attr-defined]
            expire_lease(pk, wait=False)
    except OperationalError:
        log.warning("leases that have run out could not be marked", exc_info=True)


def release_all(intent: Intent, *, actor: Actor, reason: str, agent_id: str | None = None) -> None:
    """Release the leases of an intent, or of one agent there. A part of verbs that hold the intent's lock (rules L-6, R-3)."""
    if not intent.active_leases:
        return
    now = intent.in_order(database_now())
    for lease in _active(intent):
        if agent_id in (None, lease.agent_id):
            _let_go(intent, lease, actor=actor, now=now, reason=reason)


def _active(intent: Intent, **about: Any) -> list[Lease]:
    """Those that are marked active, whether they have run out or not."""
    if not intent.active_leases:
        return []
    return [*Lease.objects.filter(intent=intent, status=Status.ACTIVE, **about).order_by("fencing_token")]


def _require_room(intent: Intent, actor: Actor, now: datetime) -> None:
    """Raises TooManyLeases."""
    held = Lease.objects.held(now).filter(intent=intent, agent_id=actor.id)
    if held.count() >= MAX_LEASES:
        raise TooManyLeases(actor.id, MAX_LEASES)


def _lock(intent_id: UUID | str, lease_id: UUID | str) -> tuple[Intent, Lease]:
    """Raises IntentNotFound, LeaseNotFound."""
    intent = Intent.objects.lock(intent_id)
    lease = sql_rows.lock(Lease, lease_id) if isinstance(lease_id, UUID) else None
    if lease is None or lease.intent_id != intent.pk:
        raise LeaseNotFound(lease_id)
    return intent, lease


def _require_holder(lease: Lease, actor: Actor) -> None:
    """Raises NotLeaseHolder."""
    if not lease.is_held_by(actor):
        raise NotLeaseHolder(lease.agent_id, actor.id)


def _extend(intent: Intent, lease: Lease, until: datetime, *, actor: Actor, now: datetime) -> Lease:
    """Raises LeaseExpired, also where its time is over once all is written (rule E-8)."""
    ends = lease.expires_at
    if until != ends:
        lease.expires_at = until
        sql_rows.update(lease, ("expires_at",))
        _record(intent, lease, EventType.LEASE_RENEWED, actor=actor, now=now)
    if ends <= intent.in_order(database_now()):
        raise LeaseExpired(lease.scope, Status.EXPIRED)
    return lease


def _let_go(intent: Intent, lease: Lease, *, actor: Actor, now: datetime, reason: str | None = None) -> None:
    if lease.expires_at <= now:
        _end(intent, lease, Status.EXPIRED, EventType.LEASE_EXPIRED, actor=SYSTEM, now=now)
        return
    lease.released_at = now
    _end(intent, lease, Status.RELEASED, EventType.LEASE_RELEASED, actor=actor, now=now, reason=reason)


def _end(
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
    _record(intent, lease, event_type, actor=actor, now=now, saving=("active_leases",), reason=reason)


def _record(
    intent: Intent,
    lease: Lease,
    event_type: EventType,
    *,
    actor: Actor,
    now: datetime,
    saving: tuple[str, ...] = (),
    reason: str | None = None,
) -> None:
    body = lease_body(lease)
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
