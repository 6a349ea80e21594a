"""Lease verbs: acquire, renew, release, revoke, expire (RFC-0003).

Each holds the intent's row lock, under which its leases are granted, numbered and counted.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import OperationalError
from django.db.models import QuerySet

from access.identity import Actor
from core.db import atomic_verb, database_now, sql_rows
from core.db.statements import Statement
from core.registration import PeriodicTask
from intents.events import EventType
from intents.models import Intent
from intents.write_lock import lock_for_write, require_writable
from leasing.errors import LeaseConflict, LeaseExpired, LeaseNotFound, LeasePlaceNotFound, NotLeaseHolder, TooManyLeases
from leasing.grants import LISTENS_FOR, MAX_LEASES, append_event, end_lease, expire, grant, hand_over, has_room
from leasing.held_leases import HeldLease, repeated
from leasing.models import Lease, LeaseWaiter, Status, by_token
from leasing.representation import LeaseOut
from leasing.scopes import overlap, split_levels

MAX_WAITERS = 200
"""Places in the queue of one intent."""

EXPIRE_BATCH = 50
"""Leases that one read request marks at most; the worker marks the others."""

log = logging.getLogger("openintent.leasing")


@dataclass(frozen=True, slots=True)
class Place:
    """Result of joining a queue: a lease, or a place in the queue behind `existing_lease` and others."""

    lease: Lease | None
    waiter: LeaseWaiter | None = None
    position: int = 0
    existing_lease: Lease | None = None

    @property
    def id(self) -> UUID | None:
        return self.waiter.pk if self.waiter else None

    @property
    def waits_until(self) -> datetime | None:
        return self.waiter.waits_until if self.waiter else None


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
    now = intent.now()
    overlapping = _overlapping(intent, scope)
    for lease in overlapping:
        if lease.expires_at > now and not lease.is_held_by(actor):
            raise LeaseConflict(LeaseOut.render(lease))
    for lease in overlapping:
        if lease.expires_at <= now:
            expire(intent, lease, now, hands_over=False)
        elif lease.scope == scope:
            return _extend(intent, lease, max(lease.expires_at, now + duration), actor=actor, now=now), False
    if not has_room(intent, actor.id, now):
        raise TooManyLeases(actor.id, MAX_LEASES)
    is_awaited = any(lease.is_awaited for lease in overlapping)
    return grant(intent, actor, actor.principal, scope, now=now, duration=duration, is_awaited=is_awaited), True


@atomic_verb
def join_queue(*, intent_id: UUID | str, actor: Actor, scope: str, duration: timedelta) -> Place:
    """Acquire the scope if it is free for the agent, else take or keep a place in its queue for some seconds (rule L-9).

    Whoever releases what overlaps it hands it over to the first in the queue. An agent that waits asks again until it has its
    lease.

    A request that comes with a permit, which is for a lease and not for waiting, or to a full queue acquires the scope or is
    refused.

    Raises IntentNotFound, LeaseLost, IntentClosed, LeaseConflict, LeaseExpired, TooManyLeases.
    """
    intent = lock_for_write(intent_id, actor, "acquire_lease")
    intent.require_open()
    now = intent.now()
    place = LeaseWaiter.objects.filter(intent=intent, scope=scope, agent_id=actor.id, principal=actor.principal).first()
    if _has_spent_permit(actor) or (
        place is None and LeaseWaiter.objects.listening(now).filter(intent=intent).count() >= MAX_WAITERS
    ):
        return Place(acquire_lease(intent_id=intent_id, actor=actor, scope=scope, duration=duration)[0])
    for lease in (overlapping := _overlapping(intent, scope)):
        if lease.expires_at <= now:
            expire(intent, lease, now, hands_over=False)
    held = next(
        (lease for lease in overlapping if lease.scope == scope and lease.is_held_by(actor) and lease.expires_at > now), None
    )
    if held is None:
        if not has_room(intent, actor.id, now):
            raise TooManyLeases(actor.id, MAX_LEASES)
        kept = _keep_place(intent, actor, scope, place, duration, now)
        hand_over(intent, now, asking={kept.pk: actor})
        kept.refresh_from_db()
        if kept.lease is None:
            return _wait(intent, actor, kept, now)
        place, held = kept, kept.lease
    is_new = place is not None and place.lease_id == held.pk and place.waits_until == held.expires_at
    if place:
        place.delete()
    if is_new:
        held.acquired_at = now
    until = now + duration if is_new else max(held.expires_at, now + duration)
    return Place(_extend(intent, held, until, actor=actor, now=now))


@atomic_verb
def leave_queue(*, intent_id: UUID | str, place_id: UUID | str, actor: Actor) -> None:
    """Give up the place in the queue, and a lease that was granted for it and not taken (rule L-9). Idempotent.

    Raises IntentNotFound, LeaseLost, LeasePlaceNotFound if the id is none, NotLeaseHolder.
    """
    intent = lock_for_write(intent_id, actor, None)
    if not isinstance(place_id, UUID):
        raise LeasePlaceNotFound(place_id)
    place = LeaseWaiter.objects.filter(pk=place_id, intent=intent).first()
    if place is None:
        return
    if not place.is_held_by(actor):
        raise NotLeaseHolder(place.agent_id, actor.id)
    lease = place.lease
    until = place.waits_until
    place.delete()
    if lease and lease.status == Status.ACTIVE and lease.expires_at == until:
        _release(intent, lease, actor=actor, now=intent.now())


def _keep_place(
    intent: Intent, actor: Actor, scope: str, place: LeaseWaiter | None, duration: timedelta, now: datetime
) -> LeaseWaiter:
    """Return the agent's place in the queue, for which it has asked now. One that has run out is lost: it takes the last place."""
    if place and (place.lease_id or place.waits_until <= now):
        place.delete()
        place = None
    place = place or LeaseWaiter(intent=intent, scope=scope, agent_id=actor.id, principal=actor.principal)
    place.key_id, place.duration_seconds, place.waits_until = actor.key_id, int(duration.total_seconds()), now + LISTENS_FOR
    place.save()
    return place


def _wait(intent: Intent, actor: Actor, place: LeaseWaiter, now: datetime) -> Place:
    """Let the leases that are in the way be handed over when they end."""
    in_the_way = [lease for lease in _overlapping(intent, place.scope) if not lease.is_held_by(actor)]
    Lease.objects.filter(pk__in=[lease.pk for lease in in_the_way], is_awaited=False).update(is_awaited=True)
    levels = split_levels(place.scope)
    earlier = LeaseWaiter.objects.listening(now).filter(intent=intent, pk__lt=place.pk)
    ahead = sum(overlap(split_levels(each.scope), levels) for each in earlier)
    return Place(None, place, ahead + 1, in_the_way[0] if in_the_way else None)


def _has_spent_permit(actor: Actor) -> bool:
    return getattr(actor.request, "spent_permit", None) is not None


def delete_left_places() -> int:
    """Delete the places of agents that have ceased to ask. Return their number."""
    return LeaseWaiter.objects.filter(waits_until__lt=database_now()).delete()[0]


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
        expire(intent, lease, now)
        return lease
    lease.released_at = now
    end_lease(intent, lease, Status.REVOKED, EventType.LEASE_REVOKED, actor=actor, now=now, reason=reason)
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
    expire(intent, lease, now)
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
    for lease in Lease.objects.held_on(intent.pk).order_by("fencing_token"):
        if agent_id in (None, lease.agent_id):
            _release(intent, lease, actor=actor, now=now, reason=reason)


_MARKED_ACTIVE_UNDER = Statement(lambda given: Lease.objects.held().filter(intent_id=given.intent, first_level=given.first_level))


def _overlapping(intent: Intent, scope: str) -> list[Lease]:
    """Return the leases marked active whose scopes overlap this one."""
    requested = split_levels(scope)

    def is_overlapping(lease: HeldLease | Lease) -> bool:
        return overlap(split_levels(lease.scope), requested)

    held = repeated(intent)
    if held is not None and not any(map(is_overlapping, held)):
        return []
    return by_token(filter(is_overlapping, _MARKED_ACTIVE_UNDER.objects(intent=intent.pk, first_level=requested[0])))


def _lock_lease(
    intent_id: UUID | str, lease_id: UUID | str, actor: Actor, operation: str, reason: str | None = None
) -> tuple[Intent, Lease]:
    """Lock the intent, without which no lease of it changes. Raises IntentNotFound, LeaseLost, LeaseNotFound."""
    intent, lease = Intent.objects.lock_with(intent_id, Lease, lease_id)
    require_writable(intent, actor, operation, reason=reason)
    if lease is None:
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
        sql_rows.update(lease, ("acquired_at", "expires_at"))
        append_event(intent, lease, EventType.LEASE_RENEWED, actor=actor, now=now)
    if previous_end <= intent.read_clock():
        raise LeaseExpired(lease.scope, Status.EXPIRED)
    return lease


def _release(intent: Intent, lease: Lease, *, actor: Actor, now: datetime, reason: str | None = None) -> None:
    if lease.expires_at <= now:
        expire(intent, lease, now)
        return
    lease.released_at = now
    end_lease(intent, lease, Status.RELEASED, EventType.LEASE_RELEASED, actor=actor, now=now, reason=reason)


PERIODIC_TASKS = (PeriodicTask("expire leases", overdue_leases, expire_lease),)
