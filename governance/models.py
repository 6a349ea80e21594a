"""Arbitrations, decisions and delegations (RFC-0004)."""

from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import Case, F, Q, When

from access.models import RevocableQuerySet
from core.db.fields import JSONTextField
from core.ids import new_id

AGENT_ID = 255
PRINCIPAL = 300


class Status(models.TextChoices):
    PENDING = "pending"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class ArbitrationQuerySet(models.QuerySet["Arbitration"]):
    def pending(self, now: datetime | None = None) -> "ArbitrationQuerySet":
        """Filter for arbitrations that are marked pending; with `now`, for those that are not overdue then.

        Only verbs compare with the time, under the intent's lock: readers use the status (rule E-8).
        """
        marked = self.filter(status=Status.PENDING)
        return marked if now is None else marked.filter(Q(expires_at=None) | Q(expires_at__gt=now))

    def overdue(self, now: datetime) -> "ArbitrationQuerySet":
        """Filter for arbitrations that have ended by `now` and are not marked so yet."""
        return self.filter(status=Status.PENDING, expires_at__lte=now)

    def by_urgency(self, soon: datetime) -> "ArbitrationQuerySet":
        """Order by the end for those that expire before `soon`, then those that block an intent, then the oldest."""
        return self.order_by(Case(When(expires_at__lte=soon, then="expires_at")).asc(nulls_last=True), "-blocking", "pk")


class Arbitration(models.Model):
    """A request for a decision on an intent (RFC-0004).

    `status_before` is the intent's status before a blocking one, and `sequence` its last event then: a later change of the
    status was made by another caller, and stays (rule A-2).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    intent = models.ForeignKey("intents.Intent", models.PROTECT, related_name="arbitrations", db_index=False)
    requester_id = models.CharField(max_length=AGENT_ID)
    principal = models.CharField(
        max_length=PRINCIPAL, help_text="Principal of the requester: the person or the key (protocol §1.1)."
    )
    reason = models.TextField()
    context = JSONTextField(default=dict)
    options = JSONTextField(default=list)
    blocking = models.BooleanField(default=False)
    status_before = models.CharField(max_length=10, null=True)
    sequence = models.PositiveBigIntegerField()
    expires_at = models.DateTimeField(null=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    created_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, help_text="When it was decided or withdrawn.")

    objects: ClassVar[Any] = ArbitrationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=Status.values), name="arbitration_status_is_known"),
            models.CheckConstraint(condition=Q(expires_at=None) | Q(expires_at__gt=F("created_at")), name="arbitration_lasts"),
            models.CheckConstraint(
                condition=Q(status__in=[Status.PENDING, Status.EXPIRED], resolved_at=None)
                | Q(status__in=[Status.RESOLVED, Status.WITHDRAWN], resolved_at__isnull=False),
                name="arbitration_ends_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(blocking=True, status_before__isnull=False) | Q(blocking=False, status_before=None),
                name="blocking_knows_the_way_back",
            ),
        ]
        indexes = [
            models.Index(fields=["intent", "id"], name="arbitration_by_intent"),
            models.Index(fields=["status", "id"], name="arbitration_by_status"),
            models.Index(fields=["expires_at"], name="arbitration_by_end", condition=Q(status="pending")),
        ]

    def __str__(self) -> str:
        return self.reason[:100]

    @property
    def resolution(self) -> "Decision | None":
        """The decision that resolved it."""
        return getattr(self, "decision", None) if self.status == Status.RESOLVED else None

    def status_at(self, now: datetime) -> str:
        """Return the status at `now`: an overdue one is expired. For verbs, which hold the intent's lock (rule E-8)."""
        is_overdue = self.status == Status.PENDING and self.expires_at and self.expires_at <= now
        return str(Status.EXPIRED if is_overdue else self.status)


class Decision(models.Model):
    """An immutable decision with its rationale (RFC-0004): triggers refuse every change."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    intent = models.ForeignKey("intents.Intent", models.PROTECT, related_name="decisions", db_index=False)
    arbitration = models.OneToOneField(Arbitration, models.PROTECT, null=True, related_name="decision")
    decision = models.TextField()
    rationale = models.TextField(null=True)
    decision_type = models.CharField(max_length=100)
    evidence = JSONTextField(default=list)
    decided_by = models.CharField(max_length=AGENT_ID)
    created_at = models.DateTimeField()

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        indexes = [models.Index(fields=["intent", "id"], name="decision_by_intent")]

    def __str__(self) -> str:
        return self.decision[:100]


class Delegation(models.Model):
    """The right of an agent to act for its delegator, within a scope and for a time (RFC-0004).

    `scope` has the lists `intents`, `portfolios` and `actions`: ids, ids and words.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    delegator = models.CharField(max_length=AGENT_ID)
    principal = models.CharField(
        max_length=PRINCIPAL, help_text="Principal of the delegator: the person or the key (protocol §1.1)."
    )
    delegate = models.CharField(max_length=AGENT_ID)
    scope = JSONTextField(default=dict)
    constraints = JSONTextField(default=dict)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    objects: ClassVar[Any] = RevocableQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(expires_at=None) | Q(expires_at__gt=F("created_at")), name="delegation_lasts"),
        ]
        indexes = [
            models.Index(fields=["delegate", "id"], name="delegation_by_delegate"),
            models.Index(fields=["delegator", "id"], name="delegation_by_delegator"),
        ]

    def __str__(self) -> str:
        return f"{self.delegator} to {self.delegate}"
