from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import Case, F, Q, When

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
        """Filter for those that are marked pending; with `now`, for those that can still be decided then.

        Only verbs judge by the time, under the intent's lock: readers go by what is marked (rule E-8).
        """
        marked = self.filter(status=Status.PENDING)
        return marked if now is None else marked.filter(Q(expires_at=None) | Q(expires_at__gt=now))

    def overdue(self, now: Any) -> "ArbitrationQuerySet":
        """Those that nobody can decide any more at `now`, an instant or the database's expression, but are not marked so yet."""
        return self.filter(status=Status.PENDING, expires_at__lte=now)

    def by_urgency(self, soon: datetime) -> "ArbitrationQuerySet":
        """Those that run out before `soon` by their end, then those that keep an intent from going on, then the oldest."""
        return self.order_by(Case(When(expires_at__lte=soon, then="expires_at")).asc(nulls_last=True), "-blocking", "pk")


class Arbitration(models.Model):
    """Agents disagree, or do not dare, and ask somebody to decide (RFC-0004).

    `status_before` is where a blocking one found its intent, and `sequence` the intent's last event once it was asked for:
    a change of status after it is somebody else's, and stays (rule A-2).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    intent = models.ForeignKey("intents.Intent", models.PROTECT, related_name="arbitrations", db_index=False)
    requester_id = models.CharField(max_length=AGENT_ID)
    principal = models.CharField(max_length=PRINCIPAL, help_text="Who asked: the person, else the key (protocol §1.1).")
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


class Decision(models.Model):
    """What was decided, by whom and why, for good: triggers refuse every change (RFC-0004)."""

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


class DelegationQuerySet(models.QuerySet["Delegation"]):
    def live(self, now: datetime) -> "DelegationQuerySet":
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)


class Delegation(models.Model):
    """An agent may do what its delegator may, within a scope and for a time (RFC-0004).

    `scope` has the lists `intents`, `portfolios` and `actions`: ids, ids and words.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    delegator = models.CharField(max_length=AGENT_ID)
    principal = models.CharField(max_length=PRINCIPAL, help_text="Who delegated: the person, else the key (protocol §1.1).")
    delegate = models.CharField(max_length=AGENT_ID)
    scope = JSONTextField(default=dict)
    constraints = JSONTextField(default=dict)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    objects: ClassVar[Any] = DelegationQuerySet.as_manager()

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
