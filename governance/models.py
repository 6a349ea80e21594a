"""Arbitrations, votes, decisions, permits and delegations (RFC-0004)."""

from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q

from access.models import RevocableQuerySet
from core.db.fields import JSONTextField
from core.ids import new_id

AGENT_ID = 255
PRINCIPAL = 300
SHA256 = 64
VERB = 100
TARGET = 500
EFFECT_KEY = 255


class Status(models.TextChoices):
    PENDING = "pending"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Urgency(models.TextChoices):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


class FallbackKind(models.TextChoices):
    """Effect of the end of a question that nobody has answered (rule H-2)."""

    EXPIRE = "expire"
    """It expires, as without a fallback."""
    DECIDE = "decide"
    """It is decided with a decision that was agreed on, which grants nothing."""
    FAIL = "fail"
    """It expires, and is a failure of the agent that asked, to which the intent's retry policy applies."""


def expire() -> dict[str, Any]:
    """Return the fallback of a question that names none."""
    return {"do": FallbackKind.EXPIRE.value, "decision": None, "answer": None}


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

    def due_for_step(self, now: datetime) -> "ArbitrationQuerySet":
        """Filter for arbitrations whose next reminder or escalation is due."""
        return self.pending(now).filter(next_step_at__lte=now)

    def by_deadline(self) -> "ArbitrationQuerySet":
        """Order by those that block an intent first, then by the end, those without one last and the oldest first."""
        return self.order_by("-blocking", F("expires_at").asc(nulls_last=True), "pk")


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
    action = JSONTextField(null=True, help_text="The act that a permit allows once (protocol §9).")
    action_sha256 = models.CharField(max_length=SHA256, null=True)
    bind_version = models.BooleanField(default=False)
    bind_paths = JSONTextField(default=list)
    bound_values = JSONTextField(default=dict, help_text="Digests of the values under `bind_paths`.")
    intent_version = models.PositiveBigIntegerField(null=True, help_text="The version that those who decide were shown.")
    grants = JSONTextField(default=list)
    permit_seconds = models.PositiveIntegerField(null=True)
    quorum = models.PositiveSmallIntegerField(null=True)
    rebinds = models.PositiveIntegerField(default=0, help_text="How often it was bound to a newer version; votes count for one.")
    response_schema = JSONTextField(null=True, help_text="The schema of a typed answer (protocol §10).")
    audience = JSONTextField(default=list)
    urgency = models.CharField(max_length=10, choices=Urgency, default=Urgency.NORMAL)
    remind_after_seconds = JSONTextField(default=list)
    escalation = JSONTextField(default=list)
    fallback = JSONTextField(default=expire)
    told = JSONTextField(default=list, help_text="Who was told, by which channel, when.")
    assignee = models.CharField(max_length=PRINCIPAL, null=True, help_text="The person who looks after it (rule H-8).")
    information = JSONTextField(default=list, help_text="What was asked back, and what the agent answered (rule H-9).")
    steps_done = models.PositiveSmallIntegerField(default=0, help_text="Of the reminders and escalations, in their order.")
    next_step_at = models.DateTimeField(null=True)
    reminded_at = models.DateTimeField(null=True, help_text="When somebody last asked for a reminder.")
    expires_at = models.DateTimeField(null=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.PENDING)
    created_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, help_text="When it was decided or withdrawn.")

    objects: ClassVar[Any] = ArbitrationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=Status.values), name="arbitration_status_is_known"),
            models.CheckConstraint(condition=Q(urgency__in=Urgency.values), name="arbitration_urgency_is_known"),
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
            models.CheckConstraint(
                condition=Q(action=None, action_sha256=None, permit_seconds=None)
                | Q(action__isnull=False, action_sha256__isnull=False, permit_seconds__gte=1, intent_version__gte=1),
                name="action_is_bound",
            ),
            models.CheckConstraint(condition=Q(quorum=None) | Q(quorum__gte=1), name="quorum_from_1"),
        ]
        indexes = [
            models.Index(fields=["intent", "id"], name="arbitration_by_intent"),
            models.Index(fields=["status", "id"], name="arbitration_by_status"),
            models.Index(fields=["status", "expires_at"], name="arbitration_by_end", condition=Q(status="pending")),
            models.Index(fields=["intent", "status", "id"], name="arbitration_of_intent"),
            models.Index(fields=["assignee", "id"], name="arbitration_by_assignee", condition=Q(assignee__isnull=False)),
            models.Index(
                fields=["status", "next_step_at"],
                name="arbitration_by_step",
                condition=Q(status="pending", next_step_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.reason[:100]

    @property
    def needs_votes(self) -> bool:
        """Whether those who grant are counted: for a permit, or for a quorum."""
        return self.action is not None or self.quorum is not None

    @property
    def known_votes(self) -> "list[Vote]":
        return [*self.votes.all()] if self.needs_votes else []

    @property
    def open_information(self) -> dict[str, Any] | None:
        """The question back that is not answered yet: the last entry of `information`."""
        last = self.information[-1] if self.information else None
        return last if last and last["answered_at"] is None else None

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
    answer = JSONTextField(null=True, help_text="Valid against the arbitration's response_schema (rule H-1).")
    decided_by = models.CharField(max_length=AGENT_ID)
    principal = models.CharField(
        max_length=PRINCIPAL, null=True, help_text="Principal of who decided (protocol §1.1); none of an old decision."
    )
    created_at = models.DateTimeField()

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        indexes = [models.Index(fields=["intent", "id"], name="decision_by_intent")]

    def __str__(self) -> str:
        return self.decision[:100]


class Vote(models.Model):
    """Vote of one principal on an arbitration with an action or a quorum (rule A-13).

    `rebinds` is the arbitration's at the time: a vote counts as long as the arbitration is bound to what the voter was shown.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    arbitration = models.ForeignKey(Arbitration, models.PROTECT, related_name="votes", db_index=False)
    decided_by = models.CharField(max_length=AGENT_ID)
    principal = models.CharField(max_length=PRINCIPAL)
    is_bound = models.BooleanField(help_text="Whether the key is bound to the agent id.")
    decision = models.TextField()
    rationale = models.TextField(null=True)
    grants = models.BooleanField()
    rebinds = models.PositiveIntegerField()
    created_at = models.DateTimeField()

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["arbitration", "rebinds", "principal"], name="one_vote_per_principal")]

    def __str__(self) -> str:
        return f"{self.decided_by}: {self.decision[:100]}"

    is_last = False
    """Whether the vote that has just been cast completes the decision."""

    @property
    def counts(self) -> bool:
        return self.rebinds == self.arbitration.rebinds


class PermitStatus(models.TextChoices):
    LIVE = "live"
    SPENT = "spent"
    STALE = "stale"
    EXPIRED = "expired"
    REVOKED = "revoked"


class PermitOutcome(models.TextChoices):
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"


class PermitQuerySet(models.QuerySet["Permit"]):
    def holding(self, effect_key: str) -> "PermitQuerySet":
        """Filter for the permit that holds the effect key: live, or spent and not failed (rule A-16)."""
        return self.filter(HOLDS_EFFECT, effect_key=effect_key)


HOLDS_EFFECT = Q(status=PermitStatus.LIVE) | Q(status=PermitStatus.SPENT) & (Q(outcome=None) | ~Q(outcome=PermitOutcome.FAILED))


class Permit(models.Model):
    """The right of one agent to do one act once (rules A-8 to A-11).

    What it is about stands in the arbitration's `action`; verb, target and digest are repeated for lists.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    arbitration = models.OneToOneField(Arbitration, models.PROTECT, related_name="permit")
    decision = models.OneToOneField(Decision, models.PROTECT, related_name="permit")
    intent = models.ForeignKey("intents.Intent", models.PROTECT, related_name="permits", db_index=False)
    agent_id = models.CharField(max_length=AGENT_ID)
    principal = models.CharField(max_length=PRINCIPAL, help_text="Principal of the agent that asked (protocol §1.1).")
    verb = models.CharField(max_length=VERB)
    target = models.CharField(max_length=TARGET)
    action_sha256 = models.CharField(max_length=SHA256)
    effect_key = models.CharField(max_length=EFFECT_KEY, null=True)
    intent_version = models.PositiveBigIntegerField()
    bound_values = JSONTextField(default=dict)
    status = models.CharField(max_length=10, choices=PermitStatus, default=PermitStatus.LIVE)
    expires_at = models.DateTimeField()
    spent_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=10, choices=PermitOutcome, null=True)
    outcome_note = models.TextField(null=True)
    created_at = models.DateTimeField()

    objects: ClassVar[Any] = PermitQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=PermitStatus.values), name="permit_status_is_known"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="permit_lasts"),
            models.CheckConstraint(
                condition=Q(status=PermitStatus.SPENT, spent_at__isnull=False)
                | ~Q(status=PermitStatus.SPENT) & Q(spent_at=None, outcome=None),
                name="permit_is_spent_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(outcome=None) | Q(outcome__in=PermitOutcome.values), name="permit_outcome_is_known"
            ),
            models.UniqueConstraint(fields=["effect_key"], condition=HOLDS_EFFECT, name="one_permit_per_effect"),
        ]
        indexes = [
            models.Index(fields=["intent", "id"], name="permit_by_intent"),
            models.Index(fields=["status", "id"], name="permit_by_status"),
            models.Index(fields=["status", "expires_at"], name="permit_by_end", condition=Q(status=PermitStatus.LIVE)),
            models.Index(fields=["intent", "status", "id"], name="permit_live", condition=Q(status=PermitStatus.LIVE)),
            models.Index(
                fields=["status", "expires_at"],
                name="permit_without_outcome",
                condition=Q(status=PermitStatus.SPENT, outcome=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.target} ({self.agent_id})"

    def status_at(self, now: datetime) -> str:
        """Return the status at `now`: an overdue one is expired. For verbs, which hold the intent's lock (rule E-8)."""
        is_overdue = self.status == PermitStatus.LIVE and self.expires_at <= now
        return str(PermitStatus.EXPIRED if is_overdue else self.status)


class Gate(models.Model):
    """An operation that needs a permit: on an intent, on a portfolio and its members, or everywhere (rule A-12)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    intent = models.ForeignKey("intents.Intent", models.PROTECT, null=True, related_name="+")
    portfolio = models.ForeignKey("portfolios.Portfolio", models.PROTECT, null=True, related_name="+")
    verb = models.CharField(max_length=VERB)
    when = JSONTextField(default=dict)
    quorum = models.PositiveSmallIntegerField(default=1)
    deciders = JSONTextField(default=list)
    permit_seconds = models.PositiveIntegerField(null=True)
    created_by = models.CharField(max_length=AGENT_ID)
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(intent=None) | Q(portfolio=None), name="gate_is_in_one_place"),
            models.CheckConstraint(condition=Q(quorum__gte=1), name="gate_quorum_from_1"),
        ]

    def __str__(self) -> str:
        return self.verb


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
