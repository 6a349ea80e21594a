"""Subscriptions: made, shown, changed and removed."""

import pytest

from subscriptions.models import Delivery, Subscription
from subscriptions.webhooks.delivery_worker import deliver_all_due
from tests.conftest import Caller, log
from tests.subscriptions.webhook_receivers import LONG_AGO, comment, planned, shown, subscribe

URL = "http://127.0.0.1:1/hook"
FIELDS = {
    "id", "intent_id", "portfolio_id", "subscriber_id", "callback_url", "event_types", "secret", "status", "expires_at",
    "created_by", "created_at", "last_delivery",
}  # fmt: skip


@pytest.fixture
def intent(make_intent):
    return make_intent()


@pytest.fixture
def portfolio(api):
    return api.post("/portfolios", {"name": "Paris"}).json()


# --- making and showing ---


@pytest.mark.rule("W-1")
def test_a_subscription_is_answered_kept_and_logged(agent, api, intent):
    answer = agent("ada").post(
        f"/intents/{intent['id']}/subscriptions",
        {
            "subscriber_id": "service:dashboard",
            "callback_url": "https://dashboard.example.com/webhooks/intent",
            "event_types": ["state_patched", "status_changed", "state_patched"],
            "expires_at": "2099-01-01T00:00:00Z",
        },
    )

    body = answer.json()
    assert answer.status_code == 201
    assert answer["Location"] == f"/api/v1/subscriptions/{body['id']}"
    assert answer["Cache-Control"] == "no-store"
    assert set(body) == FIELDS
    assert body["intent_id"] == intent["id"]
    assert body["subscriber_id"] == "service:dashboard"
    assert body["event_types"] == ["state_patched", "status_changed"]
    assert (body["status"], body["created_by"], body["last_delivery"], body["portfolio_id"]) == ("active", "ada", None, None)
    assert body["secret"].startswith("whsec_")
    assert shown(api, body) == {**body, "secret": None}
    assert api.get(f"/intents/{intent['id']}/subscriptions").json() == {"subscriptions": [shown(api, body)], "next": None}
    assert log(api, intent)[-1] == ("subscription_created", "ada")
    assert api.get(f"/intents/{intent['id']}/events").json()["events"][-1]["payload"] == {
        "subscription_id": body["id"],
        "subscriber_id": "service:dashboard",
        "event_types": ["state_patched", "status_changed"],
    }


def test_a_subscription_needs_nothing_but_an_intent(agent, api, intent):
    body = agent("ada").post(f"/intents/{intent['id']}/subscriptions", {}).json()

    assert (body["subscriber_id"], body["callback_url"], body["event_types"]) == ("ada", None, [])
    comment(api, intent)
    assert planned() == []


def test_a_repeated_request_makes_one_and_does_not_show_its_secret_again(api, intent):
    first, again = (
        api.post(f"/intents/{intent['id']}/subscriptions", {"callback_url": URL}, idempotency_key="once") for _ in range(2)
    )

    assert again["Idempotency-Replayed"] == "true"
    assert again.json() == {**first.json(), "secret": None}
    assert Subscription.objects.count() == 1


def test_two_portfolios_or_nothing_of_a_kind_are_told_in_the_right_log(api, portfolio):
    mine = api.post("/subscriptions", {"portfolio_id": portfolio["id"], "callback_url": URL}).json()
    everything = api.post("/subscriptions", {"webhook_url": URL}).json()

    told = api.get("/events", event_type="subscription_created").json()["events"]
    assert [(each["intent_id"], each["portfolio_id"]) for each in told] == [(None, portfolio["id"]), (None, None)]
    assert (mine["portfolio_id"], everything["portfolio_id"], everything["intent_id"]) == (portfolio["id"], None, None)


def test_lists_are_narrowed_and_paged(api, make_intent, portfolio):
    intents = [make_intent(), make_intent()]
    first = subscribe(api, intents[0], URL, subscriber_id="s:1")
    second = subscribe(api, intents[1], URL, subscriber_id="s:2")
    third = api.post("/subscriptions", {"portfolio_id": portfolio["id"], "subscriber_id": "s:1"}).json()
    api.patch(f"/subscriptions/{second['id']}", {"status": "paused"})
    Subscription.objects.filter(pk=third["id"]).update(expires_at=LONG_AGO)

    def ids(**query):
        return [each["id"] for each in api.get("/subscriptions", **query).json()["subscriptions"]]

    assert ids() == [first["id"], second["id"], third["id"]]
    assert ids(subscriber_id="s:1") == [first["id"], third["id"]]
    assert ids(intent_id=intents[1]["id"]) == [second["id"]]
    assert ids(portfolio_id=portfolio["id"]) == [third["id"]]
    assert (ids(status="active"), ids(status="paused"), ids(status="disabled")) == ([first["id"]], [second["id"]], [third["id"]])
    page = api.get("/subscriptions", limit=2).json()
    assert ids(limit=2, cursor=page["next"]) == [third["id"]]
    assert shown(api, third)["status"] == "disabled"


def test_reading_is_for_all_and_writing_for_agents(api, intent):
    observer = Caller(api.post("/keys", {"name": "watcher", "role": "observer"}).json()["key"])
    subscription = subscribe(api, intent, URL)

    assert observer.get("/subscriptions").status_code == 200
    assert observer.get(f"/subscriptions/{subscription['id']}/deliveries").status_code == 200
    assert observer.post("/subscriptions", {"callback_url": URL}).status_code == 403
    assert observer.patch(f"/subscriptions/{subscription['id']}", {"status": "paused"}).status_code == 403
    assert observer.delete(f"/subscriptions/{subscription['id']}").status_code == 403


BAD = [
    ({"callback_url": 5}, "callback_url"),
    ({"callback_url": ""}, "callback_url"),
    ({"callback_url": "dashboard.example.com/hook"}, "callback_url"),
    ({"callback_url": "ftp://dashboard.example.com/hook"}, "callback_url"),
    ({"callback_url": "javascript:alert(1)"}, "callback_url"),
    ({"callback_url": "file:///etc/passwd"}, "callback_url"),
    ({"callback_url": "http://user:password@dashboard.example.com/"}, "callback_url"),
    ({"callback_url": "http://user@dashboard.example.com/"}, "callback_url"),
    ({"callback_url": "http://dashboard.example.com:0/"}, "callback_url"),
    ({"callback_url": "http://dashboard.example.com:65536/"}, "callback_url"),
    ({"callback_url": "http://dashboard.example.com/a b"}, "callback_url"),
    ({"callback_url": "http://dashboard.example.com/\r\nX-Header: 1"}, "callback_url"),
    ({"callback_url": "http://bücher.example/"}, "callback_url"),
    ({"callback_url": "http://"}, "callback_url"),
    ({"callback_url": "http:///hook"}, "callback_url"),
    ({"callback_url": "http://a\\@b.example/"}, "callback_url"),
    ({"callback_url": "http://[::1/"}, "callback_url"),
    ({"callback_url": "http://a.example#@127.0.0.1/"}, "callback_url"),
    ({"callback_url": "http://" + "a" * 64 + ".example/"}, "callback_url"),
    ({"callback_url": "http://a.example/" + "a" * 2000}, "callback_url"),
    ({"callback_url": "http://a.example/", "webhook_url": "http://b.example/"}, "webhook_url"),
    ({"event_types": "comment"}, "event_types"),
    ({"event_types": ["State Patched"]}, "event_types"),
    ({"event_types": [None]}, "event_types"),
    ({"event_types": None}, "event_types"),
    ({"event_types": ["comment"] * 101}, "event_types"),
    ({"subscriber_id": "system"}, "subscriber_id"),
    ({"subscriber_id": ""}, "subscriber_id"),
    ({"subscriber_id": "a\nb"}, "subscriber_id"),
    ({"subscriber_id": None}, "subscriber_id"),
    ({"expires_at": "tomorrow"}, "expires_at"),
    ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
    ({"status": "active"}, "status"),
    ({"secret": "whsec_abc"}, "secret"),
    ({"callback": "http://a.example/"}, "callback"),
    ([], ""),
    ("http://a.example/", ""),
]


@pytest.mark.parametrize(("body", "field"), BAD)
def test_a_bad_request_names_the_field_and_leaves_nothing(api, intent, body, field):
    before = log(api, intent)

    for path in (f"/intents/{intent['id']}/subscriptions", "/subscriptions"):
        answer = api.post(path, body, idempotency_key=f"key {path}")
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid"), answer.json()
        assert answer.json()["errors"][0]["field"].startswith(field)

    assert not Subscription.objects.exists()
    assert log(api, intent) == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"intent_id": "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21"}, "intent_id"),
        ({"portfolio_id": "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21"}, "portfolio_id"),
        ({"intent_id": "here"}, "intent_id"),
        ({"portfolio_id": 7}, "portfolio_id"),
        (
            {"intent_id": "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21", "portfolio_id": "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21"},
            "portfolio_id",
        ),
    ],
)
def test_topic_of_a_subscription_must_exist(api, body, field):
    answer = api.post("/subscriptions", body, idempotency_key="key")

    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert not Subscription.objects.exists()


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"status": "disabled"},
        {"status": None},
        {"rotate_secret": 1},
        {"event_types": ["A"]},
        {"callback_url": "http://a@b/"},
        {"expires_at": "2020-01-01T00:00:00Z"},
        {"subscriber_id": "x"},
        {"intent_id": None},
        {"secret": "x"},
    ],
)
def test_a_bad_change_changes_nothing(api, intent, change):
    subscription = subscribe(api, intent, URL)
    before = Subscription.objects.values().get()

    assert api.patch(f"/subscriptions/{subscription['id']}", change).status_code == 400
    assert Subscription.objects.values().get() == before


@pytest.mark.parametrize("pk", ["x", "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21"])
def test_unknown_subscription_is_not_found(api, intent, pk):
    for answer in (
        api.get(f"/subscriptions/{pk}"),
        api.patch(f"/subscriptions/{pk}", {"event_types": []}),
        api.delete(f"/subscriptions/{pk}"),
        api.get(f"/subscriptions/{pk}/deliveries"),
        api.post(f"/subscriptions/{pk}/deliveries/{pk}/redeliver"),
        api.post(f"/subscriptions/{pk}/test"),
        api.post(f"/intents/{pk}/subscriptions", {}),
        api.get(f"/intents/{pk}/subscriptions"),
        api.delete(f"/intents/{pk}/subscriptions/{pk}"),
        api.delete(f"/intents/{intent['id']}/subscriptions/{pk}"),
    ):
        assert answer.status_code == 404, answer.json()


@pytest.mark.rule("L-4")
def test_a_lost_lease_stops_every_write(api, intent):
    subscription = subscribe(api, intent, URL)
    before, rows = log(api, intent), [*Subscription.objects.values()]
    for answer in (
        api.post(f"/intents/{intent['id']}/subscriptions", {}, x_fencing_token="7"),
        api.patch(f"/subscriptions/{subscription['id']}", {"status": "paused"}, x_fencing_token="7"),
        api.delete(f"/subscriptions/{subscription['id']}", x_fencing_token="7"),
        api.post(f"/subscriptions/{subscription['id']}/test", x_fencing_token="7"),
    ):
        assert answer.json()["code"] == "lease_lost"
    assert (log(api, intent), [*Subscription.objects.values()]) == (before, rows)


# --- removing ---


def test_removing_ends_what_was_to_be_sent_and_keeps_what_was(api, intent, receiver):
    subscription = subscribe(api, intent, receiver)
    comment(api, intent)
    deliver_all_due()
    comment(api, intent)
    planned()

    url = f"/intents/{intent['id']}/subscriptions/{subscription['id']}"
    assert [api.delete(url).status_code for _ in range(2)] == [204, 204]

    comment(api, intent)
    assert deliver_all_due() == 0
    assert [each.status for each in Delivery.objects.order_by("event")] == ["delivered", "dead"]
    row = Subscription.objects.get()
    assert (row.secret, row.previous_secret) == ("", None)
    assert api.get(f"/subscriptions/{subscription['id']}").status_code == 404
    assert api.get("/subscriptions").json()["subscriptions"] == []
    assert [each for each in log(api, intent) if "subscription" in each[0]] == [
        ("subscription_created", "dev-user"),
        ("subscription_removed", "dev-user"),
    ]


def test_a_subscription_of_another_intent_is_not_removed(api, make_intent):
    subscription = subscribe(api, make_intent(), URL)

    assert api.delete(f"/intents/{make_intent()['id']}/subscriptions/{subscription['id']}").status_code == 404
    assert shown(api, subscription)["status"] == "active"


# --- changing ---


def test_a_change_is_answered_and_kept(api, intent):
    subscription = subscribe(api, intent, URL)
    change = {"callback_url": "http://127.0.0.1:2/", "event_types": [], "expires_at": "2099-01-01T00:00:00.000000Z"}

    body = api.patch(f"/subscriptions/{subscription['id']}", change).json()

    assert body == {**subscription, **change, "secret": None}
    assert shown(api, subscription) == body


def test_a_rotation_shows_the_new_secret_once(api, intent):
    subscription = subscribe(api, intent, URL)

    answer = api.patch(f"/subscriptions/{subscription['id']}", {"rotate_secret": True})

    assert answer["Cache-Control"] == "no-store"
    assert answer.json()["secret"].startswith("whsec_")
    assert answer.json()["secret"] != subscription["secret"]
    assert shown(api, subscription)["secret"] is None


def test_expired_subscription_activates_only_with_a_later_expiry(api, intent):
    subscription = subscribe(api, intent, URL)
    url = f"/subscriptions/{subscription['id']}"
    Subscription.objects.update(expires_at=LONG_AGO)

    assert api.patch(url, {"status": "active"}).json()["errors"][0]["code"] == "in_the_past"
    assert api.patch(url, {"expires_at": None}).json()["status"] == "active"
