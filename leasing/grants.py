"""Begin and end of leases: granted to an agent that asks, handed over to those that wait for the scope (rules L-1, L-9).

The caller holds the intent's row lock.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from access.identity import SYSTEM, Actor
from core.db import sql_rows
from core.encoding import identifier, instant
from intents.events import EventType, NewEvent, append
from intents.models import Intent
from intents.write_lock import needs_permit
from leasing.held_leases import repeat
from leasing.models import Lease, LeaseWaiter, Status
from leasing.scopes import ScopeIndex, overlap, split_levels

MAX_LEASES = 200
"""Active leases of an agent on one intent (rule L-8)."""

LISTENS_FOR = timedelta(seconds=5)
"""Time after which an agent that waits must have asked again, and in which it must take the lease that it was granted."""

NOBODY: Mapping[UUID, Actor] = MappingProxyType({})


def has_room(intent: Intent, agent_id: str, now: datetime) -> bool:
    """Return whether the agent may have another lease on the intent (rule L-8)."""
    return (
        intent.active_leases < MAX_LEASES or Lease.objects.held_on(intent.pk, now).filter(agent_id=agent_id).count() < MAX_LEASES
    )


def grant(
    intent: Intent, actor: Actor, principal: str, scope: str, *, now: datetime, duration: timedelta, is_awaited: bool = False
) -> Lease:
    """Create the lease and append its event."""
    intent.last_fencing_token += 1
    lease = Lease(
        intent=intent,
        agent_id=actor.id,
        principal=principal,
        scope=scope,
        first_level=split_levels(scope)[0],
        fencing_token=intent.last_fencing_token,
        acquired_at=now,
        expires_at=now + duration,
        is_awaited=is_awaited,
    )
    sql_rows.create(Lease, [lease])
    append_event(intent, lease, EventType.LEASE_ACQUIRED, actor=actor, now=now, more=1)
    return lease


def hand_over(intent: Intent, now: datetime, asking: Mapping[UUID, Actor] = NOBODY) -> None:
    """Grant what has become free to the agents that wait for it, the first one first (rule L-9).

    None gets a scope that overlaps one for which an earlier one waits. Each has its lease for a short time only, until it
    takes it: one that has died in the meantime keeps nobody waiting. Those that are `asking`, by their places, are there and
    have passed the gates.
    """
    waiting = [
        (each, split_levels(each.scope)) for each in LeaseWaiter.objects.listening(now).filter(intent=intent).order_by("pk")
    ]
    held = _held_by(intent, {levels[0] for _, levels in waiting}, now)
    ahead: list[Sequence[str]] = []
    for number, (waiter, levels) in enumerate(waiting):
        own = (waiter.agent_id, waiter.principal)
        others = (scopes for holder, scopes in held.items() if holder != own)
        if any(overlap(each, levels) for each in ahead) or any(scopes.overlap(levels) for scopes in others):
            ahead.append(levels)
            continue
        is_asking = waiter.pk in asking
        actor = asking.get(waiter.pk, Actor(waiter.agent_id, waiter.key_id))
        if (
            levels in held.get(own, ())  # Another process of the agent has just acquired it.
            or not has_room(intent, waiter.agent_id, now)
            or (not is_asking and needs_permit("acquire_lease", actor, intent))
        ):
            continue
        later = [levels for _, levels in waiting[number + 1 :]]
        asked = timedelta(seconds=waiter.duration_seconds)
        lease = grant(
            intent,
            actor,
            waiter.principal,
            waiter.scope,
            now=now,
            duration=asked if is_asking else min(LISTENS_FOR, asked),
            is_awaited=any(overlap(each, levels) for each in ahead + later),
        )
        LeaseWaiter.objects.filter(pk=waiter.pk).update(lease=lease, waits_until=lease.expires_at)
        ahead.append(levels)


def _held_by(intent: Intent, first_levels: Collection[str], now: datetime) -> dict[tuple[str, str], ScopeIndex]:
    """Return the scopes under these first levels that are held, by agent and principal. Overdue leases are marked expired."""
    scopes: dict[tuple[str, str], list[Sequence[str]]] = {}
    for lease in Lease.objects.held().filter(intent=intent, first_level__in=first_levels):
        if lease.expires_at <= now:
            expire(intent, lease, now, hands_over=False)
        else:
            scopes.setdefault((lease.agent_id, lease.principal), []).append(split_levels(lease.scope))
    return {holder: ScopeIndex(each) for holder, each in scopes.items()}


def expire(intent: Intent, lease: Lease, now: datetime, *, hands_over: bool = True) -> None:
    """Mark the lease, which is overdue, as expired."""
    end_lease(intent, lease, Status.EXPIRED, EventType.LEASE_EXPIRED, actor=SYSTEM, now=now, hands_over=hands_over)


def end_lease(
    intent: Intent,
    lease: Lease,
    status: Status,
    event_type: EventType,
    *,
    actor: Actor,
    now: datetime,
    reason: str | None = None,
    hands_over: bool = True,
) -> None:
    """End the lease, append its event, and grant its scope to an agent that waits for it, if one does."""
    lease.status = status
    sql_rows.update(lease, ("status", "released_at"))
    append_event(intent, lease, event_type, actor=actor, now=now, more=-1, reason=reason)
    if lease.is_awaited and hands_over and not intent.is_final:
        hand_over(intent, now)


def append_event(
    intent: Intent,
    lease: Lease,
    event_type: EventType,
    *,
    actor: Actor,
    now: datetime,
    more: int = 0,
    reason: str | None = None,
) -> None:
    """Append an event about the lease, and save what the intent's row says of it: by `more`, the number of active leases changes."""
    payload: dict[str, Any] = {
        "lease_id": identifier(lease.pk),
        "agent_id": lease.agent_id,
        "scope": lease.scope,
        "fencing_token": lease.fencing_token,
        "expires_at": instant(lease.expires_at),
    }
    if reason is not None:
        payload["reason"] = reason
    repeat(intent, lease, more=more)
    saving = ("held_leases", "active_leases", "last_fencing_token") if more else ("held_leases",)
    append(intent, NewEvent(event_type, payload), actor=actor, now=now, saving=saving)
