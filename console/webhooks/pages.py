"""Webhook pages: subscriptions and deliveries. A fixed number of queries."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import orjson
from django.db.models import Count, Min, QuerySet
from django.http import HttpRequest

from access.identity import Actor
from access.models import Role
from access.roles import has_role
from core.db import database_now
from intents.events import EventType
from intents.models import Event
from subscriptions.models import Delivery, DeliveryStatus, Status, Subscription
from subscriptions.streams import log_reader
from subscriptions.webhooks.client import HEADERS, USER_AGENT
from subscriptions.webhooks.deliveries import DISABLE_AFTER, FAILING, GONE, request_body

T = TypeVar("T")

SHOWN = 50  # Deliveries, or groups of them,
READ = 200  # of so many.
GROUPED = 3  # Identical failures in a row that are shown as one.
MAX_BODY = 64 * 2**10  # Characters of a body that are shown.
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
    def grouped_attempts(self) -> list[list[dict[str, Any]]]:
        """The attempts, the newest first, with identical failures in a row together."""
        return group_consecutive(self.attempts, lambda each: _failure(each) and (_failure(each), each["response"]))

    @property
    def failure(self) -> str:
        """Return how its last attempt failed, in words; empty if it did not."""
        return _failure(self.last) if self.last and self.delivery.status != DeliveryStatus.DELIVERED else ""

    @property
    def state(self) -> str:
        is_again = self.delivery.status == DeliveryStatus.PENDING and self.delivery.attempts
        return "retrying" if is_again else LABELS[DeliveryStatus(self.delivery.status)].lower()


@dataclass(frozen=True, slots=True)
class SentRequest:
    """The request of the last attempt, or of the next one. Headers with a signature are for who may change the webhook."""

    url: str
    headers: list[tuple[str, str]]
    body: str
    is_cut: bool
    is_sent: bool


@dataclass(frozen=True, slots=True)
class DeliveryGroup:
    """Deliveries in a row that failed in the same way, or a single one. The newest is first."""

    rows: list[DeliveryRow]

    @property
    def count(self) -> int:
        return len(self.rows)

    @property
    def newest(self) -> DeliveryRow:
        return self.rows[0]

    @property
    def oldest(self) -> DeliveryRow:
        return self.rows[-1]


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
        "sent": group_failures(delivery_rows(shown.order_by("-pk")[:READ], now))[:SHOWN],
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


def group_failures(rows: list[DeliveryRow]) -> list[DeliveryGroup]:
    """Return the rows with those that failed in the same way, one after the other, together."""
    found = []
    for group in group_consecutive(rows, lambda row: row.failure and (row.failure, row.state, row.delivery.subscription_id)):
        found += [DeliveryGroup(group)] if len(group) >= GROUPED else [DeliveryGroup([each]) for each in group]
    return found


def group_consecutive(items: Sequence[T], key: Callable[[T], Any]) -> list[list[T]]:
    """Return the items in their order, those in a row with the same key together. Without a key an item stands alone."""
    groups: list[list[T]] = []
    for item in items:
        if groups and key(item) and key(item) == key(groups[-1][0]):
            groups[-1].append(item)
        else:
            groups.append([item])
    return groups


def sent_request(row: DeliveryRow, actor: Actor) -> SentRequest | None:
    """Return the request of the last attempt. None: there is no callback, or the event is not there."""
    delivery, subscription = row.delivery, row.delivery.subscription
    found = log_reader.read_events_within([delivery.event_id])
    if not found or subscription.callback_url is None:
        return None
    body = request_body(subscription.pk, found[0])
    shown = orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2).decode()
    fixed = {**HEADERS, "User-Agent": USER_AGENT, "Content-Length": str(len(body))}
    signed = (row.last or {}).get("headers", {}) if subscription.is_managed_by(actor) else {}
    return SentRequest(
        subscription.callback_for(actor) or "",
        [*fixed.items(), *signed.items()],
        shown[:MAX_BODY],
        len(shown) > MAX_BODY,
        bool(row.last),
    )


def _failure(attempt: dict[str, Any]) -> str:
    """Return how an attempt failed, empty for a success."""
    status = attempt["status_code"]
    if status is None:
        return str(attempt["error"])
    return "" if 200 <= status < 300 else f"answered {status}"


def _status_note(subscription: Subscription, state: str, now: datetime) -> StatusNote | None:
    if state == REMOVED:
        return StatusNote(
            "This webhook was removed. Its delivery history is kept.", "Create a new webhook to receive events again.", "plain"
        )
    if subscription.expires_at and subscription.expires_at <= now:
        return StatusNote("This webhook expired.", "Change its end, or create a new webhook.")
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
