"""Subscription verbs (RFC-0006). Deliveries are changed by subscriptions.webhooks.deliveries.

Lock order: the intent, the subscription, its deliveries.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings

from access.identity import Actor
from core.db import atomic_verb, database_now
from core.db.sql_rows import Row
from core.encoding import instant
from core.errors import Forbidden, Invalid, require_future
from intents import positions
from intents.events import EventType, NewEvent, append, append_without_intent
from intents.models import Intent
from intents.write_lock import lock_for_write, require_permitted, require_writable
from portfolios.models import Portfolio
from subscriptions.errors import SubscriptionInactive, SubscriptionNotFound, TooManySubscriptions
from subscriptions.models import Delivery, DeliveryStatus, OutboxCursor, Status, Subscription, origin
from subscriptions.webhooks.signing import new_secret

ROTATION = timedelta(hours=24)  # The previous secret also signs for so long.


@atomic_verb
def create_subscription(
    *,
    actor: Actor,
    newest: int,
    intent_id: UUID | str | None = None,
    portfolio_id: UUID | str | None = None,
    subscriber_id: str | None = None,
    callback_url: str | None = None,
    event_types: Sequence[str] = (),
    expires_at: datetime | None = None,
) -> Subscription:
    """Subscribe a callback to events after the position `newest`: of an intent, of a portfolio, or all.

    Raise TooManySubscriptions at the limit of the principal, IntentNotFound, PortfolioNotFound, LeaseLost, or Invalid if
    `expires_at` has passed.
    """
    limit = settings.MAX_SUBSCRIPTIONS_PER_KEY  # Each subscription costs a delivery per event.
    if Subscription.objects.not_removed().filter(principal=actor.principal)[:limit].count() >= limit:
        raise TooManySubscriptions(limit)
    if intent_id is not None:
        intent = lock_for_write(intent_id, actor, "subscribe")
    else:
        intent = None
        require_permitted("subscribe", actor, portfolio_id=portfolio_id if isinstance(portfolio_id, UUID) else None, values={})
    now = database_now()
    require_future(expires_at, now)
    subscription = Subscription(
        intent=intent,
        portfolio_id=Portfolio.objects.require(portfolio_id) if portfolio_id is not None else None,
        subscriber_id=subscriber_id or actor.id,
        callback_url=callback_url,
        event_types=list(dict.fromkeys(event_types)),
        secret=new_secret(),
        spans=[[newest, None]],
        expires_at=expires_at,
        created_by=actor.id,
        principal=actor.principal,
        created_at=now,
    )
    subscription.save(force_insert=True)
    _record(intent, subscription, EventType.SUBSCRIPTION_CREATED, actor=actor, now=now)
    return subscription


@atomic_verb
def update_subscription(
    *, subscription_id: UUID | str, actor: Actor, newest: int, changes: Mapping[str, Any]
) -> tuple[Subscription, str | None]:
    """Change callback, event types, expiry, status or secret. Return the subscription and its new secret, if any.

    Pausing ends coverage at the position `newest`; earlier events wait. An event records the changes, if there are any.
    Raise SubscriptionNotFound, LeaseLost, Forbidden if the actor may not change it, or Invalid.
    """
    intent, subscription = _lock(subscription_id, actor, "update_subscription")
    _require_manager(subscription, actor)
    now = database_now()
    before = _changeable(subscription)
    callback_before = subscription.callback_url
    require_future(changes.get("expires_at"), now)
    for name in changes.keys() & {"callback_url", "expires_at"}:
        setattr(subscription, name, changes[name])
    if "event_types" in changes:
        subscription.event_types = list(dict.fromkeys(changes["event_types"] or ()))
    if "status" in changes:
        _set_status(subscription, changes["status"], newest, now)
    secret = None
    if changes.get("rotate_secret"):
        subscription.previous_secret, subscription.previous_secret_until = subscription.secret, now + ROTATION
        subscription.secret = secret = new_secret()
    subscription.save()
    if subscription.callback_url is None:
        _end_deliveries(subscription, now)
    after = _changeable(subscription)
    different = {name: {"from": before[name], "to": after[name]} for name in before if before[name] != after[name]}
    if subscription.callback_url != callback_before:  # Even if the origin is unchanged.
        different["callback_url"] = {"from": before["callback_url"], "to": after["callback_url"]}
    if different or secret:
        more = {"changes": different, "secret_rotated": secret is not None}
        _record(intent, subscription, EventType.SUBSCRIPTION_UPDATED, actor=actor, now=now, **more)
    return subscription, secret


@atomic_verb
def remove_subscription(*, subscription_id: UUID | str, actor: Actor, intent_id: UUID | str | None = None) -> None:
    """Remove a subscription and end its pending deliveries; its history is kept. Idempotent.

    `intent_id` is the intent that it must belong to. Raise IntentNotFound, SubscriptionNotFound, LeaseLost, or Forbidden.
    """
    if intent_id is not None:
        Intent.objects.require(intent_id)
    intent, subscription = _lock(subscription_id, actor, "unsubscribe", also_removed=True)
    if intent_id not in (None, subscription.intent_id):
        raise SubscriptionNotFound(subscription_id)
    if subscription.removed_at:
        return
    _require_manager(subscription, actor)
    now = database_now()
    subscription.removed_at = now
    subscription.secret, subscription.previous_secret = "", None
    subscription.spans = []
    subscription.save()
    _end_deliveries(subscription, now)
    _record(intent, subscription, EventType.SUBSCRIPTION_REMOVED, actor=actor, now=now)


@atomic_verb
def disable_subscription(*, subscription_id: UUID | str, actor: Actor, reason: str) -> None:
    """Disable a subscription until it is activated again. Idempotent. Raise SubscriptionNotFound if there is none."""
    intent, subscription = lock(subscription_id)
    disable(intent, subscription, actor=actor, reason=reason)


@atomic_verb
def redeliver(*, subscription_id: UUID | str, delivery_id: UUID | str, actor: Actor) -> Delivery:
    """Send a delivery again now, under the same id, in a new round of attempts; a claimed one stays as it is.

    Raise SubscriptionNotFound, DeliveryNotFound, LeaseLost, Forbidden, or SubscriptionInactive.
    """
    _, subscription = _lock(subscription_id, actor, "redeliver")
    _require_manager(subscription, actor)
    delivery: Delivery = Delivery.objects.select_for_update().require(subscription.pk, delivery_id)
    now = database_now()
    _require_active(subscription, now)
    if not Delivery.objects.claimed(now).filter(pk=delivery.pk).exists():
        delivery.status, delivery.tries = DeliveryStatus.PENDING, 0
        delivery.claim = delivery.claimed_until = delivery.ended_at = None
        delivery.next_attempt_at = now
        delivery.save()
    return delivery


@atomic_verb
def redeliver_dead(*, subscription_id: UUID | str, actor: Actor) -> int:
    """Send all dead deliveries of a subscription again now. Return their number. Raise as `redeliver` does."""
    _, subscription = _lock(subscription_id, actor, "redeliver")
    _require_manager(subscription, actor)
    now = database_now()
    _require_active(subscription, now)
    dead = Delivery.objects.filter(subscription=subscription, status=DeliveryStatus.DEAD)
    again = {"status": DeliveryStatus.PENDING, "tries": 0, "claim": None, "claimed_until": None, "ended_at": None}
    return dead.update(**again, next_attempt_at=now)


@atomic_verb
def send_test_event(*, subscription_id: UUID | str, actor: Actor) -> Row:
    """Log a test, which is delivered to this subscription whatever it hears of (subscriptions.webhooks.outbox). Return the event.

    Raise SubscriptionNotFound, LeaseLost, Forbidden, or SubscriptionInactive.
    """
    intent, subscription = _lock(subscription_id, actor, "test_subscription")
    _require_manager(subscription, actor)
    now = database_now()
    _require_active(subscription, now)
    return _record(intent, subscription, EventType.SUBSCRIPTION_TESTED, actor=actor, now=now)


def newest_position() -> int:
    """Return the newest position of committed events. Call it before a transaction: it waits for the sequencer."""
    positions.assign_pending_positions()
    return positions.head()


# --- parts of verbs ------------------------------------------------------------------------------------------------


def lock(subscription_id: UUID | str, *, also_removed: bool = False) -> tuple[Intent | None, Subscription]:
    """Lock and return the subscription and its intent, if any. Raise SubscriptionNotFound if there is none."""
    known = Subscription.objects.filter(pk=subscription_id) if isinstance(subscription_id, UUID) else Subscription.objects.none()
    found = known.values_list("intent_id", flat=True)
    if not found:
        raise SubscriptionNotFound(subscription_id)
    intent = Intent.objects.lock(found[0]) if found[0] else None
    subscription = known.select_for_update().get()
    if subscription.removed_at and not also_removed:
        raise SubscriptionNotFound(subscription_id)
    return intent, subscription


def disable(intent: Intent | None, subscription: Subscription, *, actor: Actor, reason: str) -> None:
    """Disable a locked subscription of a locked intent. Idempotent."""
    if subscription.status == Status.DISABLED or subscription.removed_at:
        return
    now = database_now()
    subscription.status = Status.DISABLED
    subscription.spans = []
    subscription.save(update_fields=["status", "spans"])
    _end_deliveries(subscription, now)
    _record(intent, subscription, EventType.SUBSCRIPTION_DISABLED, actor=actor, now=now, reason=reason)


def _lock(
    subscription_id: UUID | str, actor: Actor, operation: str, *, also_removed: bool = False
) -> tuple[Intent | None, Subscription]:
    intent, subscription = lock(subscription_id, also_removed=also_removed)
    if intent:
        require_writable(intent, actor, operation)
    else:
        require_permitted(operation, actor, portfolio_id=subscription.portfolio_id, values={})
    return intent, subscription


def _require_manager(subscription: Subscription, actor: Actor) -> None:
    """Raise Forbidden if the actor may not change the subscription."""
    if not subscription.is_managed_by(actor):
        raise Forbidden("Only the creator of this subscription, or an operator, can change it.")


def _changeable(subscription: Subscription) -> dict[str, Any]:
    """Return the changeable fields as the event log shows them: of the callback only the origin."""
    return {
        "callback_url": origin(subscription.callback_url),
        "event_types": subscription.event_types,
        "status": str(subscription.status),
        "expires_at": instant(subscription.expires_at),
    }


def _require_active(subscription: Subscription, now: datetime) -> None:
    status = subscription.status_at(now)
    if status != Status.ACTIVE or subscription.callback_url is None:
        raise SubscriptionInactive(status if status != Status.ACTIVE else "without a callback_url")


def _set_status(subscription: Subscription, status: str, newest: int, now: datetime) -> None:
    if status == Status.ACTIVE and subscription.expires_at and subscription.expires_at <= now:
        raise Invalid.field("expires_at", "must be in the future; set a new one in the same request", "in_the_past")
    if status == subscription.status:
        return
    through = OutboxCursor.objects.values_list("position", flat=True).first() or 0
    spans = [span for span in subscription.spans if span[1] is None or span[1] > through]
    if status == Status.PAUSED:
        subscription.spans = [[after, min(newest, upto or newest)] for after, upto in spans]
    else:
        subscription.spans = [*spans, [newest, None]]
        subscription.failing_since = None
    subscription.status = status


def _end_deliveries(subscription: Subscription, now: datetime) -> None:
    """End pending deliveries. Claimed ones may still succeed: their claim stays."""
    pending = Delivery.objects.filter(subscription=subscription, status=DeliveryStatus.PENDING)
    pending.update(status=DeliveryStatus.DEAD, next_attempt_at=None, ended_at=now)


def _record(
    intent: Intent | None,
    subscription: Subscription,
    event_type: EventType,
    *,
    actor: Actor,
    now: datetime,
    **more: Any,
) -> Row:
    """Append an event, without the callback's path and query, which may hold a token: everyone may read the log. Return it."""
    payload: dict[str, Any] = {
        "subscription_id": str(subscription.pk),
        "subscriber_id": subscription.subscriber_id,
        "event_types": subscription.event_types,
        **more,
    }
    event = NewEvent(event_type, payload, portfolio_id=subscription.portfolio_id)
    [row] = append(intent, event, actor=actor, now=now) if intent else append_without_intent(event, actor=actor, now=now)
    return row
