"""Costs, their totals, and budget alerts (RFC-0009)."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from core.db.fields import JSONTextField
from core.ids import new_id
from costs.amounts import MAX_AMOUNT, TRILLIONTHS

AGENT_ID = 255
PRINCIPAL = 300
COST_TYPE, UNIT, SOURCE = 100, 32, 255


class Cost(models.Model):
    """A cost of an intent. The amount is `whole` units and `parts` trillionths of one (rule C-1)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    intent = models.ForeignKey("intents.Intent", models.CASCADE, related_name="costs", db_index=False)
    agent_id = models.CharField(max_length=AGENT_ID)
    cost_type = models.CharField(max_length=COST_TYPE)
    whole = models.BigIntegerField()
    parts = models.BigIntegerField()
    unit = models.CharField(max_length=UNIT)
    provider = models.CharField(max_length=SOURCE, null=True)
    model = models.CharField(max_length=SOURCE, null=True)
    metadata = JSONTextField(default=dict)
    recorded_at = models.DateTimeField()

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(whole__gte=0, whole__lt=MAX_AMOUNT) | Q(whole=MAX_AMOUNT, parts=0), name="cost_is_within_bounds"
            ),
            models.CheckConstraint(condition=Q(parts__gte=0, parts__lt=TRILLIONTHS), name="cost_parts_make_no_whole"),
        ]
        indexes = [models.Index(fields=["intent", "id"], name="cost_by_intent")]

    def __str__(self) -> str:
        return f"{self.cost_type} by {self.agent_id}"

    @property
    def amount(self) -> int:
        """The amount in trillionths."""
        return self.whole * TRILLIONTHS + self.parts


class CostTotal(models.Model):
    """The total of an intent's costs of one kind, updated by the verb that records them.

    Summaries and budgets read these few rows and never the cost entries. `parts` may exceed a whole unit.
    """

    intent = models.ForeignKey("intents.Intent", models.CASCADE, related_name="spending", db_index=False)
    unit = models.CharField(max_length=UNIT)
    cost_type = models.CharField(max_length=COST_TYPE)
    agent_id = models.CharField(max_length=AGENT_ID)
    provider = models.CharField(max_length=SOURCE, blank=True, help_text="Empty: none.")
    model = models.CharField(max_length=SOURCE, blank=True, help_text="Empty: none.")
    whole = models.BigIntegerField()
    parts = models.BigIntegerField()
    count = models.PositiveBigIntegerField()

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        db_table = "costs_spending"
        constraints = [
            models.UniqueConstraint(
                fields=["intent", "unit", "cost_type", "agent_id", "provider", "model"], name="one_spending_per_kind"
            ),
            models.CheckConstraint(condition=Q(whole__gte=0, parts__gte=0, count__gte=1), name="spending_only_grows"),
        ]

    def __str__(self) -> str:
        return f"{self.unit} for {self.cost_type} by {self.agent_id}"


class LimitSetter(models.Model):
    """Principal that set a limit of an intent: only it, arbiters and operators may raise or remove it (rule C-5)."""

    intent = models.ForeignKey("intents.Intent", models.CASCADE, related_name="limit_setters", db_index=False)
    limit_kind = models.CharField(max_length=30)
    principal = models.CharField(max_length=PRINCIPAL)

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["intent", "limit_kind"], name="one_setter_per_limit")]

    def __str__(self) -> str:
        return f"{self.limit_kind} by {self.principal}"


class Level(models.TextChoices):
    ALERT = "alert"
    EXCEEDED = "exceeded"


class BudgetAlert(models.Model):
    """An alert about a limit in its owner's log: one for each value of the limit and each level (rule C-3)."""

    intent = models.ForeignKey("intents.Intent", models.CASCADE, null=True, related_name="+", db_index=False)
    portfolio_id = models.UUIDField(null=True)
    limit_kind = models.CharField(max_length=20)
    limit = models.CharField(max_length=40)
    agent_id = models.CharField(max_length=AGENT_ID, blank=True, help_text="Empty: all agents.")
    level = models.CharField(max_length=10, choices=Level)
    crossed_at = models.DateTimeField()

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        db_table = "costs_crossing"
        constraints = [
            models.UniqueConstraint(
                fields=["intent", "limit_kind", "limit", "agent_id", "level"],
                condition=Q(portfolio_id=None),
                name="one_crossing_per_intent",
            ),
            models.UniqueConstraint(
                fields=["portfolio_id", "limit_kind", "limit", "agent_id", "level"],
                condition=Q(intent=None),
                name="one_crossing_per_portfolio",
            ),
            models.CheckConstraint(
                condition=Q(intent=None, portfolio_id__isnull=False) | Q(intent__isnull=False, portfolio_id=None),
                name="crossing_has_one_owner",
            ),
            models.CheckConstraint(condition=Q(level__in=Level.values), name="crossing_level_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.limit_kind} of {self.limit}: {self.level}"
