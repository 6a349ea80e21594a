"""The log is read by bytes, and what was read is kept for others (rule S-3; security M5)."""

import random
import tracemalloc
from contextlib import contextmanager
from uuid import uuid4

import pytest

from core.db import database_now
from intents import positions, topics
from intents.models import Event
from subscriptions.models import Delivery
from subscriptions.streams import log_reader, pages
from subscriptions.streams.log_reader import Batch
from subscriptions.streams.pages import LogPageCache
from subscriptions.webhooks import outbox
from tests.subscriptions.webhook_receivers import claimed, subscribe

LARGE = 2 * 2**20  # Bytes of a payload, as older servers took them.
NUMBER = 12
ALL = frozenset({topics.ALL})


@contextmanager
def within(most: int):
    """Assert that the peak of Python's memory stays within the limit."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < most
    finally:
        tracemalloc.stop()


@pytest.fixture
def large(api, make_intent, receiver):
    """An intent with many events that are larger than the API takes, and a subscription to it."""
    intent = make_intent()
    subscribe(api, intent, receiver)
    positions.assign_pending_positions()
    last = Event.objects.order_by("-row").first()
    for number in range(1, NUMBER + 1):
        Event.objects.create(
            uid=uuid4(), intent_id=intent["id"], sequence=last.sequence + number, position=last.position + number,
            event_type="comment", actor="old", payload={"text": "x" * LARGE}, created_at=database_now(),
        )  # fmt: skip
    return last.position


def numbers(batch: Batch) -> list[int]:
    return [entry.position for entry in batch.entries]


@pytest.mark.fast_paths
@pytest.mark.case("security M5")
@pytest.mark.parametrize(
    "read", [log_reader.read_batch, lambda after: log_reader.read_topics(ALL, (), after)], ids=["tail", "reader"]
)
def test_large_events_are_read_one_by_one(large, read):
    found, after = [], large
    while len(found) < NUMBER:
        with within(6 * LARGE):  # One, as text and as JSON, on its way through the database's driver.
            batch = read(after)
        assert batch.is_full
        found += numbers(batch)
        after = batch.through

    assert found == [large + number for number in range(1, NUMBER + 1)]
    assert not read(after).is_full


@pytest.mark.case("security M5")
def test_large_events_are_not_read_by_the_outbox_and_sent_few_at_once(large):
    with within(LARGE):
        while outbox.create_deliveries() is not None:
            pass
    assert Delivery.objects.count() == NUMBER
    Delivery.objects.select_related("subscription").first().subscription.__class__.objects.update(pace="steady")

    with within(16 * LARGE):
        parcels = claimed(100)
    assert [len(parcel.body) > LARGE for parcel in parcels] == [True, True]
    assert Delivery.objects.filter(claimed_until=None).count() == NUMBER - 2


def test_small_events_are_read_many_at_once(api, make_intent):
    intent = make_intent()
    api.post(f"/intents/{intent['id']}/events/batch", {"events": [{"event_type": "comment"}] * 150})
    positions.assign_pending_positions()

    batch = log_reader.read_batch(0)

    assert (len(batch.entries), batch.is_full) == (log_reader.BATCH, True)
    assert len(log_reader.read_batch(batch.through).entries) == 51


class Entry:
    def __init__(self, position: int) -> None:
        self.position, self.size = position, 100


@pytest.mark.parametrize("seed", range(20))
def test_pages_answer_what_the_log_would(seed, monkeypatch):
    monkeypatch.setattr(pages, "BYTES", 100_000)
    chance, kept, log = random.Random(seed), LogPageCache(), [Entry(position) for position in range(1, 300) if position % 3]
    wanted = [(ALL, frozenset()), (ALL, frozenset({"note"})), (frozenset({"intent:1"}), frozenset())]
    found = 0
    for _ in range(500):
        who, after = chance.choice(wanted), chance.randrange(300)
        if page := kept.find(who, after):
            found += 1
            assert page.through > after
            assert numbers(page) == [each.position for each in log if after < each.position <= page.through]
        else:
            through = min(after + chance.randrange(40), 299)
            entries = [each for each in log if after < each.position <= through]
            kept.keep(who, after, Batch(entries, through))
        assert kept._bytes <= pages.BYTES
    assert found > 50
    kept.clear()
    assert [kept.find(who, after) for who in wanted for after in range(300)] == [None] * 900
