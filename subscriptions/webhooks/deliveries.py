"""Deliveries (rule W-2): claim due ones, record results, end undeliverable ones."""

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q

from access.identity import SYSTEM
from core import strict_json
from core.db import atomic_verb, database_now, sql_rows
from core.encoding import identifier, instant
from intents.representation import EventOut
from subscriptions.models import Delivery, DeliveryStatus, Pace, Status, Subscription
from subscriptions.services import disable, lock
from subscriptions.streams import log_reader
from subscriptions.webhooks.client import CallResult

DELAYS = [timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30)] + [
    timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)
]
JITTER = 0.15
DISABLE_AFTER = timedelta(days=5)  # Of failures only.
CLAIM_DURATION = timedelta(seconds=60)  # Four times the timeout of a call.
MAX_CONCURRENT = {Pace.STEADY: 4, Pace.NEW: 1, Pace.SLOW: 2}
"""Concurrent deliveries of one subscription, in all processes. A new one begins with one."""
SLOW_AFTER = 5_000  # Milliseconds of a call that make its receiver slow.
MAX_HISTORY = 50
RESULT_FIELDS = (
    "status", "attempts", "tries", "history", "next_attempt_at", "last_attempt_at", "claim", "claimed_until", "ended_at"
)  # fmt: skip
DELETE_BATCH = 5_000

GONE, FAILING = "gone", "failing"


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """Claimed delivery with all that is needed to send it. Its repr hides the secrets."""

    id: UUID
    claim: UUID
    subscription_id: UUID
    pace: Pace
    url: str
    secrets: list[str]
    body: bytes

    def __repr__(self) -> str:
        return f"ClaimedDelivery({self.id})"


def claim_due(capacity: Mapping[Pace, int], hanging: Collection[UUID] = ()) -> list[ClaimedDelivery]:
    """Claim due deliveries, up to a number for receivers of each pace, spread over subscriptions.

    `hanging` subscriptions, with a long call, are left out.
    """
    capacity = {pace: free for pace, free in capacity.items() if free > 0}
    if not capacity or not _due_subscriptions(database_now(), capacity, hanging).exists():
        return []
    with transaction.atomic():
        now, token = database_now(), uuid4()
        subscriptions: dict[UUID, Subscription] = {}
        claimed: list[Delivery] = []
        for pace, number in capacity.items():
            due = _due_subscriptions(now, [pace], hanging).order_by("?")[:number]
            found = {each.pk: each for each in due.select_for_update(skip_locked=True, no_key=True)}
            share = max(1, number // max(1, len(found)))
            for pk in found:  # Locked, so that no other worker counts at the same time.
                deliveries = Delivery.objects.filter(subscription=pk)
                free = min(share, MAX_CONCURRENT[pace] - deliveries.claimed(now).count())
                claimed += deliveries.due(now).order_by("next_attempt_at", "event")[: max(free, 0)]
            subscriptions |= found
        events = {event.position: event for event in log_reader.read_events_within([each.event_id for each in claimed])}
        claimed = [each for each in claimed if each.event_id in events]
        ids = [delivery.pk for delivery in claimed]
        Delivery.objects.filter(pk__in=ids).update(claim=token, claimed_until=now + CLAIM_DURATION)
    return [_to_claimed(each, token, subscriptions[each.subscription_id], events[each.event_id], now) for each in claimed]


def _due_subscriptions(now: datetime, paces: Collection[Pace], hanging: Collection[UUID]) -> Any:
    """Return subscriptions of these paces with due deliveries, below their limit of concurrent ones."""
    due = Delivery.objects.due(now).filter(subscription=OuterRef("pk"))
    in_progress = Delivery.objects.claimed(now).values("subscription").annotate(number=Count("pk"))
    has_capacity = Q()
    for pace in paces:
        full = in_progress.filter(number__gte=MAX_CONCURRENT[pace]).values("subscription")
        has_capacity |= Q(pace=pace) & ~Q(pk__in=full)
    return Subscription.objects.deliverable_at(now).filter(Exists(due)).filter(has_capacity).exclude(pk__in=hanging)


def _to_claimed(
    delivery: Delivery, token: UUID, subscription: Subscription, event: sql_rows.Row, now: datetime
) -> ClaimedDelivery:
    return ClaimedDelivery(
        id=delivery.pk,
        claim=token,
        subscription_id=subscription.pk,
        pace=Pace(subscription.pace),
        url=str(subscription.callback_url),
        secrets=subscription.secrets(now),
        body=request_body(subscription.pk, event),
    )


def request_body(subscription_id: UUID, event: sql_rows.Row) -> bytes:
    """Return the body that each attempt sends: events never change, so it can be shown afterwards."""
    return strict_json.dumps({"subscription_id": identifier(subscription_id), "event": EventOut.render(event)})


def release(claimed_delivery: ClaimedDelivery) -> None:
    """Release a claim without an attempt; the delivery is due again at once."""
    Delivery.objects.filter(pk=claimed_delivery.id, claim=claimed_delivery.claim).update(claim=None, claimed_until=None)


@atomic_verb
def record_result(claimed_delivery: ClaimedDelivery, result: CallResult) -> bool:
    """Record an attempt and its consequences. Return False, without a change, if the claim was lost.

    A response of 410, or days of failures, disable the subscription.
    """
    now = database_now()
    if not _has_claim(sql_rows.get(Delivery, claimed_delivery.id), claimed_delivery):
        return False
    _update_health(claimed_delivery.subscription_id, result, now)  # It locks intent and subscription, so it comes first.
    delivery = sql_rows.lock(Delivery, claimed_delivery.id)
    if delivery is None or not _has_claim(delivery, claimed_delivery):
        return False
    _apply_result(delivery, result, now)
    sql_rows.update(delivery, RESULT_FIELDS)
    return True


def end_undeliverable() -> int:
    """End free deliveries of ended or expired subscriptions. Return their number."""
    now = database_now()
    ended = Subscription.objects.filter(
        Q(removed_at__isnull=False) | Q(status=Status.DISABLED) | Q(callback_url=None) | Q(expires_at__lte=now)
    )
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    stranded = Delivery.objects.filter(free, status=DeliveryStatus.PENDING, subscription__in=ended)
    return stranded.update(status=DeliveryStatus.DEAD, next_attempt_at=None, ended_at=now)


def delete_old() -> int:
    """Delete deliveries that ended WEBHOOK_KEEP_DAYS ago. Return their number."""
    until, deleted = database_now() - timedelta(days=settings.WEBHOOK_KEEP_DAYS), 0
    while True:
        old = Delivery.objects.filter(ended_at__lt=until).order_by("ended_at").values_list("pk", flat=True)[:DELETE_BATCH]
        removed = Delivery.objects.filter(pk__in=[*old]).exclude(status=DeliveryStatus.PENDING).delete()[0]
        deleted += removed
        if removed < DELETE_BATCH:
            return deleted


def _has_claim(delivery: Any, claimed_delivery: ClaimedDelivery) -> bool:
    return delivery is not None and identifier(delivery.claim) == identifier(claimed_delivery.claim)


def _update_health(subscription_id: UUID, result: CallResult, now: datetime) -> None:
    """Update pace and `failing_since` of the subscription; disable it after 410, or days of failures."""
    subscription = Subscription.objects.filter(pk=subscription_id)
    known: Any = sql_rows.get(Subscription, subscription_id)
    pace = Pace.STEADY if result.is_success else Pace.NEW
    if result.milliseconds >= SLOW_AFTER:
        pace = Pace.SLOW
    if known.pace != pace:
        subscription.update(pace=pace)
    if result.is_success and known.failing_since is None:
        return
    since = subscription.values_list("failing_since", flat=True)[0]
    if result.is_success:
        subscription.update(failing_since=None)
    elif result.is_gone or (since and now - since >= DISABLE_AFTER):
        intent, locked = lock(subscription_id, also_removed=True)
        disable(intent, locked, actor=SYSTEM, reason=GONE if result.is_gone else FAILING)
    elif since is None:
        subscription.filter(failing_since=None).update(failing_since=now)


def _apply_result(delivery: Delivery, result: CallResult, now: datetime) -> None:
    delivery.attempts += 1
    delivery.tries += 1
    attempt = {
        "at": instant(now - timedelta(milliseconds=result.milliseconds)),
        "status_code": result.status,
        "error": result.error,
        "duration_ms": result.milliseconds,
        "response": result.text,
        "headers": dict(result.headers),
    }
    delivery.history = [*delivery.history, attempt][-MAX_HISTORY:]
    delivery.last_attempt_at = now
    delivery.claim = delivery.claimed_until = None
    if result.is_success:
        _end(delivery, DeliveryStatus.DELIVERED, now)
    elif delivery.status == DeliveryStatus.PENDING:
        if result.is_gone or delivery.tries > len(DELAYS):
            _end(delivery, DeliveryStatus.DEAD, now)
        else:
            delivery.next_attempt_at = now + retry_delay(delivery.tries, result)


def _end(delivery: Delivery, status: DeliveryStatus, now: datetime) -> None:
    delivery.status, delivery.next_attempt_at, delivery.ended_at = status, None, now


def retry_delay(tries: int, result: CallResult) -> timedelta:
    """Return the delay after so many attempts, with jitter, and not below the receiver's Retry-After."""
    delay = DELAYS[tries - 1] * random.uniform(1 - JITTER, 1 + JITTER)
    return max(delay, timedelta(seconds=result.retry_after or 0))
