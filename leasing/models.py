"""Leases (RFC-0003)."""

from collections.abc import Iterable
from datetime import datetime
from operator import attrgetter
from typing import Any, ClassVar
from uuid import UUID

from django.db import models
from django.db.models import F, Q

from access.identity import Actor
from core.ids import new_id
from leasing.scopes import MAX_SCOPE

AGENT_ID = 255
PRINCIPAL = 300


class Status(models.TextChoices):
    ACTIVE = "active"
    RELEASED = "released"
    EXPIRED = "expired"
    REVOKED = "revoked"


class LeaseQuerySet(models.QuerySet["Lease"]):
    def held(self, now: datetime | None = None) -> "LeaseQuerySet":
        """Filter for leases that are marked active; with `now`, for those that are not overdue then.

        Only verbs compare with the time, under the intent's lock: readers use the status (rule E-8).
        """
        marked = self.filter(status=Status.ACTIVE)
        return marked if now is None else marked.filter(expires_at__gt=now)

    def held_on(self, intent_id: UUID, now: datetime | None = None) -> "LeaseQuerySet":
        """Filter for held leases of the intent, by the index of active ones.

        That has the first level, too: asked for the intent alone, SQLite goes through all leases that it ever had.
        """
        return self.held(now).filter(intent_id=intent_id, first_level__gte="")

    def overdue(self, now: datetime) -> "LeaseQuerySet":
        """Filter for leases that have ended by `now` and are not marked so yet."""
        return self.filter(status=Status.ACTIVE, expires_at__lte=now)


class Holding:
    """Lease, or place in a queue, of one agent: the agent id under the same principal, or under a key that is bound to the agent (rule L-5)."""

    agent_id: Any
    principal: Any

    def is_held_by(self, actor: Actor) -> bool:
        """Return whether the actor is the holder."""
        return bool(self.agent_id == actor.id and (actor.is_bound or self.principal == actor.principal))


class Lease(Holding, models.Model):
    """Temporary ownership of one scope of an intent (RFC-0003).

    Leases on overlapping scopes cannot be active for different agents: verbs ensure that under the intent's lock, and the
    constraint below for one scope.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    intent = models.ForeignKey("intents.Intent", models.CASCADE, related_name="leases", db_index=False)
    agent_id = models.CharField(max_length=AGENT_ID)
    principal = models.CharField(
        max_length=PRINCIPAL, help_text="Principal of the holder: the person or the key (protocol §1.1)."
    )
    scope = models.CharField(max_length=MAX_SCOPE)
    first_level = models.CharField(
        max_length=MAX_SCOPE, help_text="First level of the scope: only scopes that share it can overlap."
    )
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    fencing_token = models.PositiveBigIntegerField()
    acquired_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)
    is_awaited = models.BooleanField(
        default=False, db_default=False, help_text="Agents wait for its scope: its end is handed over (rule L-9)."
    )

    objects: ClassVar[Any] = LeaseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["intent", "scope"], condition=Q(status="active"), name="one_active_lease_per_scope"),
            models.UniqueConstraint(fields=["intent", "fencing_token"], name="one_lease_per_fencing_token"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="lease_status_is_known"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("acquired_at")), name="lease_lasts"),
        ]
        indexes = [
            models.Index(fields=["intent", "id"], name="lease_by_intent"),
            models.Index(fields=["agent_id", "id"], name="lease_by_agent"),
            models.Index(fields=["expires_at"], name="lease_by_end", condition=Q(status="active")),
            models.Index(fields=["intent", "first_level"], name="lease_by_first_level", condition=Q(status="active")),
        ]

    def __str__(self) -> str:
        return f"{self.scope} held by {self.agent_id}"


def by_token(leases: Iterable[Lease]) -> list[Lease]:
    """Return the leases in the order of their tokens. Asked for that order, SQLite goes through all leases that the intent ever had."""
    return sorted(leases, key=attrgetter("fencing_token"))


class LeaseWaiterQuerySet(models.QuerySet["LeaseWaiter"]):
    def listening(self, now: datetime) -> "LeaseWaiterQuerySet":
        """Filter for agents that wait and have asked lately."""
        return self.filter(lease=None, waits_until__gt=now)


class LeaseWaiter(Holding, models.Model):
    """An agent's place in the queue for a scope (rule L-9), in the order of the ids.

    `waits_until` is a few seconds after the agent last asked; once it was granted a `lease`, the end of that.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    intent = models.ForeignKey("intents.Intent", models.CASCADE, related_name="+", db_index=False)
    agent_id = models.CharField(max_length=AGENT_ID)
    principal = models.CharField(max_length=PRINCIPAL)
    key_id = models.UUIDField(null=True)
    scope = models.CharField(max_length=MAX_SCOPE)
    duration_seconds = models.PositiveIntegerField()
    waits_until = models.DateTimeField()
    lease = models.ForeignKey(Lease, models.CASCADE, null=True, related_name="+", db_index=False)

    objects: ClassVar[Any] = LeaseWaiterQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["intent", "scope", "agent_id", "principal"], name="one_place_in_the_queue"),
        ]
        indexes = [models.Index(fields=["waits_until"], name="lease_waiter_by_end")]

    def __str__(self) -> str:
        return f"{self.agent_id} waits for {self.scope}"
