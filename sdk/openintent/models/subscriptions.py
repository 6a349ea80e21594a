"""Subscriptions and their deliveries (RFC-0006)."""

from dataclasses import dataclass, field
from datetime import datetime

from ..enums import DeliveryStatus, SubscriptionStatus
from ._model import INSTANT, Model, decode_enum, decode_list


@dataclass(frozen=True, kw_only=True)
class StreamToken(Model):
    """A token that opens the stream at `path` until `expires_at`, as `?token=`, instead of a key. It is never in the repr."""

    path: str
    expires_at: datetime = field(metadata=INSTANT)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class LastDelivery(Model):
    """The delivery of a subscription that was attempted last."""

    status: DeliveryStatus | str = field(metadata={"decode": decode_enum(DeliveryStatus)})
    at: datetime = field(metadata=INSTANT)
    attempts: int = 0


@dataclass(frozen=True, kw_only=True)
class Subscription(Model):
    """A subscription of `callback_url` to the events of an intent, of a portfolio and its members, or, with neither, of the server.

    An empty `event_types` selects all. `secret` verifies deliveries (`openintent.webhooks.verify`); it is set only in the response
    that created or rotated it, and never in the repr. `last_delivery` is set after the first attempt.
    """

    id: str
    subscriber_id: str
    status: SubscriptionStatus | str = field(metadata={"decode": decode_enum(SubscriptionStatus)})
    created_at: datetime = field(metadata=INSTANT)
    intent_id: str | None = None
    portfolio_id: str | None = None
    callback_url: str | None = None
    event_types: list[str] = field(default_factory=list)
    secret: str | None = field(default=None, repr=False)
    expires_at: datetime | None = field(default=None, metadata=INSTANT)
    created_by: str | None = None
    last_delivery: LastDelivery | None = field(default=None, metadata={"decode": LastDelivery.from_json})

    @property
    def webhook_url(self) -> str | None:
        """`callback_url`, by its name in openintent 0.5."""
        return self.callback_url

    @property
    def active(self) -> bool:
        """By its name in openintent 0.5."""
        return self.status == SubscriptionStatus.ACTIVE


@dataclass(frozen=True, kw_only=True)
class DeliveryAttempt(Model):
    """The outcome of one attempt: the callback's `status_code` and the beginning of its `response`, or an `error`."""

    at: datetime = field(metadata=INSTANT)
    status_code: int | None = None
    error: str | None = None
    duration_ms: int | None = None
    response: str | None = None


@dataclass(frozen=True, kw_only=True)
class Delivery(Model):
    """A delivery of an event to a subscription (protocol W-2). `id` is the webhook-id of each attempt.

    It is retried at `next_attempt_at`, until it is delivered or dead.
    """

    id: str
    subscription_id: str
    event_id: str
    event_type: str
    status: DeliveryStatus | str = field(metadata={"decode": decode_enum(DeliveryStatus)})
    created_at: datetime = field(metadata=INSTANT)
    position: int | None = None
    attempts: int = 0
    history: list[DeliveryAttempt] = field(default_factory=list, metadata={"decode": decode_list(DeliveryAttempt)})
    next_attempt_at: datetime | None = field(default=None, metadata=INSTANT)
    last_attempt_at: datetime | None = field(default=None, metadata=INSTANT)
    ended_at: datetime | None = field(default=None, metadata=INSTANT)
