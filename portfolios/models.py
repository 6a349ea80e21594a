from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from config.ids import new_id
from config.strictjson import JSONTextField

AGENT_ID = 255


class Status(models.TextChoices):
    ACTIVE = "active"
    COMPLETED = "completed"
    ABANDONED = "abandoned"


class Role(models.TextChoices):
    PRIMARY = "primary"
    MEMBER = "member"
    DEPENDENCY = "dependency"


class Portfolio(models.Model):
    """Intents that belong together, and the rules that they share (RFC-0007)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=500)
    description = models.TextField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    governance_policy = JSONTextField(default=dict)
    metadata = JSONTextField(default=dict)
    created_by = models.CharField(max_length=AGENT_ID)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(status__in=Status.values), name="portfolio_status_is_known")]
        indexes = [
            models.Index(fields=["created_by", "created_at", "id"], name="portfolio_by_creator"),
            models.Index(fields=["status", "created_at", "id"], name="portfolio_by_status"),
            models.Index(fields=["created_at", "id"], name="portfolio_by_age"),
        ]

    def __str__(self) -> str:
        return self.name


class Member(models.Model):
    """An intent in a portfolio. At most once, and one of them is primary at most (rule P-1)."""

    portfolio = models.ForeignKey(Portfolio, models.CASCADE, related_name="members", db_index=False)
    intent = models.ForeignKey("intents.Intent", models.CASCADE, related_name="memberships", db_index=False)
    role = models.CharField(max_length=64, default=Role.MEMBER)
    priority = models.IntegerField(default=0)
    added_by = models.CharField(max_length=AGENT_ID)
    added_at = models.DateTimeField()

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["portfolio", "intent"], name="one_membership_per_intent"),
            models.UniqueConstraint(fields=["portfolio"], condition=Q(role="primary"), name="one_primary_per_portfolio"),
        ]
        indexes = [models.Index(fields=["intent", "portfolio"], name="member_by_intent")]

    def __str__(self) -> str:
        return f"{self.intent_id} in {self.portfolio_id}"
