"""Subscriptions and deliveries in the console: shown without secrets, and changed by verbs."""

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client

from subscriptions.models import Delivery, Subscription
from subscriptions.webhooks.delivery_worker import deliver_all_due
from tests.conftest import log
from tests.subscriptions.webhook_receivers import comment, shown, subscribe

SUBSCRIPTIONS, DELIVERIES = "/admin/subscriptions/subscription/", "/admin/subscriptions/delivery/"


@pytest.fixture
def person(db):
    client = Client()
    client.force_login(User.objects.create_superuser("grace"))
    return client


@pytest.fixture
def intent(make_intent):
    return make_intent()


def act(person, page, action, *rows):
    with transaction.atomic():  # A test is one transaction: what a refusal undoes must end at its own request.
        return person.post(
            page, {"action": action, "confirmed": "yes", "_selected_action": [row.pk for row in rows]}, follow=True
        )


@pytest.mark.rule("W-2")
def test_all_is_shown_but_the_secrets(person, api, intent, receiver):
    subscription = subscribe(api, intent, receiver, subscriber_id="service:dashboard")
    rotated = api.patch(f"/subscriptions/{subscription['id']}", {"rotate_secret": True}).json()["secret"]
    comment(api, intent)
    receiver.will_answer(503, text="<b>come again</b>")
    deliver_all_due()

    pages = [
        person.get(url).text
        for url in (
            SUBSCRIPTIONS,
            f"{SUBSCRIPTIONS}{subscription['id']}/change/",
            DELIVERIES,
            f"{DELIVERIES}{Delivery.objects.get().pk}/change/",
        )
    ]

    assert all("service:dashboard" in page for page in pages)
    assert "503" in pages[2]
    assert "&lt;b&gt;come again&lt;/b&gt;" in pages[3]
    for secret in (rotated, subscription["secret"]):
        assert not [page for page in pages if secret.removeprefix("whsec_") in page]


@pytest.mark.rule("W-2")
def test_a_delivery_is_sent_again(person, api, intent, receiver):
    subscribe(api, intent, receiver)
    comment(api, intent)
    deliver_all_due()

    assert "Queued" in act(person, DELIVERIES, "send_again", Delivery.objects.get()).text

    assert deliver_all_due() == 1
    assert len(set(receiver.ids)) == 1
    assert Delivery.objects.get().attempts == 2


def test_disabling_and_enabling_are_verbs_by_the_person(person, api, intent, receiver):
    subscription = subscribe(api, intent, receiver)

    act(person, SUBSCRIPTIONS, "disable", Subscription.objects.get())
    assert shown(api, subscription)["status"] == "disabled"
    assert log(api, intent)[-1] == ("subscription_disabled", "user:grace")
    comment(api, intent)
    act(person, SUBSCRIPTIONS, "activate", Subscription.objects.get())
    assert shown(api, subscription)["status"] == "active"
    assert deliver_all_due() == 0


def test_a_refusal_is_told(person, api, intent, receiver):
    subscribe(api, intent, receiver)
    comment(api, intent)
    deliver_all_due()
    act(person, SUBSCRIPTIONS, "disable", Subscription.objects.get())

    assert "is disabled, so it sends nothing" in act(person, DELIVERIES, "send_again", Delivery.objects.get()).text
