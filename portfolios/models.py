"""Portfolios and memberships (RFC-0007)."""

from collections.abc import Collection
from typing import Any, ClassVar, NamedTuple
from uuid import UUID

from django.db import models
from django.db.models import Q

from access.identity import Actor
from core.db import sql_rows
from core.db.fields import JSONTextField
from core.ids import new_id
from intents.errors import IllegalTransition, VersionConflict
from intents.models import Intent
from portfolios.errors import PortfolioClosed, PortfolioNotFound

AGENT_ID = 255
PRINCIPAL = 300
ROLE = 64
CHANGEABLE = ("name", "description", "governance_policy", "metadata")


class Status(models.TextChoices):
    ACTIVE = "active"
    COMPLETED = "completed"
    ABANDONED = "abandoned"


FINAL = (Status.COMPLETED, Status.ABANDONED)

TRANSITIONS: dict[str, tuple[str, ...]] = {Status.ACTIVE: FINAL, Status.COMPLETED: (), Status.ABANDONED: ()}
"""Rule P-2."""


class Role(models.TextChoices):
    PRIMARY = "primary"
    MEMBER = "member"
    DEPENDENCY = "dependency"


class PortfolioQuerySet(models.QuerySet["Portfolio"]):
    def require(self, portfolio_id: UUID | str) -> UUID:
        """Return the id of a portfolio that exists. Raise PortfolioNotFound, also for a malformed id."""
        if not isinstance(portfolio_id, UUID) or not sql_rows.exists(self.model, portfolio_id):
            raise PortfolioNotFound(portfolio_id)
        return portfolio_id

    def lock(self, portfolio_id: UUID | str) -> "Portfolio":
        """Lock the portfolio's row until the transaction ends. Raise PortfolioNotFound."""
        found = sql_rows.lock(self.model, portfolio_id) if isinstance(portfolio_id, UUID) else None
        if found is None:
            raise PortfolioNotFound(portfolio_id)
        return found

    def lock_all(self, ids: Collection[UUID]) -> list["Portfolio"]:
        """Lock the portfolios in the order of their ids. Verbs that need intents as well lock those afterwards."""
        return [*self.filter(pk__in=ids).order_by("pk").select_for_update()] if ids else []

    def completable_by(self, intent_ids: Collection[UUID]) -> set[UUID]:
        """Return the ids of portfolios that may complete automatically when these intents close (rule P-2)."""
        active = self.filter(members__intent_id__in=intent_ids, status=Status.ACTIVE, auto_complete_threshold__isnull=False)
        return set(active.values_list("pk", flat=True))


class Portfolio(models.Model):
    """A group of intents with a shared governance policy (RFC-0007).

    `auto_complete_threshold` repeats the one of `governance_policy`, so that few portfolios are read when an intent closes.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=500)
    description = models.TextField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    governance_policy = JSONTextField(default=dict)
    auto_complete_threshold = models.FloatField(null=True)
    metadata = JSONTextField(default=dict)
    version = models.PositiveBigIntegerField(default=1)
    created_by = models.CharField(max_length=AGENT_ID)
    principal = models.CharField(
        max_length=PRINCIPAL, default="", help_text="Principal of the creator, who may change its policy (rule P-5)."
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    objects: ClassVar[Any] = PortfolioQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=Status.values), name="portfolio_status_is_known"),
            models.CheckConstraint(
                condition=Q(auto_complete_threshold__gt=0, auto_complete_threshold__lte=100),
                name="portfolio_threshold_is_percent",
            ),
            models.CheckConstraint(condition=Q(version__gte=1), name="portfolio_version_from_1"),
        ]
        indexes = [
            models.Index(fields=["created_by", "created_at", "id"], name="portfolio_by_creator"),
            models.Index(fields=["status", "created_at", "id"], name="portfolio_by_status"),
            models.Index(fields=["created_at", "id"], name="portfolio_by_age"),
        ]

    def __str__(self) -> str:
        return self.name

    epoch: int | None = None
    """The epoch when this row was locked (core.db), if it was."""

    @property
    def is_active(self) -> bool:
        return self.status == Status.ACTIVE

    def require_version(self, expected: int | None) -> None:
        """Raise VersionConflict if a version is expected and the portfolio has another (rule P-4)."""
        if expected is not None and self.version != expected:
            raise VersionConflict(self.version, expected, of="Portfolio")

    def require_active(self) -> None:
        """Raise PortfolioClosed if the status is final (rule P-1)."""
        if not self.is_active:
            raise PortfolioClosed(self.pk, self.status)

    def require_transition(self, status: str) -> None:
        """Raise IllegalTransition if the status cannot follow the current one (rule P-2)."""
        if status not in TRANSITIONS[self.status]:
            raise IllegalTransition(self.status, status, TRANSITIONS[self.status], of="A portfolio")


class Membership(models.Model):
    """Membership of an intent in a portfolio: at most one each, and at most one primary member (rule P-1).

    Rows are added under the portfolio's lock, so within one portfolio the order of `id` is that of `added_at`.
    """

    portfolio = models.ForeignKey(Portfolio, models.CASCADE, related_name="members", db_index=False)
    intent = models.ForeignKey("intents.Intent", models.CASCADE, related_name="memberships", db_index=False)
    role = models.CharField(max_length=ROLE, default=Role.MEMBER)
    priority = models.IntegerField(default=0)
    added_by = models.CharField(max_length=AGENT_ID)
    principal = models.CharField(
        max_length=PRINCIPAL, help_text="Principal that added it: the person or the key (protocol §1.1)."
    )
    by_role = models.CharField(max_length=10, help_text="Role of the principal at that time.")
    added_at = models.DateTimeField()

    objects: ClassVar[Any] = models.Manager()

    class Meta:
        db_table = "portfolios_member"
        constraints = [
            models.UniqueConstraint(fields=["portfolio", "intent"], name="one_membership_per_intent"),
            models.UniqueConstraint(fields=["portfolio"], condition=Q(role="primary"), name="one_primary_per_portfolio"),
        ]
        indexes = [
            models.Index(fields=["intent", "portfolio"], name="member_by_intent"),
            models.Index(fields=["portfolio", "-priority", "id"], name="member_in_order"),
        ]

    def __str__(self) -> str:
        return f"{self.intent_id} in {self.portfolio_id}"


class NewMember(NamedTuple):
    """A new intent that becomes a member, and who adds it."""

    intent: Intent
    role: str
    priority: int
    actor: Actor
