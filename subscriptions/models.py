"""Subscriptions and their deliveries (RFC-0006)."""

from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlsplit
from uuid import UUID

from django.db import models
from django.db.models import F, Func, Q
from django.db.models.functions import Concat, Left, Replace, StrIndex, Substr

from access.identity import Actor
from access.models import Role
from core.db import sql_rows
from core.db.fields import JSONTextField
from core.ids import new_id
from subscriptions.errors import DeliveryNotFound, SubscriptionNotFound

AGENT_ID = 255
MAX_URL = 2_000
MAX_PRINCIPAL = 300


def origin(url: str | None) -> str | None:
    """Return scheme, host and port of a callback, without path and query, which may hold a token."""
    if url is None:
        return None
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class Status(models.TextChoices):
    ACTIVE = "active"
    PAUSED = "paused"
    DISABLED = "disabled"


class Pace(models.TextChoices):
    """Pace of a receiver; each has its share of concurrent calls (subscriptions.webhooks.delivery_worker)."""

    NEW = "new"
    """Not called yet, or its last call failed."""
    STEADY = "steady"
    """Its last call succeeded quickly."""
    SLOW = "slow"
    """Its last call was slow."""


SETTABLE = [Status.ACTIVE.value, Status.PAUSED.value]
"""Statuses that callers may set; `disabled` is set after failures, or in the console."""


def as_of(status: str, now: datetime) -> Q:
    """Return the condition of a status at `now`: expired subscriptions are disabled."""
    expired = Q(expires_at__lte=now)
    if status == Status.DISABLED:
        return Q(status=Status.DISABLED) | expired
    return Q(status=status) & ~expired


class SubscriptionQuerySet(models.QuerySet["Subscription"]):
    def not_removed(self) -> "SubscriptionQuerySet":
        """Filter subscriptions that are not removed."""
        return self.filter(removed_at=None)

    def deliverable_at(self, now: datetime) -> "SubscriptionQuerySet":
        """Filter subscriptions whose deliveries are sent."""
        return self.not_removed().filter(as_of(Status.ACTIVE, now), callback_url__isnull=False)

    def active_at(self, now: datetime) -> "SubscriptionQuerySet":
        """Filter subscriptions that may receive events. Paused ones receive those from before the pause."""
        return self.not_removed().filter(~Q(status=Status.DISABLED), callback_url__isnull=False).exclude(expires_at__lte=now)

    def with_last_delivery(self) -> "SubscriptionQuerySet":
        last = Delivery.objects.filter(subscription=models.OuterRef("pk"), last_attempt_at__isnull=False)
        return self.annotate(last_delivery_id=models.Subquery(last.order_by("-last_attempt_at", "-pk").values("pk")[:1]))

    def with_origin(self) -> "SubscriptionQuerySet":
        """Annotate `callback_origin`, equal to `origin`, for search by users who may not see the rest."""
        ended: Func = Concat(F("callback_url"), models.Value("/"), output_field=models.TextField())
        for mark in "?#":
            ended = Replace(ended, models.Value(mark), models.Value("/"))
        length = StrIndex(Substr(ended, len("https://") + 1), models.Value("/")) + len("https://") - 1
        return self.annotate(callback_origin=Left("callback_url", length))

    def require(self, subscription_id: UUID | str) -> "Subscription":
        """Return the subscription. Raise SubscriptionNotFound if there is none."""
        found = self.not_removed().filter(pk=subscription_id).first() if isinstance(subscription_id, UUID) else None
        if found is None:
            raise SubscriptionNotFound(subscription_id)
        return found

    def lock(self, subscription_id: UUID) -> "Subscription":
        """Return the locked subscription, removed or not. Raise SubscriptionNotFound if there is none."""
        found = sql_rows.lock(self.model, subscription_id)
        if found is None:
            raise SubscriptionNotFound(subscription_id)
        return found


class Subscription(models.Model):
    """Subscription to events of an intent, of a portfolio, or to all, sent to a callback (RFC-0006).

    `spans` are the positions that it covers, as [after, through]; the last one is open (through is null) unless it is paused
    or disabled. `failing_since` is its first failed attempt after the last success. `principal` created it, and may
    change it, whatever the agent ids are (rule W-4).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    intent = models.ForeignKey("intents.Intent", models.CASCADE, null=True, related_name="subscriptions", db_index=False)
    portfolio = models.ForeignKey("portfolios.Portfolio", models.CASCADE, null=True, related_name="subscriptions", db_index=False)
    subscriber_id = models.CharField(max_length=AGENT_ID)
    callback_url = models.CharField(max_length=MAX_URL, null=True)
    event_types = JSONTextField(default=list)
    secret = models.CharField(max_length=60)
    previous_secret = models.CharField(max_length=60, null=True)
    previous_secret_until = models.DateTimeField(null=True)
    status = models.CharField(max_length=10, choices=Status, default=Status.ACTIVE)
    spans = JSONTextField(default=list)
    failing_since = models.DateTimeField(null=True)
    pace = models.CharField(max_length=10, choices=Pace, default=Pace.NEW)
    expires_at = models.DateTimeField(null=True)
    created_by = models.CharField(max_length=AGENT_ID)
    principal = models.CharField(max_length=MAX_PRINCIPAL)
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = SubscriptionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(status__in=Status.values), name="subscription_status_is_known"),
            models.CheckConstraint(condition=Q(pace__in=Pace.values), name="subscription_pace_is_known"),
            models.CheckConstraint(condition=Q(intent=None) | Q(portfolio=None), name="subscription_to_one_topic"),
        ]
        indexes = [
            models.Index(fields=["intent", "id"], name="subscription_by_intent", condition=Q(removed_at=None)),
            models.Index(fields=["portfolio", "id"], name="subscription_by_portfolio", condition=Q(removed_at=None)),
            models.Index(fields=["subscriber_id", "id"], name="subscription_by_subscriber", condition=Q(removed_at=None)),
            models.Index(fields=["principal"], name="subscription_by_principal", condition=Q(removed_at=None)),
        ]

    def __str__(self) -> str:
        return self.subscriber_id

    @property
    def target(self) -> str:
        """Return the callback's origin, which everyone may see: path and query may hold a token (rule W-4)."""
        return origin(self.callback_url) or ""

    def is_managed_by(self, actor: Actor) -> bool:
        """Return whether the actor may change it and see the whole callback: its principal, or an operator."""
        return actor.role == Role.OPERATOR or actor.principal == self.principal

    def callback_for(self, actor: Actor) -> str | None:
        """Return the callback, for other readers without path and query (rule W-4)."""
        return self.callback_url if self.is_managed_by(actor) else origin(self.callback_url)

    def status_at(self, now: datetime) -> str:
        """Return the status at `now`: an expired subscription is disabled."""
        is_expired = self.expires_at and self.expires_at <= now
        return str(Status.DISABLED if is_expired else self.status)

    def covers(self, position: int) -> bool:
        """Return whether an event at the position belongs to the subscription."""
        return any(after < position and (through is None or position <= through) for after, through in self.spans)

    def secrets(self, now: datetime) -> list[str]:
        """Return the signing secrets: after a rotation the previous one, too, for some time (rule W-1)."""
        is_rotating = self.previous_secret and self.previous_secret_until and self.previous_secret_until > now
        return [self.secret, *([str(self.previous_secret)] if is_rotating else [])]


class DeliveryStatus(models.TextChoices):
    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    def claimed(self, now: datetime) -> "DeliveryQuerySet":
        """Filter deliveries claimed by a worker."""
        return self.filter(status=DeliveryStatus.PENDING, claimed_until__gt=now)

    def due(self, now: datetime) -> "DeliveryQuerySet":
        """Filter deliveries to send now, without a live claim."""
        free = Q(claimed_until=None) | Q(claimed_until__lte=now)
        return self.filter(free, status=DeliveryStatus.PENDING, next_attempt_at__lte=now)

    def require(self, subscription_id: UUID | str, delivery_id: UUID | str) -> "Delivery":
        """Return the delivery. Raise DeliveryNotFound if there is none."""
        are_ids = isinstance(subscription_id, UUID) and isinstance(delivery_id, UUID)
        found = self.filter(subscription=subscription_id, pk=delivery_id).first() if are_ids else None
        if found is None:
            raise DeliveryNotFound(delivery_id)
        return found


class Delivery(models.Model):
    """Delivery of an event to a subscription, sent until it is delivered or dead (rule W-2).

    `tries` counts the attempts of this round, `attempts` those of all rounds: redelivery begins a new round.
    The worker that sends it holds the `claim`, until `claimed_until` at the latest.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    subscription = models.ForeignKey(Subscription, models.CASCADE, related_name="deliveries", db_index=False)
    event = models.ForeignKey(  # No constraint: events never go, and it would lock the event's row for each delivery.
        "intents.Event", models.DO_NOTHING, to_field="position", related_name="+", db_index=False, db_constraint=False
    )
    event_type = models.CharField(max_length=100)
    status = models.CharField(max_length=10, choices=DeliveryStatus, default=DeliveryStatus.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    tries = models.PositiveIntegerField(default=0)
    history = JSONTextField(default=list)
    next_attempt_at = models.DateTimeField(null=True)
    last_attempt_at = models.DateTimeField(null=True)
    claim = models.UUIDField(null=True)
    claimed_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["subscription", "event"], name="one_delivery_per_event"),
            models.CheckConstraint(condition=Q(status__in=DeliveryStatus.values), name="delivery_status_is_known"),
            models.CheckConstraint(
                condition=Q(status="pending", next_attempt_at__isnull=False, ended_at=None)
                | (~Q(status="pending") & Q(next_attempt_at=None, ended_at__isnull=False)),
                name="delivery_is_due_or_ended",
            ),
            models.CheckConstraint(condition=Q(tries__lte=F("attempts")), name="delivery_tries_are_attempts"),
        ]
        indexes = [
            models.Index(fields=["subscription", "-id"], name="delivery_by_subscription"),
            models.Index(fields=["subscription", "-last_attempt_at", "-id"], name="delivery_by_attempt"),
            models.Index(fields=["subscription", "next_attempt_at"], name="delivery_to_send", condition=Q(status="pending")),
            models.Index(fields=["next_attempt_at"], name="delivery_by_time", condition=Q(status="pending")),
            models.Index(fields=["claimed_until"], name="delivery_by_claim", condition=Q(status="pending")),
            models.Index(fields=["ended_at"], name="delivery_by_end", condition=Q(ended_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} #{self.event_id}"


class OutboxCursor(models.Model):
    """Position in the log up to which deliveries exist: one row, locked while they are created (subscriptions.webhooks.outbox)."""

    position = models.PositiveBigIntegerField()

    class Meta:
        db_table = "subscriptions_plan"  # The table's name from before the class had this one.
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="there_is_one_plan")]

    def __str__(self) -> str:
        return f"deliveries exist through {self.position}"
