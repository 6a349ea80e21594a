"""Deliveries: requests to a receiver, and retries of failures."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from standardwebhooks import WebhookVerificationError

from core.db import database_now
from subscriptions.models import Delivery, Subscription
from subscriptions.webhooks import client
from subscriptions.webhooks import deliveries as sending
from subscriptions.webhooks.delivery_worker import deliver_all_due
from tests.conftest import log
from tests.subscriptions.webhook_receivers import LONG_AGO, comment, deliveries, seconds_until, shown, subscribe, work_again


@pytest.fixture
def intent(make_intent):
    return make_intent()


# --- what is sent ---


@pytest.mark.rule("W-1")
def test_a_webhook_is_the_event_signed_as_standard_webhooks_has_it(api, intent, receiver):
    subscription = subscribe(api, intent, receiver)
    event = comment(api, intent)

    assert deliver_all_due() == 1

    [call] = receiver.calls
    [listed] = [each for each in api.get(f"/intents/{intent['id']}/events").json()["events"] if each["id"] == event["id"]]
    assert call.verified(subscription["secret"]) == {"subscription_id": subscription["id"], "event": listed}
    assert (call.method, call.path) == ("POST", "/hook")
    assert call.headers["Content-Type"] == "application/json"
    assert call.headers["User-Agent"] == "OpenIntent-Webhooks/1"
    [delivery] = deliveries(api, subscription)
    assert delivery["id"] == call.headers["Webhook-Id"]
    assert (delivery["status"], delivery["attempts"], delivery["event_id"]) == ("delivered", 1, event["id"])
    assert delivery["position"] == listed["position"]
    assert shown(api, subscription)["last_delivery"] == {"status": "delivered", "at": delivery["last_attempt_at"], "attempts": 1}


@pytest.mark.rule("W-1")
def test_signature_fails_with_a_wrong_secret_or_body(api, intent, receiver):
    subscription, other = subscribe(api, intent, receiver), subscribe(api, intent, receiver)
    comment(api, intent)
    deliver_all_due()
    [call] = [each for each in receiver.calls if each.json["subscription_id"] == subscription["id"]]

    with pytest.raises(WebhookVerificationError):
        call.verified(other["secret"])
    with pytest.raises(WebhookVerificationError):
        type(call)(call.headers, call.body + b" ", call.at, call.method, call.path).verified(subscription["secret"])


@pytest.mark.rule("W-1")
def test_during_a_rotation_two_secrets_sign_and_a_day_later_one(api, intent, receiver):
    subscription = subscribe(api, intent, receiver)
    new = api.patch(f"/subscriptions/{subscription['id']}", {"rotate_secret": True}).json()["secret"]
    comment(api, intent)
    deliver_all_due()
    Subscription.objects.update(previous_secret_until=LONG_AGO)
    comment(api, intent)
    deliver_all_due()

    during, after = receiver.calls
    assert new != subscription["secret"]
    assert len(during.headers["Webhook-Signature"].split()) == 2
    assert during.verified(new) == during.verified(subscription["secret"])
    after.verified(new)
    with pytest.raises(WebhookVerificationError):
        after.verified(subscription["secret"])


@pytest.mark.rule("W-1")
@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_any_2xx_is_success(api, intent, receiver, status):
    subscription = subscribe(api, intent, receiver)
    receiver.will_answer(status)
    comment(api, intent)
    deliver_all_due()

    [delivery] = deliveries(api, subscription)
    assert delivery["status"] == "delivered"
    assert delivery["history"][0]["status_code"] == status


@pytest.mark.rule("W-1")
@pytest.mark.parametrize("status", [300, 400, 401, 404, 429, 500, 503])
def test_any_other_answer_is_a_failure_that_is_shown(api, intent, receiver, status):
    subscription = subscribe(api, intent, receiver)
    receiver.will_answer(status, text="no\0 thanks" + "x" * 3000)
    comment(api, intent)
    deliver_all_due()

    [delivery] = deliveries(api, subscription)
    [attempt] = delivery["history"]
    assert (delivery["status"], delivery["attempts"], delivery["ended_at"]) == ("pending", 1, None)
    assert (attempt["status_code"], attempt["error"]) == (status, None)
    assert attempt["response"].startswith("no\ufffd thanks")
    assert len(attempt["response"]) == 1024
    assert attempt["duration_ms"] >= 0


@pytest.mark.rule("W-1")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(api, intent, receiver, status):
    subscription = subscribe(api, intent, receiver)
    receiver.will_answer(status, headers={"Location": receiver.url + "/elsewhere"})
    comment(api, intent)
    deliver_all_due()

    assert [call.path for call in receiver.calls] == ["/hook"]
    assert deliveries(api, subscription)[0]["history"][0]["status_code"] == status


@pytest.mark.rule("W-1")
def test_a_receiver_that_is_not_there_is_a_failure_with_a_reason(api, intent, receiver):
    subscription = subscribe(api, intent, "http://127.0.0.1:1/hook")
    comment(api, intent)
    deliver_all_due()

    [attempt] = deliveries(api, subscription)[0]["history"]
    assert (attempt["status_code"], attempt["error"]) == (None, "the connection was refused")


# --- again and again ---


@pytest.mark.rule("W-2")
def test_retries_come_after_the_delays_of_the_rule_and_then_it_is_dead(api, intent, receiver):
    subscription = subscribe(api, intent, receiver)
    receiver.will_answer(*[500] * 10)
    comment(api, intent)
    deliver_all_due()

    for planned in [5, 300, 1800, 2 * 3600, 5 * 3600, 10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600]:
        [delivery] = deliveries(api, subscription)
        assert delivery["status"] == "pending"
        assert planned * 0.85 - 2 <= seconds_until(delivery["next_attempt_at"]) <= planned * 1.15
        assert deliver_all_due() == 0  # Not before its time.
        assert work_again() == 1

    [delivery] = deliveries(api, subscription)
    assert (delivery["status"], delivery["attempts"], delivery["next_attempt_at"]) == ("dead", 10, None)
    assert delivery["ended_at"] is not None
    assert set(receiver.ids) == {delivery["id"]}
    for call in receiver.calls:
        call.verified(subscription["secret"])
    assert shown(api, subscription)["last_delivery"]["status"] == "dead"


@pytest.mark.rule("W-2")
def test_delays_have_jitter():
    failed = client.CallResult(1, status=500)
    assert len({sending.retry_delay(1, failed) for _ in range(20)}) > 10


@pytest.mark.rule("W-2")
@pytest.mark.parametrize(
    ("given", "seconds"),
    [("120", 120), ("0", 5), ("1", 5), ("999999999", 24 * 3600), ("soon", 5), ("-5", 5), ("1e3", 5), ("", 5)],
)
def test_a_retry_after_is_honoured_up_to_a_day(api, intent, receiver, given, seconds):
    subscription = subscribe(api, intent, receiver)
    receiver.will_answer(503, headers={"Retry-After": given})
    comment(api, intent)
    deliver_all_due()

    [delivery] = deliveries(api, subscription)
    assert seconds * 0.85 - 2 <= seconds_until(delivery["next_attempt_at"]) <= seconds * 1.15


@pytest.mark.rule("W-2")
def test_a_retry_after_may_be_a_date():
    in_an_hour = format_datetime(datetime.now(UTC) + timedelta(hours=1))
    assert 3590 <= client.retry_after(in_an_hour) <= 3600
    assert client.retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert client.retry_after("Wed, 21 Oct 2099 07:28:00 -0000") == 24 * 3600
    assert client.retry_after(None) is None


@pytest.mark.rule("W-2")
def test_410_ends_it_and_disables_the_subscription(api, intent, receiver):
    subscription, other = subscribe(api, intent, receiver), subscribe(api, intent, receiver)
    comment(api, intent, "first")
    comment(api, intent, "second")
    api.delete(f"/subscriptions/{other['id']}")
    receiver.will_answer(410, 410)  # Both were claimed before the first was answered.
    deliver_all_due()

    assert shown(api, subscription)["status"] == "disabled"
    assert [each["status"] for each in deliveries(api, subscription)] == ["dead", "dead"]
    told = api.get(f"/intents/{intent['id']}/events").json()["events"][-1]
    assert (told["event_type"], told["actor"]) == ("subscription_disabled", "system")
    assert told["payload"] == {
        "subscription_id": subscription["id"],
        "subscriber_id": subscription["subscriber_id"],
        "event_types": ["comment"],
        "reason": "gone",
    }
    comment(api, intent, "third")
    assert deliver_all_due() == 0


@pytest.mark.rule("W-2")
def test_after_five_days_without_success_the_subscription_is_disabled(api, intent, receiver):
    subscription = subscribe(api, intent, receiver)
    comment(api, intent)
    comment(api, intent)
    receiver.will_answer(500, 500, 500, 500)
    deliver_all_due()
    row = Subscription.objects.get(pk=subscription["id"])
    assert row.failing_since is not None

    Subscription.objects.update(failing_since=row.failing_since - timedelta(days=4, hours=23))
    work_again()
    assert shown(api, subscription)["status"] == "active"
    Subscription.objects.update(failing_since=row.failing_since - timedelta(days=5))
    receiver.will_answer(500, 500)
    work_again()

    assert shown(api, subscription)["status"] == "disabled"
    assert {each["status"] for each in deliveries(api, subscription)} == {"dead"}
    assert log(api, intent)[-1] == ("subscription_disabled", "system")
    assert log(api, intent).count(("subscription_disabled", "system")) == 1


@pytest.mark.rule("W-2")
def test_a_success_ends_the_days_of_failure(api, intent, receiver):
    subscription = subscribe(api, intent, receiver)
    comment(api, intent)
    receiver.will_answer(500)
    deliver_all_due()
    Subscription.objects.update(failing_since=LONG_AGO)
    work_again()
    comment(api, intent)
    receiver.will_answer(500)
    deliver_all_due()

    assert shown(api, subscription)["status"] == "active"
    assert Subscription.objects.get().failing_since > LONG_AGO + timedelta(days=1)


@pytest.mark.rule("W-2")
def test_reactivated_subscription_gets_later_events_only(api, intent, receiver):
    subscription = subscribe(api, intent, receiver)
    comment(api, intent, "gone")
    receiver.will_answer(410)
    deliver_all_due()
    comment(api, intent, "unheard")
    deliver_all_due()

    again = api.patch(f"/subscriptions/{subscription['id']}", {"status": "active"}).json()
    comment(api, intent, "heard")
    deliver_all_due()

    assert again["status"] == "active"
    assert [call.event["payload"]["text"] for call in receiver.calls] == ["gone", "heard"]


# --- sent again by hand ---


def redeliver(caller, delivery):
    return caller.post(f"/subscriptions/{delivery['subscription_id']}/deliveries/{delivery['id']}/redeliver")


@pytest.mark.rule("W-2")
@pytest.mark.parametrize("status", [204, 500])
def test_any_delivery_can_be_sent_again_under_the_same_id(api, intent, receiver, status):
    subscription = subscribe(api, intent, receiver)
    comment(api, intent)
    receiver.will_answer(status)
    deliver_all_due()
    Delivery.objects.filter(status="pending").update(status="dead", next_attempt_at=None, ended_at=database_now())
    [before] = deliveries(api, subscription)

    answer = redeliver(api, before)

    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["attempts"], answer.json()["ended_at"]) == ("pending", 1, None)
    assert deliver_all_due() == 1
    [after] = deliveries(api, subscription)
    assert receiver.ids == [before["id"]] * 2
    assert receiver.calls[0].body == receiver.calls[1].body
    assert (after["status"], after["attempts"]) == ("delivered", 2)
    assert after["history"][0] == before["history"][0]


@pytest.mark.rule("W-2")
def test_sending_again_begins_a_new_round_of_attempts(api, intent, receiver):
    subscription = subscribe(api, intent, receiver)
    comment(api, intent)
    receiver.will_answer(500, 500, 500)
    deliver_all_due()
    work_again()
    [delivery] = deliveries(api, subscription)
    redeliver(api, delivery)
    deliver_all_due()

    [delivery] = deliveries(api, subscription)
    assert delivery["attempts"] == 3
    assert seconds_until(delivery["next_attempt_at"]) < 10


@pytest.mark.rule("W-2")
@pytest.mark.parametrize(
    ("change", "status"), [({"status": "paused"}, "paused"), ({"callback_url": None}, "without a callback_url")]
)
def test_inactive_subscription_cannot_redeliver(api, intent, receiver, change, status):
    subscription = subscribe(api, intent, receiver)
    comment(api, intent)
    deliver_all_due()
    [delivery] = deliveries(api, subscription)
    api.patch(f"/subscriptions/{subscription['id']}", change)

    answer = redeliver(api, delivery)

    assert (answer.status_code, answer.json()["code"]) == (409, "subscription_not_called")
    assert status in answer.json()["detail"]
    assert deliveries(api, subscription) == [delivery]


def test_a_delivery_of_another_subscription_is_not_found(api, intent, receiver):
    subscription, other = subscribe(api, intent, receiver), subscribe(api, intent, receiver)
    comment(api, intent)
    deliver_all_due()
    [delivery] = deliveries(api, subscription)

    assert redeliver(api, {**delivery, "subscription_id": other["id"]}).status_code == 404
    assert redeliver(api, {**delivery, "id": "x"}).status_code == 404
