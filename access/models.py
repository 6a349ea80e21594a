"""API keys and roles (protocol §1.1)."""

from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import Q

from core.db.fields import JSONTextField
from core.ids import new_id

MAX_NAME = 100
MAX_ACTOR = 300


class Role(models.TextChoices):
    """Role of a key; each role includes the previous ones."""

    OBSERVER = "observer", "Observer: read-only"
    AGENT = "agent", "Agent: read and write"
    ARBITER = "arbiter", "Arbiter: can also decide and revoke leases"
    OPERATOR = "operator", "Operator: full access, including keys"

    def includes(self, other: "Role") -> bool:
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(other)


class RevocableQuerySet(models.QuerySet[Any]):
    def live(self, now: datetime) -> Self:
        """Filter for rows that are neither revoked nor expired."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)


class Way(models.TextChoices):
    """Way by which a program comes in with a key."""

    API = "api", "API"
    MCP = "mcp", "MCP"


class ApiKey(models.Model):
    """API key, of which only the digest is stored (protocol §1.1)."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=MAX_NAME)
    role = models.CharField(max_length=10, choices=Role)
    agent_id = models.CharField("bound to agent", max_length=255, null=True, blank=True)
    prefix = models.CharField(max_length=16)
    digest = models.CharField(max_length=64, unique=True)
    created_by = models.CharField(max_length=255)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_used_by = models.CharField(max_length=4, choices=Way, blank=True, default="")
    revoked_at = models.DateTimeField(null=True, blank=True)
    first_key_id = models.UUIDField(null=True, editable=False, help_text="The first of the keys that were rotated into this one.")

    objects = RevocableQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"
        ordering = ["-created_at"]
        constraints = [models.CheckConstraint(condition=Q(role__in=Role.values), name="key_role_is_known")]
        indexes = [models.Index(fields=["created_at", "id"], name="key_by_age")]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class AuditEntry(models.Model):
    """An act that is in no event log: signing in and out, and what is done to keys and people (access.audit_log).

    It is never changed, and deleted when it is older than AUDIT_KEEP_DAYS.
    """

    at = models.DateTimeField(db_index=True)
    action = models.CharField(max_length=40)
    actor = models.CharField(max_length=MAX_ACTOR)
    subject = models.CharField(max_length=MAX_ACTOR)
    address = models.CharField(max_length=64, blank=True)
    details = JSONTextField(default=dict)

    class Meta:
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.action} by {self.actor}"


class Console(models.Model):
    """Model without a table, for the permissions behind the roles of users (access.roles)."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = [
            ("look", "Can look at everything in the console"),
            ("arbitrate", "Can decide arbitrations and revoke leases"),
            ("operate", "Can do everything in the console"),
        ]

    def __str__(self) -> str:
        return "Console"
