"""Webhook pages: subscriptions and deliveries. A fixed number of queries."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min, QuerySet
from django.http import HttpRequest

from access.models import Role
from access.roles import has_role
from core.db import database_now
from intents.events import EventType
from intents.models import Event
from subscriptions.models import Delivery, DeliveryStatus, Status, Subscription
from subscriptions.webhooks.deliveries import DISABLE_AFTER, FAILING, GONE

SHOWN = 50  # Deliveries.
MAX_LOG_EVENTS = 200  # Events that may say why a subscription was disabled.
REMOVED = "removed"
LABELS = {DeliveryStatus.PENDING: "Pending", DeliveryStatus.DELIVERED: "Delivered", DeliveryStatus.DEAD: "Failed"}

_DISABLED_REASONS = {
    GONE: "The endpoint responded 410 Gone, so no further deliveries are sent.",
    FAILING: f"All deliveries failed for {DISABLE_AFTER.days} days.",
}


@dataclass(frozen=True, slots=True)
class StatusNote:
    """The reason why nothing is sent or arrives, and what to do; `tone` is a color."""

    why: str
    then: str
    tone: str = "bad"


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery, and whether a worker is sending it."""

    delivery: Delivery
    is_on_its_way: bool

    @property
    def last(self) -> dict[str, Any] | None:
        return self.delivery.history[-1] if self.delivery.history else None

    @property
    def attempts(self) -> list[dict[str, Any]]:
        """The attempts, the newest first."""
        return [{**each, "moment": datetime.fromisoformat(each["at"])} for each in reversed(self.delivery.history)]

    @property
    def state(self) -> str:
        is_again = self.delivery.status == DeliveryStatus.PENDING and self.delivery.attempts
        return "retrying" if is_again else LABELS[DeliveryStatus(self.delivery.status)].lower()


def subscription_detail(request: HttpRequest, subscription: Subscription) -> dict[str, Any]:
    now = database_now()
    deliveries = Delivery.objects.filter(subscription=subscription)
    counts = dict(deliveries.order_by().values_list("status").annotate(Count("pk")))
    wanted = request.GET.get("state", "")
    shown = deliveries.filter(status=wanted) if wanted in DeliveryStatus.values else deliveries
    state = subscription_state(subscription, now)
    return {
        "subscription": subscription,
        "state": state,
        "note": _status_note(subscription, state, now),
        "counts": [(value, label, counts.get(value, 0)) for value, label in LABELS.items()],
        "all": sum(counts.values()),
        "wanted": wanted,
        "next_attempt": deliveries.filter(status=DeliveryStatus.PENDING).aggregate(at=Min("next_attempt_at"))["at"],
        "sent": delivery_rows(shown.order_by("-pk")[:SHOWN], now),
        "may_send": has_role(request, Role.OPERATOR) and state == Status.ACTIVE and subscription.callback_url is not None,
    }


def subscription_state(subscription: Subscription, now: datetime) -> str:
    return REMOVED if subscription.removed_at else subscription.status_at(now)


def with_events(deliveries: QuerySet[Delivery]) -> QuerySet[Delivery]:
    unread = ("event__payload", "event__intent__state", "event__intent__constraints")
    return deliveries.select_related("subscription", "event__intent").defer(*unread)


def delivery_rows(deliveries: QuerySet[Delivery] | Iterable[Delivery], now: datetime) -> list[DeliveryRow]:
    found = with_events(deliveries) if isinstance(deliveries, QuerySet) else deliveries
    return [DeliveryRow(each, bool(each.claimed_until and each.claimed_until > now)) for each in found]


def _status_note(subscription: Subscription, state: str, now: datetime) -> StatusNote | None:
    if state == REMOVED:
        return StatusNote(
            "This webhook was removed. Its delivery history is kept.", "Create a new webhook to receive events again.", "plain"
        )
    if subscription.expires_at and subscription.expires_at <= now:
        return StatusNote(
            "This webhook expired.", "Set a later expires_at with PATCH /api/v1/subscriptions/…, or create a new webhook."
        )
    if state == Status.DISABLED:
        again = "Then enable the webhook: it receives new events, and failed deliveries can be resent."
        return StatusNote(_disabled_reason(subscription), f"Make sure the endpoint responds with a 2xx status. {again}")
    if state == Status.PAUSED:
        return StatusNote(
            "This webhook is paused.",
            "Events that happen while it is paused are never sent. Deliveries scheduled before are sent when it is resumed.",
            "warn",
        )
    if subscription.failing_since:
        patience = f"After {DISABLE_AFTER.days} days of failures the webhook is disabled."
        return StatusNote(
            "Deliveries to this endpoint are failing.",
            f"See the responses below. Failed deliveries are retried automatically. {patience}",
        )
    return None


def _disabled_reason(subscription: Subscription) -> str:
    """Return the reason in the log. An old one, behind many others, is not searched."""
    told = Event.objects.filter(event_type=EventType.SUBSCRIPTION_DISABLED).order_by("-row")
    for event in told[:MAX_LOG_EVENTS]:
        if event.payload.get("subscription_id") == str(subscription.pk):
            reason = str(event.payload.get("reason") or "")
            return _DISABLED_REASONS.get(reason) or f"Disabled by {event.actor}: {reason}"
    return "This webhook was disabled."
