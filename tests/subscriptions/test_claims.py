"""Claims on deliveries, and what remains of deliveries."""

import logging
from datetime import timedelta

import pytest

from core.db import database_now
from subscriptions import services
from subscriptions.models import Delivery, Pace, Subscription
from subscriptions.webhooks import client
from subscriptions.webhooks import deliveries as sending
from subscriptions.webhooks.delivery_worker import deliver_all_due
from tests.subscriptions.webhook_receivers import LONG_AGO, claimed, comment, deliveries, planned, subscribe

pytestmark = pytest.mark.database("sqlite", "postgresql")


@pytest.fixture
def intent(make_intent):
    return make_intent()


@pytest.mark.rule("W-2")
def test_expired_claim_passes_to_another_worker(api, intent, receiver):
    subscription = subscribe(api, intent, receiver)
    comment(api, intent)
    planned()
    [first] = claimed()
    assert claimed() == []
    Delivery.objects.update(claimed_until=LONG_AGO)
    [second] = claimed()

    assert sending.record_result(first, client.CallResult(1, status=500)) is False
    assert deliveries(api, subscription)[0]["attempts"] == 0
    assert sending.record_result(second, client.CallResult(1, status=200)) is True
    assert sending.record_result(second, client.CallResult(1, status=200)) is False
    assert deliveries(api, subscription)[0]["attempts"] == 1


@pytest.mark.case("streams 19")
@pytest.mark.parametrize("pace", Pace)
def test_no_more_than_some_of_one_subscription_are_on_their_way(api, intent, receiver, pace):
    subscribe(api, intent, receiver)
    Subscription.objects.update(pace=pace)
    for _ in range(sending.MAX_CONCURRENT[pace] + 3):
        comment(api, intent)
    planned()

    assert len(claimed(100)) == sending.MAX_CONCURRENT[pace]
    assert claimed(100) == []


@pytest.mark.case("streams 19")
def test_receivers_of_each_pace_have_room_of_their_own(api, make_intent, receiver):
    for pace in Pace:
        for _ in range(3):
            intent = make_intent()
            made = subscribe(api, intent, receiver)
            comment(api, intent)
            Subscription.objects.filter(pk=made["id"]).update(pace=pace)
    planned()

    assert [parcel.pace for parcel in sending.claim_due({Pace.STEADY: 2, Pace.SLOW: 1})] == [Pace.STEADY, Pace.STEADY, Pace.SLOW]
    assert [parcel.pace for parcel in sending.claim_due({Pace.STEADY: 9, Pace.NEW: 0, Pace.SLOW: -1})] == [Pace.STEADY]
    hanging = Subscription.objects.filter(pace=Pace.NEW).values_list("pk", flat=True)[:2]
    assert len(sending.claim_due({Pace.NEW: 9}, hanging=[*hanging])) == 1


@pytest.mark.case("streams 19")
@pytest.mark.parametrize(
    ("answer", "pace"),
    [
        (client.CallResult(20, status=204), Pace.STEADY),
        (client.CallResult(20, status=503), Pace.NEW),
        (client.CallResult(20, error="the connection was refused"), Pace.NEW),
        (client.CallResult(15_000, error=client.TOO_LONG), Pace.SLOW),
        (client.CallResult(sending.SLOW_AFTER, status=204), Pace.SLOW),
    ],
)
def test_an_attempt_says_how_the_receiver_answers(api, intent, receiver, answer, pace):
    subscribe(api, intent, receiver)
    for before in Pace:
        Subscription.objects.update(pace=before)
        comment(api, intent)
        planned()
        [parcel] = claimed(1)
        sending.record_result(parcel, answer)

        assert Subscription.objects.get().pace == pace
        Delivery.objects.filter(status="pending").update(next_attempt_at=database_now() + timedelta(days=1))


def test_room_is_shared_among_subscriptions(api, make_intent, receiver):
    intents = [make_intent() for _ in range(4)]
    subscriptions = [subscribe(api, each, receiver)["id"] for each in intents]
    for each in intents:
        for _ in range(5):
            comment(api, each)
    planned()

    assert sorted(str(parcel.subscription_id) for parcel in claimed(4)) == sorted(subscriptions)


def test_delivery_during_removal_of_its_subscription_is_recorded(api, intent, receiver):
    subscription = subscribe(api, intent, receiver)
    comment(api, intent)
    planned()
    [parcel] = claimed()
    api.delete(f"/subscriptions/{subscription['id']}")

    assert sending.record_result(parcel, client.CallResult(1, status=200)) is True
    assert Delivery.objects.get().status == "delivered"


# --- what remains ---


def test_old_deliveries_are_forgotten_and_pending_ones_never(api, intent, receiver, settings):
    subscription = subscribe(api, intent, receiver)
    comment(api, intent)
    deliver_all_due()
    comment(api, intent)
    receiver.will_answer(500)
    deliver_all_due()
    comment(api, intent)
    deliver_all_due()
    old, pending, young = deliveries(api, subscription)
    age = timedelta(days=settings.WEBHOOK_KEEP_DAYS, seconds=1)
    Delivery.objects.filter(pk=old["id"]).update(ended_at=database_now() - age)
    Delivery.objects.filter(pk=pending["id"]).update(created_at=database_now() - age)

    assert sending.delete_old() == 1
    assert deliveries(api, subscription) == [{**pending, "created_at": deliveries(api, subscription)[0]["created_at"]}, young]


def test_no_secret_is_shown_anywhere(api, intent, receiver, caplog):
    caplog.set_level(logging.DEBUG)
    subscription = subscribe(api, intent, receiver, event_types=[])
    rotated = api.patch(f"/subscriptions/{subscription['id']}", {"rotate_secret": True}).json()["secret"]
    comment(api, intent)
    receiver.will_answer(500)
    deliver_all_due()
    services.newest_position()
    said = [
        *(call.body.decode() + str(call.headers) for call in receiver.calls),
        *(api.get(path).text for path in [
            "/events", "/subscriptions", f"/subscriptions/{subscription['id']}", f"/subscriptions/{subscription['id']}/deliveries",
            f"/intents/{intent['id']}/subscriptions", f"/intents/{intent['id']}/events",
        ]),
        caplog.text,
        repr(claimed()),
    ]  # fmt: skip

    for secret in (subscription["secret"], rotated):
        assert not [text for text in said if secret.removeprefix("whsec_") in text]
