"""From the log to deliveries. The log itself is the outbox: those who write to it know nothing of webhooks.

Whoever plans goes through the log by position and, in one transaction, inserts the deliveries of some events and moves on.
So a crash loses nothing and plans nothing twice, and one process at a time does it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from core.db import database_now, has_single_writer
from intents import positions, topics
from subscriptions.models import Delivery, OutboxCursor, Subscription
from subscriptions.streams import log_reader

LAG = 1_000  # Events that may wait while nobody wants to hear of any: it saves a write for each look.


def create_all_deliveries() -> int:
    """Plan the deliveries of all events that have a position. Answers how many there are now that were not before."""
    planned = 0
    while (some := create_deliveries()) is not None:
        planned += some
    return planned


def has_active_subscriptions() -> bool:
    """Whether anybody hears of anything."""
    return Subscription.objects.active_at(database_now()).exists()


def create_deliveries() -> int | None:
    """Plan those of the next events. None where there are no more, or another process is at it."""
    newest = positions.head()  # Before the subscriptions are read: those made later hear of later events only.
    place = OutboxCursor.objects.values_list("position", flat=True).first() or 0
    if place > newest:  # The log has been set back without its plan.
        OutboxCursor.objects.filter(position=place).update(position=newest)
    if place >= newest or (newest - place < LAG and not has_active_subscriptions()):
        return None
    with transaction.atomic():
        plan = _taken()
        if plan is None:
            return None
        if has_active_subscriptions():
            planned = _go_on(plan)
        else:
            plan.position, planned = max(plan.position, newest), 0
        plan.save(update_fields=["position"])
        return planned


def _taken() -> OutboxCursor | None:
    """The row that says how far the plan is, locked; None where another process has it."""
    if has_single_writer():
        return OutboxCursor.objects.get_or_create(pk=1, defaults={"position": 0})[0]
    OutboxCursor.objects.bulk_create([OutboxCursor(pk=1, position=0)], ignore_conflicts=True)
    return OutboxCursor.objects.select_for_update(skip_locked=True).first()


def _go_on(plan: OutboxCursor) -> int:
    found = log_reader.read_event_topics(plan.position)
    now = database_now()
    hearers = _hearers(found, now)  # After the events: who subscribed before one of them is among these.
    deliveries = [
        Delivery(subscription_id=pk, event_id=entry.position, event_type=entry.event_type, next_attempt_at=now, created_at=now)
        for entry in found
        for pk in _hearing(entry, hearers)
    ]
    Delivery.objects.bulk_create(deliveries, ignore_conflicts=True, batch_size=1_000)
    if found:
        plan.position = found[-1].position
    return len(deliveries)


_Hearers = dict[str, list[Subscription]]


def _hearers(entries: Iterable[log_reader.EventTopics], now: datetime) -> _Hearers:
    """The subscriptions that may hear of any of these, by their topics."""
    heard = {topic for entry in entries for topic in entry.topics}
    concerned = Q(intent__in=_ids(heard, topics.INTENT)) | Q(portfolio__in=_ids(heard, topics.PORTFOLIO))
    wanting = Subscription.objects.active_at(now).filter(concerned | Q(intent=None, portfolio=None))
    found: _Hearers = defaultdict(list)
    for each in wanting.only("intent_id", "portfolio_id", "event_types", "spans"):
        found[topic_of(each)].append(each)
    return found


def topic_of(subscription: Subscription) -> topics.Topic:
    if subscription.intent_id:
        return topics.for_intent(subscription.intent_id)
    return topics.for_portfolio(subscription.portfolio_id) if subscription.portfolio_id else topics.ALL


def _hearing(entry: log_reader.EventTopics, hearers: _Hearers) -> Iterator[UUID]:
    for topic in entry.topics:
        for each in hearers.get(topic, ()):
            if each.covers(entry.position) and (not each.event_types or entry.event_type in each.event_types):
                yield each.pk


def _ids(heard: Iterable[topics.Topic], kind: str) -> list[UUID]:
    return [UUID(topic.removeprefix(kind)) for topic in heard if topic.startswith(kind)]
