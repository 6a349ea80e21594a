"""Representation of subscriptions and deliveries (protocol §3)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from access.identity import Actor
from core.encoding import identifier, instant
from subscriptions.models import Delivery, Status, Subscription


def status_at(subscription: Subscription, now: datetime) -> str:
    """Return the status at `now`: an expired subscription is disabled."""
    is_expired = subscription.expires_at and subscription.expires_at <= now
    return str(Status.DISABLED if is_expired else subscription.status)


def subscription_body(subscription: Subscription, reader: Actor, now: datetime, last: Delivery | None = None) -> dict[str, Any]:
    """Represent a subscription for this reader, without its secret, which only its creation returns (rule W-4)."""
    return {
        "id": identifier(subscription.pk),
        "intent_id": identifier(subscription.intent_id),
        "portfolio_id": identifier(subscription.portfolio_id),
        "subscriber_id": subscription.subscriber_id,
        "callback_url": subscription.callback_for(reader),
        "event_types": subscription.event_types,
        "secret": None,
        "status": status_at(subscription, now),
        "expires_at": instant(subscription.expires_at),
        "created_by": subscription.created_by,
        "created_at": instant(subscription.created_at),
        "last_delivery": last and {"status": str(last.status), "at": instant(last.last_attempt_at), "attempts": last.attempts},
    }


def last_deliveries(subscriptions: list[Subscription]) -> Mapping[UUID, Delivery]:
    """Return the last attempted delivery by subscription id. The subscriptions come from `with_last_delivery`."""
    tried = [each.last_delivery_id for each in subscriptions if each.last_delivery_id]  # type: ignore[attr-defined]
    return {delivery.subscription_id: delivery for delivery in Delivery.objects.filter(pk__in=tried)}


def delivery_body(delivery: Delivery, *, with_responses: bool) -> dict[str, Any]:
    """Represent a delivery with its `event`.

    Responses may repeat the callback, so only readers who may see it in full get them.
    """
    hidden = {} if with_responses else {"response": None}
    return {
        "id": identifier(delivery.pk),
        "subscription_id": identifier(delivery.subscription_id),
        "event_id": identifier(delivery.event.uid),
        "event_type": delivery.event_type,
        "position": delivery.event_id,
        "status": str(delivery.status),
        "attempts": delivery.attempts,
        "history": [{**attempt, **hidden} for attempt in delivery.history],
        "next_attempt_at": instant(delivery.next_attempt_at),
        "last_attempt_at": instant(delivery.last_attempt_at),
        "created_at": instant(delivery.created_at),
        "ended_at": instant(delivery.ended_at),
    }
