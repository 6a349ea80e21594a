"""Webhooks made in the console: created, changed, tested, their secret rotated, removed; what was sent, and failures in groups."""

import html
import re

import pytest

from core.db import database_now
from intents.models import Event
from subscriptions.models import Delivery, Subscription
from subscriptions.webhooks.delivery_worker import deliver_all_due
from tests.conftest import log
from tests.subscriptions.webhook_receivers import comment, subscribe

PAGE = "subscriptions/subscription"
NEW = f"{PAGE}/add/"


@pytest.fixture
def intent(make_intent):
    return make_intent(title="Book flights")


@pytest.fixture
def olga(person):
    return person("operator", "olga")


def text(response):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.text)).split())


def fields(url, **changed):
    names = ("subscriber_id", "event_types", "intent_id", "portfolio_id", "expires_at")
    return {"callback_url": url, **dict.fromkeys(names, ""), **changed}


def secret_in(response):
    return re.search(r'id="oi-secret"[^>]*value="(whsec_[^"]+)"', response.text)[1]


def test_created_webhook_shows_its_secret_once_and_that_signs(api, olga, intent, receiver):
    given = fields(receiver.url, subscriber_id="service:pager", event_types="comment\n", intent_id="Book flights")

    made = olga.post(NEW, given)
    secret = secret_in(made)

    assert "no-store" in made.headers["Cache-Control"]
    webhook = Subscription.objects.get()
    assert (webhook.subscriber_id, webhook.event_types, str(webhook.intent_id)) == ("service:pager", ["comment"], intent["id"])
    assert secret not in olga.get(f"{PAGE}/{webhook.pk}/change/").text + olga.get(f"{PAGE}/").text
    assert ("subscription_created", "user:olga") in log(api, intent)
    comment(api, intent)
    deliver_all_due()
    [call] = receiver.calls
    assert call.verified(secret)["event"]["event_type"] == "comment"


@pytest.mark.rule("W-3")
@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"callback_url": ""}, "This field is required."),
        ({"callback_url": "ftp://example.com"}, "must be an http or https URL"),
        ({"callback_url": "http://169.254.169.254/latest"}, "The endpoint's address is not allowed"),
        ({"event_types": "Not a type"}, "must begin with a-z"),
        ({"subscriber_id": "system"}, "reserved"),
        ({"expires_at": "2020-01-01T10:00"}, "must be in the future"),
        ({"intent_id": "Book flights", "portfolio_id": "019aaaaa-0000-7000-8000-000000000000"}, "not to both"),
    ],
)
def test_form_says_what_the_api_says(olga, intent, changed, problem):
    refused = olga.post(NEW, {**fields("https://hooks.example.com/pager"), **changed})

    assert problem.casefold() in text(refused).casefold()
    assert all(html.escape(value) in refused.text for value in changed.values())
    assert not Subscription.objects.exists()


def test_webhook_is_changed_and_keeps_what_was_not(olga, api, pager, receiver):
    form = olga.get(f"{PAGE}/{pager['id']}/edit/").text
    assert f'value="{receiver.url}"' in form
    assert ">comment</textarea>" in re.sub(r"\s+", "", form)

    told = olga.post(
        f"{PAGE}/{pager['id']}/edit/",
        {"callback_url": receiver.url, "event_types": "", "expires_at": "2099-01-01T10:00"},
        follow=True,
    )

    assert "The webhook was changed." in text(told)
    now = api.get(f"/subscriptions/{pager['id']}").json()
    assert (now["event_types"], now["expires_at"][:10], now["status"]) == ([], "2099-01-01", "active")


def test_rotated_secret_is_shown_once_and_both_sign(api, olga, intent, pager, receiver):
    asked = olga.get(f"{PAGE}/{pager['id']}/rotate/")
    assert "For 24 hours the old one signs as well" in text(asked)

    secret = secret_in(olga.post(f"{PAGE}/{pager['id']}/rotate/"))
    comment(api, intent)
    deliver_all_due()

    [call] = receiver.calls
    assert call.verified(secret) == call.verified(pager["secret"])
    assert "The previous one also signs" in text(olga.get(f"{PAGE}/{pager['id']}/change/"))


@pytest.mark.rule("W-1")
def test_a_test_reaches_that_webhook_alone_whatever_it_hears(api, olga, intent, pager, receiver):
    subscribe(api, intent, receiver, subscriber_id="other")

    told = [olga.act(PAGE, "send_test", pager["id"]) for _ in range(2)]
    deliver_all_due()

    assert all("A test is on its way: pager." in text(each) for each in told)
    call, _ = receiver.calls
    assert call.event["event_type"] == "subscription_tested"
    assert call.event["payload"]["subscription_id"] == pager["id"]
    assert call.verified(pager["secret"])
    assert [*Delivery.objects.values_list("status", flat=True)] == ["delivered"] * 2


def test_a_paused_webhook_is_not_tested(olga, pager, receiver):
    olga.act(PAGE, "pause", pager["id"])

    told = olga.act(PAGE, "send_test", pager["id"])

    assert "is paused, so it sends nothing" in text(told)
    assert deliver_all_due() == 0
    assert not Event.objects.filter(event_type="subscription_tested").exists()


def test_removed_webhook_keeps_its_history(api, olga, intent, pager):
    comment(api, intent)
    deliver_all_due()

    told = olga.act(PAGE, "remove", pager["id"], back=f"/admin/{PAGE}/{pager['id']}/change/")

    assert "Removed: pager." in text(told)
    assert "This webhook was removed." in text(told)
    assert "/rotate/" not in told.text
    assert api.get("/subscriptions").json()["subscriptions"] == []
    assert Delivery.objects.count() == 1
    assert olga.get(f"{PAGE}/{pager['id']}/edit/").status_code == 404


def test_delivery_shows_what_was_sent_and_no_secret(api, olga, person, intent, pager, receiver):
    comment(api, intent, "<script>alert(1)</script>")
    delivery = Delivery.objects.get() if deliver_all_due() else None
    page = f"subscriptions/delivery/{delivery.pk}/change/"
    [call] = receiver.calls

    shown, seen = html.unescape(olga.get(page).text), html.unescape(person("viewer").get(page).text)

    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        assert f"{name}: {call.headers[name.title()]}" in shown
    assert f"Content-Length: {call.headers['Content-Length']}" in shown
    assert "User-Agent: OpenIntent-Webhooks/1" in shown
    assert '"event_type": "comment"' in shown
    assert "<script>alert" not in olga.get(page).text
    assert pager["secret"] not in shown
    assert '"event_type": "comment"' in seen
    assert call.headers["Webhook-Signature"] not in seen
    assert "/hook" not in seen
    assert "headers" not in api.get(f"/subscriptions/{pager['id']}/deliveries").json()["deliveries"][0]["history"][0]


def test_identical_failures_in_a_row_are_one_line(api, olga, intent, pager, receiver):
    receiver.will_answer(*[500] * 9, 204, 503)
    for _ in range(11):
        comment(api, intent)
    deliver_all_due()
    Delivery.objects.filter(status="pending").update(status="dead", next_attempt_at=None, ended_at=database_now())

    for path in (f"{PAGE}/{pager['id']}/change/", "subscriptions/delivery/"):
        shown = olga.get(path)
        assert re.findall(r"(\d+ × [^<]+)</b>", shown.text) == ["9 × answered 500"]
        assert shown.text.count("last response 503") == 1
        assert len(re.findall(r'id="oi-pick-', shown.text)) == 11


def test_identical_attempts_in_a_row_are_one_line(api, olga, intent, pager, receiver):
    receiver.will_answer(500, 500, 500, 503, text="down")
    comment(api, intent)
    for _ in range(4):
        Delivery.objects.update(next_attempt_at=database_now())
        deliver_all_due()

    shown = olga.get(f"subscriptions/delivery/{Delivery.objects.get().pk}/change/").text

    assert re.findall(r"<td>(?:(\d) × )?<b[^>]*>(\d+)", shown) == [("", "503"), ("3", "500")]


@pytest.mark.parametrize("role", ["viewer", "arbiter"])
def test_webhooks_are_changed_by_operators_alone(person, pager, role):
    someone = person(role)
    before = [*Subscription.objects.values()]

    page = someone.get(f"{PAGE}/{pager['id']}/change/").text + someone.get(f"{PAGE}/").text
    assert not re.search(r"/(add|edit|rotate)/", page)
    for path in (NEW, f"{PAGE}/{pager['id']}/edit/", f"{PAGE}/{pager['id']}/rotate/"):
        assert someone.get(path).status_code == 403
        assert someone.post(path, fields("https://hooks.example.com")).status_code == 403

    assert [*Subscription.objects.values()] == before


def test_changing_a_webhook_needs_its_csrf_token(person, pager):
    olga = person("operator", "olga", enforce_csrf_checks=True)

    for path in (NEW, f"{PAGE}/{pager['id']}/edit/", f"{PAGE}/{pager['id']}/rotate/"):
        assert olga.post(path, fields("https://hooks.example.com")).status_code == 403
