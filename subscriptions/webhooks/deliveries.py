"""What becomes of deliveries (rule W-2): a courier claims what is due, sends it with no transaction open, and says what came of it."""

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
from intents.representation import event_body
from subscriptions.models import Delivery, DeliveryStatus, Pace, Status, Subscription
from subscriptions.services import disable, lock
from subscriptions.streams import log_reader
from subscriptions.webhooks.client import CallResult

DELAYS = [timedelta(seconds=5), timedelta(minutes=5), timedelta(minutes=30)] + [
    timedelta(hours=hours) for hours in (2, 5, 10, 14, 20, 24)
]
JITTER = 0.15
PATIENCE = timedelta(days=5)  # With a receiver that nothing reaches.
CLAIM = timedelta(seconds=60)  # For one call, four times as long as it may take.
AT_ONCE = {Pace.STEADY: 4, Pace.NEW: 1, Pace.SLOW: 2}
"""Deliveries of one subscription on their way, in all processes. One that has yet to prove itself begins with one."""
SLOW_AFTER = 5_000  # Milliseconds of a call, after which its receiver counts as slow.
KEPT_ATTEMPTS = 50
CHANGED_BY_AN_ATTEMPT = (
    "status", "attempts", "tries", "history", "next_attempt_at", "last_attempt_at", "claim", "claimed_until", "ended_at"
)  # fmt: skip
REMOVED_AT_ONCE = 5_000

GONE, FAILING = "gone", "failing"


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """All that a courier needs to send a delivery. Its secrets are nobody else's business."""

    id: UUID
    claim: UUID
    subscription_id: UUID
    pace: Pace
    url: str
    secrets: list[str]
    body: bytes

    def __repr__(self) -> str:
        return f"Parcel({self.id})"


def claim_due(rooms: Mapping[Pace, int], hanging: Collection[UUID] = ()) -> list[ClaimedDelivery]:
    """Claim deliveries that are due, up to so many for receivers of each pace: of several subscriptions, if there are.

    Of those that are `hanging`, as the caller sees, nothing more is claimed.
    """
    rooms = {pace: room for pace, room in rooms.items() if room > 0}
    if not rooms or not _waiting(database_now(), rooms, hanging).exists():
        return []
    with transaction.atomic():
        now, token = database_now(), uuid4()
        subscriptions: dict[UUID, Subscription] = {}
        claimed: list[Delivery] = []
        for pace, room in rooms.items():
            free = _waiting(now, [pace], hanging).order_by("?")[:room].select_for_update(skip_locked=True, no_key=True)
            found = {each.pk: each for each in free}
            share = max(1, room // max(1, len(found)))
            claimed += [delivery for pk in found for delivery in _next_of(pk, min(share, AT_ONCE[pace]), AT_ONCE[pace], now)]
            subscriptions |= found
        events = {event.position: event for event in log_reader.read_events_within([each.event_id for each in claimed])}
        claimed = [each for each in claimed if each.event_id in events]
        ids = [delivery.pk for delivery in claimed]
        Delivery.objects.filter(pk__in=ids).update(claim=token, claimed_until=now + CLAIM)
    return [_parcel(each, token, subscriptions[each.subscription_id], events[each.event_id], now) for each in claimed]


def _waiting(now: datetime, paces: Collection[Pace], hanging: Collection[UUID]) -> Any:
    """Subscriptions of these paces with something to send now, and room for it on the way."""
    due = Delivery.objects.due(now).filter(subscription=OuterRef("pk"))
    under_way = Delivery.objects.claimed(now).values("subscription").annotate(number=Count("pk"))
    has_room = Q()
    for pace in paces:
        full = under_way.filter(number__gte=AT_ONCE[pace]).values("subscription")
        has_room |= Q(pace=pace) & ~Q(pk__in=full)
    return Subscription.objects.deliverable_at(now).filter(Exists(due)).filter(has_room).exclude(pk__in=hanging)


def _next_of(subscription_id: UUID, room: int, at_once: int, now: datetime) -> list[Delivery]:
    """The caller has locked the subscription, so that no other counts at the same time."""
    theirs = Delivery.objects.filter(subscription=subscription_id)
    room = min(room, at_once - theirs.claimed(now).count())
    return [*theirs.due(now).order_by("next_attempt_at", "event")[: max(room, 0)]]


def _parcel(delivery: Delivery, token: UUID, subscription: Subscription, event: sql_rows.Row, now: datetime) -> ClaimedDelivery:
    body = {"subscription_id": identifier(subscription.pk), "event": event_body(event)}
    return ClaimedDelivery(
        id=delivery.pk,
        claim=token,
        subscription_id=subscription.pk,
        pace=Pace(subscription.pace),
        url=str(subscription.callback_url),
        secrets=subscription.secrets(now),
        body=strict_json.dumps(body),
    )


def release(parcel: ClaimedDelivery) -> None:
    """What was claimed and not begun is due again at once."""
    Delivery.objects.filter(pk=parcel.id, claim=parcel.claim).update(claim=None, claimed_until=None)


@atomic_verb
def record_result(parcel: ClaimedDelivery, answer: CallResult) -> bool:
    """Record the attempt and what follows of it. Answers whether the claim was still good: if not, nothing is written.

    A receiver that says 410, or that nothing has reached for days, is told nothing more: the subscription is disabled.
    """
    now = database_now()
    if not _has_claim(sql_rows.get(Delivery, parcel.id), parcel):
        return False
    _note_health(parcel.subscription_id, answer, now)  # It locks the intent and the subscription, so it comes first.
    delivery = sql_rows.lock(Delivery, parcel.id)
    if delivery is None or not _has_claim(delivery, parcel):
        return False
    _record(delivery, answer, now)
    sql_rows.update(delivery, CHANGED_BY_AN_ATTEMPT)
    return True


def end_undeliverable() -> int:
    """Let those be dead whose subscription ended while they were planned or on their way, or has run out. Answers how many."""
    now = database_now()
    ended = Subscription.objects.filter(
        Q(removed_at__isnull=False) | Q(status=Status.DISABLED) | Q(callback_url=None) | Q(expires_at__lte=now)
    )
    free = Q(claimed_until=None) | Q(claimed_until__lte=now)
    stranded = Delivery.objects.filter(free, status=DeliveryStatus.PENDING, subscription__in=ended)
    return stranded.update(status=DeliveryStatus.DEAD, next_attempt_at=None, ended_at=now)


def delete_old() -> int:
    """Delete those that arrived, or died, long ago. Answers how many."""
    until, forgotten = database_now() - timedelta(days=settings.WEBHOOK_KEEP_DAYS), 0
    while True:
        old = Delivery.objects.filter(ended_at__lt=until).order_by("ended_at").values_list("pk", flat=True)[:REMOVED_AT_ONCE]
        removed = Delivery.objects.filter(pk__in=[*old]).exclude(status=DeliveryStatus.PENDING).delete()[0]
        forgotten += removed
        if removed < REMOVED_AT_ONCE:
            return forgotten


def _has_claim(delivery: Any, parcel: ClaimedDelivery) -> bool:
    return delivery is not None and identifier(delivery.claim) == identifier(parcel.claim)


def _note_health(subscription_id: UUID, answer: CallResult, now: datetime) -> None:
    """Keep how the receiver answers, and since when it fails; disable the subscription where it is of no use any more."""
    subscription = Subscription.objects.filter(pk=subscription_id)
    known: Any = sql_rows.get(Subscription, subscription_id)
    if known.pace != (pace := _pace(answer)):
        subscription.update(pace=pace)
    if answer.is_success and known.failing_since is None:
        return
    since = subscription.values_list("failing_since", flat=True)[0]
    if answer.is_success:
        subscription.update(failing_since=None)
    elif answer.is_gone or (since and now - since >= PATIENCE):
        intent, locked = lock(subscription_id, also_removed=True)
        disable(intent, locked, actor=SYSTEM, reason=GONE if answer.is_gone else FAILING)
    elif since is None:
        subscription.filter(failing_since=None).update(failing_since=now)


def _pace(answer: CallResult) -> Pace:
    if answer.milliseconds >= SLOW_AFTER:
        return Pace.SLOW
    return Pace.STEADY if answer.is_success else Pace.NEW


def _record(delivery: Delivery, answer: CallResult, now: datetime) -> None:
    delivery.attempts += 1
    delivery.tries += 1
    delivery.history = [*delivery.history, _attempt(answer, now)][-KEPT_ATTEMPTS:]
    delivery.last_attempt_at = now
    delivery.claim = delivery.claimed_until = None
    if answer.is_success:
        _end(delivery, DeliveryStatus.DELIVERED, now)
    elif delivery.status == DeliveryStatus.PENDING:
        if answer.is_gone or delivery.tries > len(DELAYS):
            _end(delivery, DeliveryStatus.DEAD, now)
        else:
            delivery.next_attempt_at = now + _delay(delivery.tries, answer)


def _end(delivery: Delivery, status: DeliveryStatus, now: datetime) -> None:
    delivery.status, delivery.next_attempt_at, delivery.ended_at = status, None, now


def _delay(tries: int, answer: CallResult) -> timedelta:
    """Until the next attempt, after so many: at least as long as the receiver asks for."""
    planned = DELAYS[tries - 1] * random.uniform(1 - JITTER, 1 + JITTER)
    return max(planned, timedelta(seconds=answer.retry_after or 0))


def _attempt(answer: CallResult, now: datetime) -> dict[str, Any]:
    return {
        "at": instant(now - timedelta(milliseconds=answer.milliseconds)),
        "status_code": answer.status,
        "error": answer.error,
        "duration_ms": answer.milliseconds,
        "response": answer.text,
    }
