"""Intents, their graph, their assignments and the event log (RFC-0001, RFC-0002)."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from django.db import models
from django.db.models import F, Q

from core.db import database_now, sql_rows
from core.db.fields import JSONTextField
from core.ids import new_id
from intents.errors import IllegalTransition, IntentClosed, IntentNotFound, VersionConflict

AGENT_ID = 255
P = TypeVar("P", bound=models.Model)


class Status(models.TextChoices):
    DRAFT = "draft"
    PENDING = "pending"
    ACTIVE = "active"
    BLOCKED = "blocked"
    COMPLETED = "completed"
    ABANDONED = "abandoned"


FINAL = (Status.COMPLETED, Status.ABANDONED)

TRANSITIONS: dict[str, tuple[str, ...]] = {
    Status.DRAFT: (Status.PENDING, Status.ACTIVE, Status.BLOCKED, *FINAL),
    Status.PENDING: (Status.ACTIVE, Status.BLOCKED, *FINAL),
    Status.ACTIVE: (Status.PENDING, Status.BLOCKED, *FINAL),
    Status.BLOCKED: (Status.PENDING, Status.ACTIVE, Status.ABANDONED),
    Status.COMPLETED: (),
    Status.ABANDONED: (),
}
"""Rule I-5."""


def initial_status(dependencies: Collection[str]) -> Status:
    """Return the status of a new intent whose dependencies have these statuses (rule I-4)."""
    if any(each != Status.COMPLETED for each in dependencies):
        return Status.BLOCKED
    return Status.PENDING if dependencies else Status.DRAFT


class IntentQuerySet(models.QuerySet["Intent"]):
    def row(self, intent_id: UUID | str) -> sql_rows.Row:
        """Return the intent's row, for a representation. Raise IntentNotFound, also for a malformed id."""
        found = sql_rows.get(self.model, intent_id) if isinstance(intent_id, UUID) else None
        if found is None:
            raise IntentNotFound(intent_id)
        return found

    def current(self, intent_id: UUID | str) -> "Intent":
        """Return the intent. Raise IntentNotFound."""
        found: Intent | None = self.filter(pk=intent_id).first() if isinstance(intent_id, UUID) else None
        if found is None:
            raise IntentNotFound(intent_id)
        return found

    def require(self, intent_id: UUID | str) -> UUID:
        """Return the id of an intent that exists. Raise IntentNotFound."""
        if not isinstance(intent_id, UUID) or not sql_rows.exists(self.model, intent_id):
            raise IntentNotFound(intent_id)
        return intent_id

    def lock(self, intent_id: UUID | str) -> "Intent":
        """Lock the intent's row until the transaction ends. Raise IntentNotFound."""
        found = sql_rows.lock(self.model, intent_id) if isinstance(intent_id, UUID) else None
        if found is None:
            raise IntentNotFound(intent_id)
        return found

    def lock_with(self, intent_id: UUID | str, part: type[P], part_id: UUID | str) -> tuple["Intent", P | None]:
        """Lock the intent as `lock` does, and return it with the `part` of it that has this id, if any, in one step."""
        if not isinstance(part_id, UUID):
            return self.lock(intent_id), None
        found = sql_rows.lock_with(self.model, intent_id, part, part_id) if isinstance(intent_id, UUID) else None
        if found is None:
            raise IntentNotFound(intent_id)
        return found

    def try_lock(self, intent_id: UUID) -> "Intent | None":
        """Lock the intent without waiting. Return None if it does not exist or another transaction holds it."""
        found: Intent | None = self.filter(pk=intent_id).select_for_update(skip_locked=True).first()
        return found

    def lock_all(self, ids: Collection[UUID]) -> dict[UUID, "Intent"]:
        """Lock the intents that exist, in the order of their ids: a new one's id is above its ancestors'.

        A verb that needs several takes them with one call, so that no two verbs wait for each other.
        """
        return {intent.pk: intent for intent in sql_rows.lock_all(self.model, sorted(ids))}

    def lock_fields(self, ids: Collection[UUID], *fields: str) -> dict[UUID, "Intent"]:
        """Lock the intents as `lock_all` does, and read only these fields: the states of many intents are large."""
        return {intent.pk: intent for intent in self.filter(pk__in=ids).order_by("pk").only(*fields).select_for_update()}


class Intent(models.Model):
    """A goal with versioned state (RFC-0001).

    `depends_on` and `agents` repeat the rows of Edge and Assignment in the order of their creation, `held_leases` those of
    Lease: verbs write both under this row's lock, so that an intent is read, and a write checked, with one query.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    title = models.CharField(max_length=500)
    description = models.TextField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.DRAFT)
    state = JSONTextField(default=dict)
    constraints = JSONTextField(default=dict)
    confidence = models.PositiveSmallIntegerField(null=True, blank=True)
    version = models.PositiveBigIntegerField(default=1)
    parent_intent = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="children", db_index=False)
    depends_on = JSONTextField(default=list)
    agents = JSONTextField(default=list)
    created_by = models.CharField(max_length=AGENT_ID)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    last_sequence = models.PositiveBigIntegerField(default=0)
    last_event_at = models.DateTimeField()
    on_hold = models.BooleanField(
        default=False, help_text="Blocked until a caller unblocks it: set by hand, or by an arbitration that expired."
    )
    last_fencing_token = models.PositiveBigIntegerField(default=0)
    active_leases = models.PositiveIntegerField(default=0, help_text="Marked active, also those that are overdue.")
    held_leases = JSONTextField(
        null=True, help_text="The active leases, repeated for the guards of writes while they are few (leasing.held_leases)."
    )

    objects: ClassVar[Any] = IntentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=Status.values), name="intent_status_is_known"),
            models.CheckConstraint(condition=Q(confidence__lte=100), name="intent_confidence_is_a_percentage"),
            models.CheckConstraint(condition=Q(version__gte=1), name="intent_version_from_1"),
            models.CheckConstraint(condition=Q(on_hold=False) | Q(status=Status.BLOCKED), name="only_blocked_is_on_hold"),
        ]
        indexes = [
            models.Index(fields=["created_at", "id"], name="intent_by_age"),
            models.Index(fields=["updated_at", "id"], name="intent_by_change"),
            models.Index(fields=["status", "created_at", "id"], name="intent_by_status"),
            models.Index(fields=["created_by", "created_at", "id"], name="intent_by_creator"),
            models.Index(fields=["parent_intent", "id"], name="intent_by_parent"),
        ]

    def __str__(self) -> str:
        return self.title

    locked_at: datetime | None = None
    epoch: int | None = None
    """The epoch when this row was locked (core.db), if it was."""

    @property
    def is_final(self) -> bool:
        return self.status in FINAL

    def now(self) -> datetime:
        """Return the database's time once this row was locked, never before its last event (rule E-7)."""
        if self.locked_at is None:
            self.locked_at = database_now()
        return self.clamp_to_log(self.locked_at)

    def read_clock(self) -> datetime:
        """Return the database's time at this instant, never before the last event (rule E-7)."""
        return self.clamp_to_log(database_now())

    def clamp_to_log(self, now: datetime) -> datetime:
        """Return the time, or that of the last event if the clock was set back since (rule E-7)."""
        return max(now, self.last_event_at)

    def require_version(self, expected: int) -> None:
        """Raise VersionConflict if the intent has another version (rule I-2)."""
        if self.version != expected:
            raise VersionConflict(self.version, expected)

    def require_open(self) -> None:
        """Raise IntentClosed if the status is final."""
        if self.is_final:
            raise IntentClosed(self.pk, self.status)

    def require_transition(self, status: str) -> None:
        """Raise IllegalTransition if the status cannot follow the current one (rule I-5)."""
        if status not in TRANSITIONS[self.status]:
            raise IllegalTransition(self.status, status, TRANSITIONS[self.status])


class EdgeKind(models.TextChoices):
    DEPENDENCY = "dependency"
    CHILD = "child"


class Edge(models.Model):
    """One intent waits for another: for its dependency, or for its child (RFC-0002).

    Both kinds are in one table since rule G-1 forbids cycles among both of them together.
    """

    waiter = models.ForeignKey(Intent, models.CASCADE, related_name="+", db_index=False)
    awaited = models.ForeignKey(Intent, models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=10, choices=EdgeKind)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["waiter", "kind", "awaited"], name="one_edge_of_a_kind"),
            models.CheckConstraint(condition=~Q(waiter=F("awaited")), name="no_intent_awaits_itself"),
        ]
        indexes = [models.Index(fields=["awaited", "kind", "waiter"], name="edge_by_awaited")]

    def __str__(self) -> str:
        return f"{self.waiter_id} awaits {self.kind} {self.awaited_id}"


class Assignment(models.Model):
    """An agent assigned to an intent."""

    intent = models.ForeignKey(Intent, models.CASCADE, related_name="assignments", db_index=False)
    agent_id = models.CharField(max_length=AGENT_ID)
    role = models.CharField(max_length=64)
    assigned_by = models.CharField(max_length=AGENT_ID)
    assigned_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["intent", "agent_id"], name="one_assignment_per_agent")]
        indexes = [models.Index(fields=["agent_id", "intent"], name="assignment_by_agent")]

    def __str__(self) -> str:
        return f"{self.agent_id} as {self.role}"


class TopicMembership(models.Model):
    """An intent's membership in the topic of an agent or a portfolio, from one of its events to another (rule S-4).

    It is permanent, so a topic that is read again later has the events that its readers got at the time (intents.topics).
    """

    topic = models.CharField(max_length=AGENT_ID + 10)
    intent = models.ForeignKey(Intent, models.CASCADE, related_name="+", db_index=False)
    first_sequence = models.PositiveBigIntegerField()
    last_sequence = models.PositiveBigIntegerField(null=True)

    class Meta:
        db_table = "intents_audience"
        constraints = [
            models.UniqueConstraint(fields=["intent", "topic"], condition=Q(last_sequence=None), name="hears_of_it_once"),
        ]
        indexes = [
            models.Index(fields=["topic", "intent"], name="audience_by_topic"),
            models.Index(fields=["intent"], name="audience_by_intent"),
        ]

    def __str__(self) -> str:
        return f"{self.intent_id} in {self.topic}"


class Event(models.Model):
    """An entry of the append-only log (RFC-0001 "Events"). Written by intents.events alone; triggers refuse every change.

    `row` is only the row's number. Readers order one intent by `sequence` and several by `position` (intents.positions); the
    API's `id` is `uid`.
    """

    row = models.BigAutoField(primary_key=True)
    uid = models.UUIDField(unique=True, default=new_id, editable=False)
    intent = models.ForeignKey(Intent, models.PROTECT, null=True, related_name="events", db_index=False)
    portfolio_id = models.UUIDField(null=True)
    sequence = models.PositiveBigIntegerField(null=True)
    position = models.PositiveBigIntegerField(null=True, unique=True)
    event_type = models.CharField(max_length=100)
    actor = models.CharField(max_length=AGENT_ID)
    key_id = models.UUIDField(null=True)
    payload = JSONTextField(default=dict)
    trace_id = models.CharField(max_length=255, null=True)
    parent_event_id = models.UUIDField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["intent", "sequence"], name="one_event_per_sequence")]
        indexes = [
            models.Index(fields=["event_type", "position"], name="event_by_type"),
            models.Index(fields=["trace_id", "position"], name="event_by_trace", condition=Q(trace_id__isnull=False)),
            models.Index(fields=["row"], name="event_without_position", condition=Q(position=None)),
            models.Index(fields=["row"], name="event_without_key", condition=Q(key_id=None)),  # Of people, and of the server.
        ]

    def __str__(self) -> str:
        return f"{self.event_type} by {self.actor}"
