"""Subscriptions and their deliveries, from both clients against the live server (RFC-0006)."""

import time

import pytest
from openintent import (
    ConflictError,
    DeliveryStatus,
    EventType,
    InputValidationError,
    NotFoundError,
    OpenIntentClient,
    SubscriptionStatus,
    ValidationError,
    webhooks,
)
from openintent._call import call_builder
from pytest_httpserver import HTTPServer

pytestmark = [pytest.mark.rule("K-1"), pytest.mark.database("sqlite")]

ELSEWHERE = "https://example.com/hook"


@pytest.fixture
def client(connect, server):
    return connect(server.url, "dev-user-key", "ada")


@pytest.fixture
def intent(client):
    return client.create_intent(title="Book flights")


def test_a_subscription_to_an_intent_shows_its_secret_once(client, intent):
    made = client.subscribe(intent.id, subscriber_id="service:x", callback_url=ELSEWHERE, event_types=["comment"])

    assert made.secret.startswith("whsec_")
    assert made.secret not in repr(made)
    assert (made.intent_id, made.subscriber_id, made.callback_url, made.event_types) == (
        intent.id,
        "service:x",
        ELSEWHERE,
        ["comment"],
    )
    assert (made.status, made.created_by, made.last_delivery, made.extra) == (SubscriptionStatus.ACTIVE, "ada", None, {})
    (listed,) = client.get_subscriptions(intent.id)
    assert (listed.id, listed.secret) == (made.id, None)
    assert client.get_subscriptions(intent.id, status="paused") == []

    client.unsubscribe(intent.id, made.id)
    client.unsubscribe(intent.id, made.id)

    assert client.get_subscriptions(intent.id) == []
    with pytest.raises(NotFoundError):
        client.get_subscription(made.id)


def test_subscriptions_are_created_updated_and_deleted(client, intent):
    portfolio = client.create_portfolio("Launch")
    mine = f"service:{intent.id}"
    made = [
        client.create_subscription(subscriber_id=mine, **about)
        for about in ({"intent_id": intent.id}, {"portfolio_id": portfolio.id}, {})
    ]
    assert [(each.intent_id, each.portfolio_id) for each in made] == [(intent.id, None), (None, portfolio.id), (None, None)]
    assert [each.id for each in client.list_subscriptions(subscriber_id=mine)] == [each.id for each in made]
    assert [each.id for each in client.list_subscriptions(portfolio_id=portfolio.id)] == [made[1].id]

    changed = client.update_subscription(made[2].id, callback_url=ELSEWHERE, event_types=["comment"], status="paused")
    assert (changed.callback_url, changed.event_types, changed.status, changed.secret) == (ELSEWHERE, ["comment"], "paused", None)
    rotated = client.update_subscription(made[2].id, callback_url=None, rotate_secret=True)
    assert rotated.callback_url is None
    assert rotated.secret not in (None, made[2].secret)

    for each in made:
        client.delete_subscription(each.id)
    assert client.list_subscriptions(subscriber_id=mine) == []


def test_delivery_is_listed_and_redelivered(client, intent):
    with HTTPServer(threaded=True) as receiver:
        receiver.expect_request("/hook").respond_with_data("thanks", 200)
        subscription = client.subscribe(intent.id, callback_url=receiver.url_for("/hook"), event_types=["comment"])
        event = client.log_event(intent.id, "comment")

        (delivery,) = when_delivered(client, subscription, attempts=1)
        client.redeliver(subscription.id, delivery.id)
        (again,) = when_delivered(client, subscription, attempts=2)
        client.update_subscription(subscription.id, status="paused")

        assert (delivery.event_id, delivery.event_type, delivery.history[0].status_code) == (event.id, "comment", 200)
        assert (again.id, again.attempts, len(again.history), again.extra) == (delivery.id, 2, 2, {})
        assert client.get_subscription(subscription.id).last_delivery.status is DeliveryStatus.DELIVERED
        with pytest.raises(ConflictError) as caught:
            client.redeliver(subscription.id, delivery.id)
    assert caught.value.code == "subscription_not_called"
    assert {request.headers["webhook-id"] for request, _ in receiver.log} == {delivery.id}


@pytest.mark.rule("W-1")
def test_a_test_event_arrives_signed_whatever_types_it_hears(client, intent):
    with HTTPServer(threaded=True) as receiver:
        receiver.expect_request("/hook").respond_with_data("thanks", 200)
        subscription = client.subscribe(intent.id, callback_url=receiver.url_for("/hook"), event_types=["comment"])

        event = client.test_subscription(subscription.id)
        (delivery,) = when_delivered(client, subscription, attempts=1)

    assert (event.event_type, event.intent_id, event.extra) == (EventType.SUBSCRIPTION_TESTED, intent.id, {})
    assert (delivery.event_id, delivery.event_type) == (event.id, EventType.SUBSCRIPTION_TESTED)
    [(request, _)] = receiver.log
    webhook = webhooks.verify(request.get_data(), dict(request.headers), subscription.secret)
    assert (webhook.id, webhook.subscription_id, webhook.event.id) == (delivery.id, subscription.id, event.id)


def test_subscription_that_sends_nothing_is_not_tested(client, intent):
    subscription = client.subscribe(intent.id, callback_url=ELSEWHERE, event_types=["comment"])
    client.update_subscription(subscription.id, status="paused")

    with pytest.raises(ConflictError) as caught:
        client.test_subscription(subscription.id)
    with pytest.raises(NotFoundError):
        client.test_subscription(intent.id)

    assert caught.value.code == "subscription_not_called"
    assert client.get_events(intent.id, EventType.SUBSCRIPTION_TESTED) == []
    assert client.list_deliveries(subscription.id) == []


def when_delivered(client, subscription, *, attempts):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = client.list_deliveries(subscription.id, status="delivered")
        if found and found[0].attempts >= attempts:
            return found
        time.sleep(0.05)
    raise AssertionError(client.list_deliveries(subscription.id))


@pytest.mark.rule("W-3")
def test_a_callback_into_a_private_network_is_refused(client, intent):
    with pytest.raises(ValidationError) as caught:
        client.subscribe(intent.id, callback_url="http://10.0.0.1/hook")

    assert caught.value.code == "callback_not_allowed"


@pytest.mark.rule("K-3")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("callback_url", "ftp://example.com"),
        ("callback_url", "https://me:secret@example.com"),
        ("callback_url", "https://exämple.com"),
        ("callback_url", "https://" + "x" * 2000),
        ("callback_url", 5),
        ("subscriber_id", ""),
        ("subscriber_id", "system"),
        ("event_types", "comment"),
        ("event_types[1]", ["comment", "Bad"]),
        ("event_types", ["comment"] * 101),
    ],
)
def test_invalid_subscription_is_rejected_before_it_is_sent(field, value):
    for subscribe in (OpenIntentClient.subscribe, OpenIntentClient.create_subscription):
        with pytest.raises(InputValidationError) as caught:
            call_builder(subscribe)(intent_id="x", **{field.partition("[")[0]: value})

        assert caught.value.field == field
        assert "secret" not in str(caught.value)


@pytest.mark.rule("K-3")
@pytest.mark.parametrize("change", [{"status": "disabled"}, {"rotate_secret": "yes"}, {"event_types": None, "status": "x"}, {}])
def test_invalid_update_is_rejected_before_it_is_sent(change):
    with pytest.raises(InputValidationError):
        call_builder(OpenIntentClient.update_subscription)("x", **change)
