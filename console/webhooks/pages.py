"""What the pages of subscriptions and deliveries show. A fixed number of queries."""

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
from subscriptions.representation import status_at
from subscriptions.webhooks.deliveries import FAILING, GONE, PATIENCE

SHOWN = 50  # Deliveries.
LOOKED_AT = 200  # Events that may say why a subscription was disabled.
REMOVED = "removed"
LABELS = {DeliveryStatus.PENDING: "Pending", DeliveryStatus.DELIVERED: "Delivered", DeliveryStatus.DEAD: "Failed"}

_WHY = {
    GONE: "The endpoint responded 410 Gone, so no further deliveries are sent.",
    FAILING: f"All deliveries failed for {PATIENCE.days} days.",
}


@dataclass(frozen=True, slots=True)
class Note:
    """Why nothing is sent, or why it does not arrive, and what to do; `tone` is a colour."""

    why: str
    then: str
    tone: str = "bad"


@dataclass(frozen=True, slots=True)
class Sent:
    """A delivery, and whether a courier is at it."""

    delivery: Delivery
    is_on_its_way: bool

    @property
    def last(self) -> dict[str, Any] | None:
        return self.delivery.history[-1] if self.delivery.history else None

    @property
    def attempts(self) -> list[dict[str, Any]]:
        """The newest first."""
        return [{**each, "moment": datetime.fromisoformat(each["at"])} for each in reversed(self.delivery.history)]

    @property
    def state(self) -> str:
        is_again = self.delivery.status == DeliveryStatus.PENDING and self.delivery.attempts
        return "retrying" if is_again else LABELS[DeliveryStatus(self.delivery.status)].lower()


def gather(request: HttpRequest, subscription: Subscription) -> dict[str, Any]:
    now = database_now()
    deliveries = Delivery.objects.filter(subscription=subscription)
    counts = dict(deliveries.order_by().values_list("status").annotate(Count("pk")))
    wanted = request.GET.get("state", "")
    shown = deliveries.filter(status=wanted) if wanted in DeliveryStatus.values else deliveries
    state = state_of(subscription, now)
    return {
        "subscription": subscription,
        "state": state,
        "note": _note(subscription, state, now),
        "counts": [(value, label, counts.get(value, 0)) for value, label in LABELS.items()],
        "all": sum(counts.values()),
        "wanted": wanted,
        "next_attempt": deliveries.filter(status=DeliveryStatus.PENDING).aggregate(at=Min("next_attempt_at"))["at"],
        "sent": sent(shown.order_by("-pk")[:SHOWN], now),
        "may_send": has_role(request, Role.OPERATOR) and state == Status.ACTIVE and subscription.callback_url is not None,
    }


def state_of(subscription: Subscription, now: datetime) -> str:
    return REMOVED if subscription.removed_at else status_at(subscription, now)


def with_events(deliveries: QuerySet[Delivery]) -> QuerySet[Delivery]:
    unread = ("event__payload", "event__intent__state", "event__intent__constraints")
    return deliveries.select_related("subscription", "event__intent").defer(*unread)


def sent(deliveries: QuerySet[Delivery] | Iterable[Delivery], now: datetime) -> list[Sent]:
    found = with_events(deliveries) if isinstance(deliveries, QuerySet) else deliveries
    return [Sent(each, bool(each.claimed_until and each.claimed_until > now)) for each in found]


def _note(subscription: Subscription, state: str, now: datetime) -> Note | None:
    if state == REMOVED:
        return Note(
            "This webhook was removed. Its delivery history is kept.", "Create a new webhook to receive events again.", "plain"
        )
    if subscription.expires_at and subscription.expires_at <= now:
        return Note(
            "This webhook expired.", "Set a later expires_at with PATCH /api/v1/subscriptions/…, or create a new webhook."
        )
    if state == Status.DISABLED:
        again = "Then enable the webhook: it receives new events, and failed deliveries can be resent."
        return Note(_why_disabled(subscription), f"Make sure the endpoint responds with a 2xx status. {again}")
    if state == Status.PAUSED:
        return Note(
            "This webhook is paused.",
            "Events that happen while it is paused are never sent. Deliveries scheduled before are sent when it is resumed.",
            "warn",
        )
    if subscription.failing_since:
        patience = f"After {PATIENCE.days} days of failures the webhook is disabled."
        return Note(
            "Deliveries to this endpoint are failing.",
            f"See the responses below. Failed deliveries are retried automatically. {patience}",
        )
    return None


def _why_disabled(subscription: Subscription) -> str:
    """As the log has it. An old reason, behind many others, is not looked for."""
    told = Event.objects.filter(event_type=EventType.SUBSCRIPTION_DISABLED).order_by("-row")
    for event in told[:LOOKED_AT]:
        if event.payload.get("subscription_id") == str(subscription.pk):
            reason = str(event.payload.get("reason") or "")
            return _WHY.get(reason) or f"Disabled by {event.actor}: {reason}"
    return "This webhook was disabled."
