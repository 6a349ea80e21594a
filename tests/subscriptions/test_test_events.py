"""Test events of a subscription: sent on request, signed, whatever types it hears (protocol W-1, D-301)."""

from uuid import UUID

import pytest

from intents.models import Event
from subscriptions.models import Delivery, Status, Subscription
from subscriptions.webhooks.delivery_worker import deliver_all_due
from tests.conftest import Caller, log
from tests.subscriptions.webhook_receivers import LONG_AGO, comment, deliveries, planned, subscribe

URL = "https://hooks.example.com/events"
TESTED = "subscription_tested"


@pytest.fixture
def intent(make_intent):
    return make_intent()


def send_test(caller, subscription, **headers):
    return caller.post(f"/subscriptions/{subscription['id']}/test", **headers)


@pytest.mark.rule("W-1")
def test_a_test_arrives_signed_though_the_subscription_filters_other_types(api, intent, receiver):
    subscription = subscribe(api, intent, receiver, event_types=["comment"])

    answer = send_test(api, subscription)

    assert answer.status_code == 201
    event = answer.json()
    assert (event["event_type"], event["intent_id"], event["portfolio_id"]) == (TESTED, intent["id"], None)
    assert event["payload"] == {
        "subscription_id": subscription["id"],
        "subscriber_id": subscription["subscriber_id"],
        "event_types": ["comment"],
    }
    [logged] = api.get(f"/intents/{intent['id']}/events", event_type=TESTED).json()["events"]
    assert event | {"position": logged["position"]} == logged
    assert deliver_all_due() == 1
    [call] = receiver.calls
    assert call.verified(subscription["secret"]) == {"subscription_id": subscription["id"], "event": logged}
    [delivery] = deliveries(api, subscription)
    assert (delivery["event_id"], delivery["event_type"], delivery["status"]) == (event["id"], TESTED, "delivered")


@pytest.mark.rule("W-1")
@pytest.mark.parametrize("topic", ["portfolio", "everything"])
def test_subscription_to_a_portfolio_or_everything_is_tested(api, receiver, topic):
    portfolio = api.post("/portfolios", {"name": "Paris"}).json()["id"] if topic == "portfolio" else None
    body = {"portfolio_id": portfolio, "callback_url": receiver.url, "event_types": ["comment"]}
    subscription = api.post("/subscriptions", {name: value for name, value in body.items() if value}).json()

    event = send_test(api, subscription).json()
    deliver_all_due()

    assert (event["intent_id"], event["portfolio_id"], event["sequence"]) == (None, portfolio, None)
    [call] = receiver.calls
    assert call.verified(subscription["secret"])["event"]["id"] == event["id"]


def test_a_test_reaches_no_other_subscription_that_filters_it(api, intent, receiver):
    subscription, _ = subscribe(api, intent, receiver), subscribe(api, intent, receiver)

    send_test(api, subscription)

    assert planned() == [(subscription["id"], TESTED)]


@pytest.mark.rule("W-2")
def test_a_test_that_fails_is_retried_as_any_delivery(api, intent, receiver):
    subscription = subscribe(api, intent, receiver)
    receiver.will_answer(500)

    send_test(api, subscription)
    deliver_all_due()

    [delivery] = deliveries(api, subscription)
    assert (delivery["status"], delivery["history"][0]["status_code"]) == ("pending", 500)
    assert delivery["next_attempt_at"] is not None


@pytest.mark.rule("W-4")
def test_its_maker_under_any_agent_id_and_operators_test_it(api, agent, intent):
    subscription = subscribe(agent("ada"), intent, URL)

    events = [send_test(caller, subscription).json() for caller in (agent("ada"), agent("somebody-else"), api)]

    assert [each["actor"] for each in events] == [actor for type, actor in log(api, intent) if type == TESTED]
    assert [each["actor"] for each in events][:2] == ["ada", "somebody-else"]


def test_each_test_is_an_event_and_a_repeated_request_is_not(api, intent):
    subscription = subscribe(api, intent, URL)

    first, repeated = (send_test(api, subscription, idempotency_key="once") for _ in range(2))
    second = send_test(api, subscription)

    assert (first.json(), repeated.headers["Idempotency-Replayed"]) == (repeated.json(), "true")
    assert second.json()["id"] != first.json()["id"]
    assert planned() == [(subscription["id"], TESTED)] * 2


# --- refusals ---


def assert_refused(answer, status, code):
    """The refusal, and that there is no event and no delivery of a test."""
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Event.objects.filter(event_type=TESTED).exists()
    planned()
    assert not Delivery.objects.exists()


@pytest.mark.parametrize("pk", ["x", "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21"])
def test_unknown_subscription_is_not_tested(api, intent, pk):
    subscribe(api, intent, URL)

    assert_refused(send_test(api, {"id": pk}), 404, "not_found")


def test_removed_subscription_is_not_tested(api, intent):
    subscription = subscribe(api, intent, URL)
    api.delete(f"/subscriptions/{subscription['id']}")

    assert_refused(send_test(api, subscription), 404, "not_found")


@pytest.mark.rule("W-4")
@pytest.mark.parametrize("agent_id", ["ada", "bob", None])
def test_foreign_key_tests_nothing_with_any_agent_id(intent, agent, agent_id):
    subscription = subscribe(agent("ada"), intent, URL, subscriber_id="bob")

    assert_refused(send_test(Caller("agent-synth-key", agent_id), subscription), 403, "forbidden")


def test_observer_tests_nothing(api, intent):
    subscription = subscribe(api, intent, URL)
    observer = Caller(api.post("/keys", {"name": "watcher", "role": "observer"}).json()["key"])

    assert_refused(send_test(observer, subscription), 403, "forbidden")


@pytest.mark.rule("L-4")
def test_lost_lease_stops_a_test(api, intent):
    subscription = subscribe(api, intent, URL)

    assert_refused(send_test(api, subscription, x_fencing_token="7"), 409, "lease_lost")


@pytest.mark.parametrize(
    ("columns", "status"),
    [
        ({"status": Status.PAUSED}, "paused"),
        ({"status": Status.DISABLED}, "disabled"),
        ({"expires_at": LONG_AGO}, "disabled"),
        ({"callback_url": None}, "without a callback_url"),
    ],
    ids=["paused", "disabled", "expired", "without a callback"],
)
def test_subscription_that_sends_nothing_is_not_tested(api, intent, columns, status):
    subscription = subscribe(api, intent, URL)
    Subscription.objects.filter(pk=UUID(subscription["id"])).update(**columns)

    answer = send_test(api, subscription)

    assert_refused(answer, 409, "subscription_not_called")
    assert status in answer.json()["detail"]


@pytest.mark.rule("A-12")
def test_gate_of_tests_binds_no_redelivery_and_the_other_way_round(api, agent, intent, receiver):
    subscription = subscribe(agent("ada"), intent, receiver)
    comment(api, intent)
    deliver_all_due()
    again = f"/subscriptions/{subscription['id']}/deliveries/{Delivery.objects.get().pk}/redeliver"
    gate = api.post("/gates", {"verb": "test_subscription"}).json()

    refused, sent_again = send_test(agent("ada"), subscription), agent("ada").post(again)

    assert (refused.status_code, refused.json()["code"]) == (403, "permit_required")
    assert refused.json()["remedy"]["action"]["verb"] == "test_subscription"
    assert not Event.objects.filter(event_type=TESTED).exists()
    assert sent_again.status_code == 200
    api.delete(f"/gates/{gate['id']}")
    api.post("/gates", {"verb": "redeliver"})
    assert (agent("ada").post(again).status_code, send_test(agent("ada"), subscription).status_code) == (403, 201)
