"""Transactional outbox: creates deliveries from the event log, which is the outbox itself.

One process at a time reads the log by position and, in one transaction, inserts the deliveries of some events and advances
the cursor. So a crash neither loses nor repeats a delivery.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from core.db import database_now, has_single_writer
from intents import positions, topics
from intents.events import EventType
from intents.models import Event
from subscriptions.models import Delivery, OutboxCursor, Subscription
from subscriptions.streams import log_reader

MAX_LAG = 1_000  # Events that may be behind the cursor without subscriptions: it saves writes.


def create_all_deliveries() -> int:
    """Create the deliveries of all events with a position. Return their number."""
    created = 0
    while (number := create_deliveries()) is not None:
        created += number
    return created


def has_active_subscriptions() -> bool:
    """Return whether there is a subscription that receives events."""
    return Subscription.objects.active_at(database_now()).exists()


def create_deliveries() -> int | None:
    """Create the deliveries of the next events. Return their number; None if there are no more, or another process does it."""
    newest = positions.head()  # Read before the subscriptions: later ones cover later events only.
    position = OutboxCursor.objects.values_list("position", flat=True).first() or 0
    if position > newest:  # The log was restored to a backup without its cursor.
        OutboxCursor.objects.filter(position=position).update(position=newest)
    if position >= newest or (newest - position < MAX_LAG and not has_active_subscriptions()):
        return None
    with transaction.atomic():
        if has_single_writer():
            cursor: OutboxCursor | None = OutboxCursor.objects.get_or_create(pk=1, defaults={"position": 0})[0]
        else:
            OutboxCursor.objects.bulk_create([OutboxCursor(pk=1, position=0)], ignore_conflicts=True)
            cursor = OutboxCursor.objects.select_for_update(skip_locked=True).first()
        if cursor is None:  # Another process holds it.
            return None
        if has_active_subscriptions():
            created = _create_next(cursor)
        else:
            cursor.position, created = max(cursor.position, newest), 0
        cursor.save(update_fields=["position"])
        return created


def _create_next(cursor: OutboxCursor) -> int:
    """Create the deliveries of a batch of events and advance the cursor. Return the number of deliveries."""
    events = log_reader.read_event_topics(cursor.position)
    now = database_now()
    wanted = {topic for event in events for topic in event.topics}
    concerned = Q(intent__in=topics.ids_of_kind(wanted, topics.INTENT)) | Q(
        portfolio__in=topics.ids_of_kind(wanted, topics.PORTFOLIO)
    )
    # Subscriptions are read after the events, so that none from before them is missed.
    subscriptions = Subscription.objects.active_at(now).filter(concerned | Q(intent=None, portfolio=None))
    by_topic: dict[topics.Topic, list[Subscription]] = defaultdict(list)
    for each in subscriptions.only("intent_id", "portfolio_id", "event_types", "spans"):
        if each.intent_id:
            topic = topics.for_intent(each.intent_id)
        else:
            topic = topics.for_portfolio(each.portfolio_id) if each.portfolio_id else topics.ALL
        by_topic[topic].append(each)
    receivers = [
        (each.pk, event)
        for event in events
        for topic in event.topics
        for each in by_topic.get(topic, ())
        if each.covers(event.position) and (not each.event_types or event.event_type in each.event_types)
    ]
    receivers += _tested(events, now)
    deliveries = [
        Delivery(subscription_id=pk, event_id=event.position, event_type=event.event_type, next_attempt_at=now, created_at=now)
        for pk, event in receivers
    ]
    Delivery.objects.bulk_create(deliveries, ignore_conflicts=True, batch_size=1_000)
    if events:
        cursor.position = events[-1].position
    return len(deliveries)


def _tested(events: Iterable[log_reader.EventTopics], now: datetime) -> list[tuple[UUID, log_reader.EventTopics]]:
    """Return the subscriptions that the tests among the events are for, whatever types they hear."""
    tests = {event.position: event for event in events if event.event_type == EventType.SUBSCRIPTION_TESTED}
    if not tests:
        return []
    told = Event.objects.filter(position__in=tests).values_list("position", "payload")
    wanted = [(UUID(payload["subscription_id"]), tests[position]) for position, payload in told if position]
    active = Subscription.objects.active_at(now).in_bulk([pk for pk, _ in wanted])
    return [(pk, event) for pk, event in wanted if pk in active and active[pk].covers(event.position)]
