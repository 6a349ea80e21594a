"""Channels and notices (protocol §10)."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db import models
from django.db.models import Q

from core.agent_ids import USER_PREFIX
from core.db.fields import JSONTextField
from core.ids import new_id
from governance.models import Status as QuestionStatus
from governance.models import Urgency
from notices.errors import ChannelNotFound, NoticeNotFound

AGENT_ID = 255
MAX_NAME = 100
MAX_TO = 300
MAX_ERROR = 200


class ChannelKind(models.TextChoices):
    EMAIL = "email"
    SLACK = "slack"
    TEAMS = "teams"
    MATTERMOST = "mattermost"
    DISCORD = "discord"
    NTFY = "ntfy"
    WEBHOOK = "webhook"


class ChannelStatus(models.TextChoices):
    ACTIVE = "active"
    DISABLED = "disabled"


class ChannelQuerySet(models.QuerySet["Channel"]):
    def not_removed(self) -> "ChannelQuerySet":
        """Filter channels that are not removed."""
        return self.filter(removed_at=None)

    def active(self) -> "ChannelQuerySet":
        """Filter channels that send."""
        return self.filter(removed_at=None, status=ChannelStatus.ACTIVE)

    def require(self, channel_id: UUID | str) -> "Channel":
        """Return the channel. Raise ChannelNotFound if there is none."""
        found = self.not_removed().filter(pk=channel_id).first() if isinstance(channel_id, UUID) else None
        if found is None:
            raise ChannelNotFound(channel_id)
        return found


class Channel(models.Model):
    """A way to tell people of questions (protocol §10).

    A shared one hears every question of its urgencies. One with an `owner` is that person's own: their contact for these
    urgencies. The default one sends e-mail to the addresses of accounts, for people without a contact.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=MAX_NAME)
    kind = models.CharField(max_length=10, choices=ChannelKind)
    target = JSONTextField(default=list)
    secret = models.CharField(max_length=60)
    owner = models.CharField(max_length=MAX_TO, null=True)
    urgencies = JSONTextField(default=list)
    quiet_hours = JSONTextField(null=True)
    digest = JSONTextField(null=True)
    status = models.CharField(max_length=10, choices=ChannelStatus, default=ChannelStatus.ACTIVE)
    last_error = models.CharField(max_length=MAX_ERROR, null=True)
    failing_since = models.DateTimeField(null=True)
    is_default = models.BooleanField(default=False)
    created_by = models.CharField(max_length=AGENT_ID)
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = ChannelQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=ChannelKind.values), name="channel_kind_is_known"),
            models.CheckConstraint(condition=Q(status__in=ChannelStatus.values), name="channel_status_is_known"),
            models.UniqueConstraint(fields=["is_default"], condition=Q(is_default=True), name="one_default_channel"),
        ]
        indexes = [models.Index(fields=["owner"], name="channel_by_owner", condition=Q(removed_at=None))]

    def __str__(self) -> str:
        return self.name

    def hears(self, urgency: str) -> bool:
        return urgency in self.urgencies


class NoticeKind(models.TextChoices):
    ASKED = "asked"
    REMINDER = "reminder"
    ESCALATION = "escalation"
    RESOLVED = "resolved"
    DIGEST = "digest"
    TEST = "test"


QUESTIONS = (NoticeKind.ASKED, NoticeKind.REMINDER, NoticeKind.ESCALATION)
"""Kinds that ask for an answer: they end with the question."""


class NoticeStatus(models.TextChoices):
    PENDING = "pending"
    SENT = "sent"
    DEAD = "dead"
    OBSOLETE = "obsolete"
    """The question ended before it was sent."""


class NoticeQuerySet(models.QuerySet["Notice"]):
    def due(self, now: datetime) -> "NoticeQuerySet":
        """Filter notices to send now, without a live claim."""
        free = Q(claimed_until=None) | Q(claimed_until__lte=now)
        return self.filter(free, status=NoticeStatus.PENDING, next_attempt_at__lte=now)

    def claimed(self, now: datetime) -> "NoticeQuerySet":
        """Filter notices that a worker is sending."""
        return self.filter(status=NoticeStatus.PENDING, claimed_until__gt=now)

    def waiting(self) -> "NoticeQuerySet":
        """Filter notices that wait for the next digest of their channel."""
        return self.filter(status=NoticeStatus.PENDING, waits=True, digest=None)

    def require(self, notice_id: UUID | str) -> "Notice":
        """Return the notice. Raise NoticeNotFound if there is none."""
        found = self.filter(pk=notice_id).first() if isinstance(notice_id, UUID) else None
        if found is None:
            raise NoticeNotFound(notice_id)
        return found


class Notice(models.Model):
    """Notice of a question, or of several in a digest, by one channel to one person or to all who read it (rule H-3).

    `step` tells reminders and escalations of a question apart, so that none is told twice. One that `waits` for a digest is
    sent in it: `digest` is that notice. `tries` counts the attempts of this round; sending again begins a new one.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    arbitration = models.ForeignKey("governance.Arbitration", models.CASCADE, null=True, related_name="+", db_index=False)
    channel = models.ForeignKey(Channel, models.CASCADE, related_name="notices", db_index=False)
    digest = models.ForeignKey("self", models.CASCADE, null=True, related_name="members")
    to = models.CharField(max_length=MAX_TO)
    kind = models.CharField(max_length=10, choices=NoticeKind)
    step = models.PositiveIntegerField(default=0)
    urgency = models.CharField(max_length=10, choices=Urgency, default=Urgency.NORMAL)
    waits = models.BooleanField(default=False)
    status = models.CharField(max_length=10, choices=NoticeStatus, default=NoticeStatus.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    tries = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=MAX_ERROR, null=True)
    next_attempt_at = models.DateTimeField(null=True)
    claim = models.UUIDField(null=True)
    claimed_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = NoticeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["arbitration", "kind", "step", "channel", "to"], name="one_notice_per_step"),
            models.CheckConstraint(condition=Q(kind__in=NoticeKind.values), name="notice_kind_is_known"),
            models.CheckConstraint(condition=Q(status__in=NoticeStatus.values), name="notice_status_is_known"),
            models.CheckConstraint(
                condition=Q(status="pending", next_attempt_at__isnull=False, digest=None, ended_at=None)
                | Q(status="pending", next_attempt_at=None, digest__isnull=False, ended_at=None)
                | (~Q(status="pending") & Q(next_attempt_at=None, ended_at__isnull=False)),
                name="notice_is_due_or_ended",
            ),
            models.CheckConstraint(
                condition=Q(arbitration__isnull=False) | Q(kind__in=["digest", "test"]), name="notice_is_of_a_question"
            ),
        ]
        indexes = [
            models.Index(fields=["arbitration", "status", "id"], name="notice_by_arbitration"),
            models.Index(fields=["channel", "id"], name="notice_by_channel"),
            models.Index(fields=["to", "id"], name="notice_by_recipient"),
            models.Index(fields=["channel", "status", "next_attempt_at"], name="notice_to_send", condition=Q(status="pending")),
            models.Index(fields=["status", "next_attempt_at"], name="notice_by_time", condition=Q(status="pending")),
            models.Index(fields=["status", "id"], name="notice_by_status"),
            models.Index(fields=["ended_at"], name="notice_by_end", condition=Q(ended_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"Notice to {self.to.removeprefix(USER_PREFIX)}" if self.to else "Notice"

    @property
    def is_obsolete(self) -> bool:
        """Return whether it asks for an answer to a question that has ended."""
        asked = self.arbitration
        return self.kind in QUESTIONS and asked is not None and asked.status != QuestionStatus.PENDING
