"""Ownership of subscriptions: rights to change them and to see the whole callback (rule W-4)."""

from importlib import import_module

import pytest
from django.apps import apps

from subscriptions.models import Delivery, Subscription
from subscriptions.webhooks.delivery_worker import deliver_all_due
from tests.conftest import Caller, log
from tests.subscriptions.webhook_receivers import LONG_AGO, comment, deliveries, shown, subscribe

URL = "https://hooks.example.com:8443/T0ken/in-the-path?token=in-the-query"
ORIGIN = "https://hooks.example.com:8443"


@pytest.fixture
def intent(make_intent):
    return make_intent()


@pytest.fixture
def ada(db):
    """Whoever makes the subscriptions."""
    return Caller("agent-research-key", "ada")


OTHERS = {
    "under the maker's id": ("agent-synth-key", "ada"),
    "under the subscriber's id": ("agent-synth-key", "bob"),
    "under an id of its own": ("agent-synth-key", "eve"),
    "without an id": ("agent-synth-key", None),
}


@pytest.fixture(params=OTHERS.values(), ids=OTHERS.keys())
def other(request):
    """Another key of an agent."""
    return Caller(*request.param)


def told(api, intent):
    """The payloads of the intent's subscription_updated."""
    events = api.get(f"/intents/{intent['id']}/events", event_type="subscription_updated").json()["events"]
    return [event["payload"] for event in events]


@pytest.mark.rule("W-4")
@pytest.mark.case("security H5")
def test_foreign_key_changes_nothing_with_any_agent_id(api, ada, other, intent, receiver):
    subscription = subscribe(ada, intent, receiver, subscriber_id="bob")
    comment(api, intent)
    deliver_all_due()
    delivery = Delivery.objects.get()
    rows, before = [*Subscription.objects.values(), *Delivery.objects.values()], log(api, intent)

    url = f"/subscriptions/{subscription['id']}"
    for answer in (
        *(
            other.patch(url, change)
            for change in (
                {"callback_url": "https://evil.example.com/", "rotate_secret": True},
                {"event_types": []},
                {"status": "paused"},
                {"expires_at": "2099-01-01T00:00:00Z"},
                {"rotate_secret": True},
            )
        ),
        other.delete(url),
        other.delete(f"/intents/{intent['id']}{url}"),
        other.post(f"{url}/deliveries/{delivery.pk}/redeliver"),
        other.post(f"{url}/test"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")

    assert [*Subscription.objects.values(), *Delivery.objects.values()] == rows
    assert log(api, intent) == before


@pytest.mark.rule("W-4")
def test_its_maker_under_any_agent_id_and_operators_change_and_remove_it(api, agent, intent):
    for caller in (agent("ada"), agent("somebody-else"), api):
        made = subscribe(agent("ada"), intent, URL, subscriber_id="bob")

        assert caller.patch(f"/subscriptions/{made['id']}", {"event_types": []}).status_code == 200
        assert caller.delete(f"/subscriptions/{made['id']}").status_code == 204


@pytest.mark.rule("W-4")
@pytest.mark.case("security L3")
def test_only_creator_and_operators_see_the_whole_callback(api, ada, other, intent):
    observer = Caller(api.post("/keys", {"name": "watcher", "role": "observer"}).json()["key"])
    arbiter = Caller(api.post("/keys", {"name": "judge", "role": "arbiter"}).json()["key"])
    made = subscribe(ada, intent, URL, subscriber_id="bob")

    def everywhere(caller):
        one = shown(caller, made)
        lists = [
            caller.get(path).json()["subscriptions"] for path in ("/subscriptions", f"/intents/{intent['id']}/subscriptions")
        ]
        assert lists == [[one], [one]]
        return one["callback_url"]

    assert made["callback_url"] == URL
    assert (everywhere(ada), everywhere(api)) == (URL, URL)
    assert [everywhere(caller) for caller in (other, observer, arbiter)] == [ORIGIN] * 3
    assert [observer.get("/subscriptions", subscriber_id=each).json()["subscriptions"] for each in (URL, "T0ken")] == [[], []]


@pytest.mark.rule("W-4")
def test_a_subscription_without_a_callback_has_none_for_everybody(ada, other, intent):
    made = ada.post(f"/intents/{intent['id']}/subscriptions", {}).json()

    assert (shown(ada, made)["callback_url"], shown(other, made)["callback_url"]) == (None, None)


@pytest.mark.rule("W-4")
@pytest.mark.case("security L3")
def test_only_readers_of_the_callback_see_responses(api, ada, other, intent, receiver):
    receiver.will_answer(404, text="Cannot POST /T0ken/in-the-path")
    made = subscribe(ada, intent, receiver)
    comment(api, intent)
    deliver_all_due()

    def answered(caller):
        return [each["history"][0]["response"] for each in deliveries(caller, made)]

    assert (answered(ada), answered(api)) == (["Cannot POST /T0ken/in-the-path"],) * 2
    assert answered(other) == [None]


CHANGES = [
    ({"callback_url": f"{ORIGIN}/an0ther"}, {"callback_url": {"from": ORIGIN, "to": ORIGIN}}),
    ({"callback_url": "http://other.example/x"}, {"callback_url": {"from": ORIGIN, "to": "http://other.example"}}),
    ({"callback_url": None}, {"callback_url": {"from": ORIGIN, "to": None}}),
    ({"event_types": ["comment", "state_patched"]}, {"event_types": {"from": ["comment"], "to": ["comment", "state_patched"]}}),
    ({"status": "paused"}, {"status": {"from": "active", "to": "paused"}}),
    (
        {"expires_at": "2099-01-01T00:00:00Z", "status": "paused"},
        {
            "expires_at": {"from": None, "to": "2099-01-01T00:00:00.000000Z"},
            "status": {"from": "active", "to": "paused"},
        },
    ),
    ({"rotate_secret": True}, {}),
]


@pytest.mark.rule("W-4")
@pytest.mark.case("security L8")
@pytest.mark.parametrize(("change", "changes"), CHANGES)
def test_every_change_is_an_event_without_what_is_secret(api, ada, intent, change, changes):
    made = subscribe(ada, intent, URL)

    renewed = ada.patch(f"/subscriptions/{made['id']}", change).json()

    [payload] = told(api, intent)
    assert payload["changes"] == changes
    assert payload["secret_rotated"] is ("rotate_secret" in change)
    assert (payload["subscription_id"], log(api, intent)[-1]) == (made["id"], ("subscription_updated", "ada"))
    written = api.client.get(f"/api/v1/intents/{intent['id']}/events", headers=api.headers).content.decode()
    for secret in ("T0ken", "an0ther", "in-the-query", made["secret"], renewed["secret"] or made["secret"]):
        assert secret not in written


@pytest.mark.rule("W-4")
@pytest.mark.case("security L8")
def test_a_change_to_what_it_is_already_leaves_no_event(api, ada, intent):
    made = subscribe(ada, intent, URL)

    same = {"callback_url": URL, "event_types": ["comment"], "status": "active", "expires_at": None, "rotate_secret": False}
    assert ada.patch(f"/subscriptions/{made['id']}", same).status_code == 200

    assert told(api, intent) == []


@pytest.mark.rule("W-4")
@pytest.mark.case("security L8")
def test_changes_of_those_to_a_portfolio_or_everything_are_events_too(api, ada):
    portfolio = api.post("/portfolios", {"name": "Paris"}).json()
    for about in ({"portfolio_id": portfolio["id"]}, {}):
        made = ada.post("/subscriptions", about).json()
        ada.patch(f"/subscriptions/{made['id']}", {"rotate_secret": True})

    events = api.get("/events", event_type="subscription_updated").json()["events"]
    assert [(each["portfolio_id"], each["payload"]["secret_rotated"]) for each in events] == [
        (portfolio["id"], True),
        (None, True),
    ]


@pytest.mark.rule("W-4")
def test_those_made_before_the_rule_belong_to_whom_their_event_names(api, ada, intent):
    made = subscribe(ada, intent, URL)
    without_event = Subscription.objects.create(created_by="user:grace", subscriber_id="x", secret="", created_at=LONG_AGO)
    principal = Subscription.objects.get(pk=made["id"]).principal
    Subscription.objects.update(principal="")

    import_module("subscriptions.migrations.0003_fill_principals").fill(apps, None)

    assert principal.startswith("key:")
    assert Subscription.objects.get(pk=made["id"]).principal == principal
    assert Subscription.objects.get(pk=without_event.pk).principal == "user:grace"


@pytest.mark.rule("W-4")
def test_limit_of_subscriptions_counts_per_key_not_per_agent_id(api, agent, intent, settings):
    settings.MAX_SUBSCRIPTIONS_PER_KEY = 3
    made = [subscribe(agent(f"agent-{number}"), intent, URL) for number in range(3)]
    before = log(api, intent)

    for path in ("/subscriptions", f"/intents/{intent['id']}/subscriptions"):
        answer = agent("another").post(path, {"callback_url": URL})
        assert (answer.status_code, answer.json()["code"], answer.json()["limit"]) == (409, "too_many_subscriptions", 3)
    assert (Subscription.objects.count(), log(api, intent)) == (3, before)

    assert subscribe(api, intent, URL)["status"] == "active"  # Another key.
    agent("ada").delete(f"/subscriptions/{made[0]['id']}")
    assert subscribe(agent("ada"), intent, URL)["status"] == "active"
