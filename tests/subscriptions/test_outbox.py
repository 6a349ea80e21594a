"""Which events each subscription hears of."""

from datetime import timedelta

import pytest

from core.db import database_now
from subscriptions import services
from subscriptions.models import Delivery, OutboxCursor, Subscription
from subscriptions.webhooks.delivery_worker import deliver_all_due
from subscriptions.webhooks.outbox import create_all_deliveries
from tests.subscriptions.webhook_receivers import comment, deliveries, planned, subscribe

pytestmark = pytest.mark.full


URL = "http://127.0.0.1:1/hook"


@pytest.fixture
def intent(make_intent):
    return make_intent()


@pytest.fixture
def portfolio(api):
    return api.post("/portfolios", {"name": "Paris"}).json()


@pytest.mark.rule("W-2")
def test_a_subscription_hears_of_its_intent_from_its_creation_on(api, make_intent):
    intent, other = make_intent(), make_intent()
    comment(api, intent)
    subscription = subscribe(api, intent, URL, event_types=[])
    comment(api, intent)
    comment(api, other)

    assert planned() == [(subscription["id"], "subscription_created"), (subscription["id"], "comment")]


@pytest.mark.rule("W-2")
def test_only_the_types_that_were_asked_for(api, intent):
    subscription = subscribe(api, intent, URL, event_types=["state_patched", "status_changed"])
    comment(api, intent)
    api.post(f"/intents/{intent['id']}/status", {"status": "active"}, version=1)
    api.post(f"/intents/{intent['id']}/state", {"state": {"a": 1}}, version=2)

    assert planned() == [(subscription["id"], "status_changed"), (subscription["id"], "state_patched")]


@pytest.mark.rule("W-2")
def test_portfolio_subscription_gets_events_of_members_while_they_are(api, make_intent, portfolio):
    subscription = api.post("/subscriptions", {"portfolio_id": portfolio["id"], "callback_url": URL}).json()
    member, stranger = make_intent(), make_intent()
    comment(api, member)
    api.post(f"/portfolios/{portfolio['id']}/intents", {"intent_id": member["id"]})
    comment(api, member)
    comment(api, stranger)
    api.delete(f"/portfolios/{portfolio['id']}/intents/{member['id']}")
    comment(api, member)

    assert planned() == [
        (subscription["id"], each) for each in ("subscription_created", "added_to_portfolio", "comment", "removed_from_portfolio")
    ]


@pytest.mark.rule("W-2")
def test_everything(api, make_intent, portfolio):
    subscription = api.post("/subscriptions", {"callback_url": URL}).json()
    comment(api, make_intent())

    assert planned() == [(subscription["id"], each) for each in ("subscription_created", "intent_created", "comment")]


@pytest.mark.rule("W-2")
def test_several_batches_create_each_delivery_once(api, intent):
    subscription = subscribe(api, intent, URL)
    events = [{"event_type": "comment"} for _ in range(250)]
    api.post(f"/intents/{intent['id']}/events/batch", {"events": events})

    assert planned() == [(subscription["id"], "comment")] * 250
    assert create_all_deliveries() == 0
    OutboxCursor.objects.update(position=0)
    create_all_deliveries()
    assert Delivery.objects.count() == 250


@pytest.mark.rule("W-2")
def test_a_crash_in_the_middle_of_planning_loses_nothing(api, intent, monkeypatch):
    subscribe(api, intent, URL)
    comment(api, intent)
    services.newest_position()
    with monkeypatch.context() as patched:
        patched.setattr(OutboxCursor, "save", lambda *_, **__: (_ for _ in ()).throw(RuntimeError("killed")))
        with pytest.raises(RuntimeError):
            create_all_deliveries()
    assert not Delivery.objects.exists()

    create_all_deliveries()

    assert Delivery.objects.count() == 1


def test_paused_subscription_gets_events_before_and_after_the_pause_only(api, intent, receiver):
    subscription = subscribe(api, intent, receiver)
    url = f"/subscriptions/{subscription['id']}"
    comment(api, intent, "before, planned late")
    api.patch(url, {"status": "paused"})
    comment(api, intent, "meanwhile")
    assert deliver_all_due() == 0
    assert len(deliveries(api, subscription)) == 1
    comment(api, intent, "meanwhile too")
    api.patch(url, {"status": "active"})
    comment(api, intent, "after")
    deliver_all_due()

    assert [call.event["payload"]["text"] for call in receiver.calls] == ["before, planned late", "after"]


def test_paused_and_resumed_before_anything_was_planned(api, intent, receiver):
    subscription = subscribe(api, intent, receiver)
    for status, text in (("active", "1"), ("paused", "2"), ("active", "3"), ("paused", "4"), ("active", "5")):
        api.patch(f"/subscriptions/{subscription['id']}", {"status": status})
        comment(api, intent, text)
    deliver_all_due()

    assert [call.event["payload"]["text"] for call in receiver.calls] == ["1", "3", "5"]


def test_expired_subscription_gets_no_events_and_its_deliveries_die(api, intent, receiver):
    subscription = subscribe(api, intent, receiver)
    comment(api, intent)
    planned()
    Subscription.objects.update(expires_at=database_now() - timedelta(seconds=1))
    comment(api, intent)

    assert deliver_all_due() == 0
    assert [each["status"] for each in deliveries(api, subscription)] == ["dead"]


def test_without_a_callback_nothing_more_is_sent(api, intent, receiver):
    subscription = subscribe(api, intent, receiver)
    comment(api, intent)
    planned()
    api.patch(f"/subscriptions/{subscription['id']}", {"callback_url": None})
    comment(api, intent)

    assert deliver_all_due() == 0
    assert [each["status"] for each in deliveries(api, subscription)] == ["dead"]


def test_where_nobody_subscribes_the_log_is_not_gone_through(api, intent, monkeypatch):
    monkeypatch.setattr("subscriptions.webhooks.outbox.MAX_LAG", 3)
    for _ in range(5):
        comment(api, intent)

    assert planned() == []
    assert OutboxCursor.objects.get().position == 6


def test_outbox_needs_no_query_per_subscription_or_event(api, intent, django_assert_max_num_queries):
    for _ in range(20):
        subscribe(api, intent, URL)
    events = [{"event_type": "comment"} for _ in range(50)]
    api.post(f"/intents/{intent['id']}/events/batch", {"events": events})
    services.newest_position()

    with django_assert_max_num_queries(50):
        assert create_all_deliveries() == 1000
