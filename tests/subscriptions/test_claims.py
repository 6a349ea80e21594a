"""Claims on deliveries, and what remains of deliveries."""

import logging
from datetime import timedelta

import pytest

from config.db import clock
from subscriptions import calling, services
from subscriptions import deliveries as sending
from subscriptions.courier import work_off
from subscriptions.models import Delivery
from tests.subscriptions.receiving import LONG_AGO, comment, deliveries, planned, subscribe


@pytest.fixture
def intent(make_intent):
    return make_intent()


@pytest.mark.rule("W-2")
def test_a_claim_that_has_run_out_lets_another_send_it_and_the_first_write_nothing(api, intent, receiver):
    subscription = subscribe(api, intent, receiver)
    comment(api, intent)
    planned()
    [first] = sending.claim(8)
    assert sending.claim(8) == []
    Delivery.objects.update(claimed_until=LONG_AGO)
    [second] = sending.claim(8)

    assert sending.finish(first, calling.Answer(1, status=500)) is False
    assert deliveries(api, subscription)[0]["attempts"] == 0
    assert sending.finish(second, calling.Answer(1, status=200)) is True
    assert sending.finish(second, calling.Answer(1, status=200)) is False
    assert deliveries(api, subscription)[0]["attempts"] == 1


def test_no_more_than_some_of_one_subscription_are_on_their_way(api, intent, receiver):
    subscribe(api, intent, receiver)
    for _ in range(sending.AT_ONCE + 3):
        comment(api, intent)
    planned()

    assert len(sending.claim(100)) == sending.AT_ONCE
    assert sending.claim(100) == []


def test_room_is_shared_among_subscriptions(api, make_intent, receiver):
    intents = [make_intent() for _ in range(4)]
    subscriptions = [subscribe(api, each, receiver)["id"] for each in intents]
    for each in intents:
        for _ in range(5):
            comment(api, each)
    planned()

    assert sorted(str(parcel.subscription_id) for parcel in sending.claim(4)) == sorted(subscriptions)


def test_what_arrives_while_its_subscription_is_removed_is_recorded(api, intent, receiver):
    subscription = subscribe(api, intent, receiver)
    comment(api, intent)
    planned()
    [parcel] = sending.claim(8)
    api.delete(f"/subscriptions/{subscription['id']}")

    assert sending.finish(parcel, calling.Answer(1, status=200)) is True
    assert Delivery.objects.get().status == "delivered"


# --- what remains ---


def test_old_deliveries_are_forgotten_and_pending_ones_never(api, intent, receiver, settings):
    subscription = subscribe(api, intent, receiver)
    comment(api, intent)
    work_off()
    comment(api, intent)
    receiver.will_answer(500)
    work_off()
    comment(api, intent)
    work_off()
    old, pending, young = deliveries(api, subscription)
    age = timedelta(days=settings.WEBHOOK_KEEP_DAYS, seconds=1)
    Delivery.objects.filter(pk=old["id"]).update(ended_at=clock() - age)
    Delivery.objects.filter(pk=pending["id"]).update(created_at=clock() - age)

    assert sending.forget_old() == 1
    assert deliveries(api, subscription) == [{**pending, "created_at": deliveries(api, subscription)[0]["created_at"]}, young]


def test_no_secret_is_shown_anywhere(api, intent, receiver, caplog):
    caplog.set_level(logging.DEBUG)
    subscription = subscribe(api, intent, receiver, event_types=[])
    rotated = api.patch(f"/subscriptions/{subscription['id']}", {"rotate_secret": True}).json()["secret"]
    comment(api, intent)
    receiver.will_answer(500)
    work_off()
    services.newest_position()
    said = [
        *(call.body.decode() + str(call.headers) for call in receiver.calls),
        *(api.get(path).text for path in [
            "/events", "/subscriptions", f"/subscriptions/{subscription['id']}", f"/subscriptions/{subscription['id']}/deliveries",
            f"/intents/{intent['id']}/subscriptions", f"/intents/{intent['id']}/events",
        ]),
        caplog.text,
        repr(sending.claim(8)),
    ]  # fmt: skip

    for secret in (subscription["secret"], rotated):
        assert not [text for text in said if secret.removeprefix("whsec_") in text]
