"""Subscriptions and deliveries: what came of each attempt, why nothing is sent, and what can be done about it."""

import re
from datetime import timedelta

import pytest

from core.db import database_now
from subscriptions.models import Delivery, Subscription
from subscriptions.webhooks.delivery_worker import deliver_all_due
from tests.conftest import log
from tests.subscriptions.webhook_receivers import comment, subscribe

PAGE = "subscriptions/subscription"
DELIVERIES = "subscriptions/delivery"


@pytest.fixture
def intent(make_intent):
    return make_intent(title="<b>Book</b> flights")


def shown(person, pager, name="vera", role="viewer", **query):
    return person(role, name).get(f"{PAGE}/{pager['id']}/change/", query).text


def killed():
    Delivery.objects.update(status="dead", next_attempt_at=None, ended_at=database_now())


def test_each_attempt_is_told_with_its_answer_and_when_the_next_one_comes(person, api, intent, pager, receiver):
    comment(api, intent)
    receiver.will_answer(503, text="<script>come again</script>")
    deliver_all_due()

    page = shown(person, pager)

    assert "1 attempt, last response 503" in page
    assert "&lt;script&gt;come again" in page
    assert "<script>come again" not in page
    assert 'next in <time datetime="' in page
    assert "Deliveries to this endpoint are failing." in page
    assert "<b>Book</b>" not in page


@pytest.mark.parametrize(("count", "question"), [(1, "Pause this webhook?"), (2, "Pause webhooks?")])
def test_question_counts_the_selected_objects(person, api, intent, receiver, count, question):
    ids = [subscribe(api, intent, receiver, subscriber_id=f"s{number}")["id"] for number in range(count)]

    asked = person("operator").post(f"{PAGE}/", {"action": "pause", "index": 0, "_selected_action": ids}).text

    assert f">{question}</h2>" in asked
    assert "<li>s0</li>" in asked


def test_headings_have_names_in_place_of_ids(person, api, intent, pager):
    comment(api, intent)
    deliver_all_due()
    delivery = Delivery.objects.get()
    vera = person("viewer")

    for path, name in ((f"{PAGE}/{pager['id']}", "pager"), (f"{DELIVERIES}/{delivery.pk}", f"comment #{delivery.event_id}")):
        heading = vera.get(f"{path}/change/").text.partition("<h1")[2].partition("</h1>")[0]
        assert re.findall(r">([^<>]+)</(?:a|span)>", heading)[-1] == name


def test_page_says_why_a_subscription_is_disabled_and_what_to_do(person, api, intent, pager, receiver):
    comment(api, intent)
    receiver.will_answer(410)
    deliver_all_due()

    page = shown(person, pager)

    assert "responded 410 Gone" in page
    assert "Then enable the webhook" in page


@pytest.mark.parametrize("reason", ["the dashboard was shut down", ""])
def test_page_names_the_actor_and_reason_of_disabling(person, pager, reason):
    person("operator").act(PAGE, "disable", pager["id"], reason=reason)

    assert f"Disabled by user:grace: {reason or 'disabled in the console'}" in shown(person, pager)


def test_expired_subscription_is_shown_as_expired(person, pager):
    Subscription.objects.update(expires_at=database_now() - timedelta(seconds=1))

    assert "This webhook expired" in shown(person, pager)


def test_paused_subscription_skips_events_until_resumed(person, api, intent, pager):
    olga = person("operator", "olga")

    assert "Paused: pager" in olga.act(PAGE, "pause", pager["id"]).text
    comment(api, intent)
    assert ">Resume</button>" in shown(person, pager, "oscar", "operator")
    assert "Resumed: pager" in olga.act(PAGE, "resume", pager["id"]).text

    assert deliver_all_due() == 0
    comment(api, intent)
    assert deliver_all_due() == 1


def test_all_dead_ones_are_sent_again_at_once(person, api, intent, pager, receiver):
    for _ in range(3):
        comment(api, intent)
    deliver_all_due()
    killed()
    olga = person("operator", "olga")
    assert ">Resend all failed</button>" in shown(person, pager, "oscar", "operator")

    assert "Resending failed deliveries: pager" in olga.act(PAGE, "send_dead", pager["id"]).text

    assert deliver_all_due() == 3
    assert len(receiver.ids) == 2 * len(set(receiver.ids)) == 6
    assert {*Delivery.objects.values_list("status", flat=True)} == {"delivered"}


def test_failed_deliveries_are_not_resent_while_disabled(person, api, intent, pager):
    comment(api, intent)
    deliver_all_due()
    killed()
    Subscription.objects.update(status="disabled", spans=[])

    told = person("operator").act(PAGE, "send_dead", pager["id"]).text

    assert "is disabled, so it sends nothing" in told
    assert Delivery.objects.get().status == "dead"


def test_some_are_chosen_and_sent_again_and_the_way_leads_back(person, api, intent, pager):
    for _ in range(3):
        comment(api, intent)
    deliver_all_due()
    killed()
    chosen = [*Delivery.objects.order_by("pk").values_list("pk", flat=True)[:2]]
    back = f"/admin/{PAGE}/{pager['id']}/change/"

    answer = person("operator").post(f"{DELIVERIES}/", {"action": "send_again", "_selected_action": chosen, "back": back})

    assert answer.url == back
    assert Delivery.objects.filter(status="pending").count() == 2


def test_a_viewer_sees_no_way_to_send_or_to_pause(person, api, intent, pager):
    comment(api, intent)
    deliver_all_due()

    for path in (f"{PAGE}/{pager['id']}/change/", f"{DELIVERIES}/", f"{DELIVERIES}/{Delivery.objects.get().pk}/change/"):
        page = person("viewer", f"v{len(path)}").get(path).text
        assert "Send again" not in page
        assert "oi-verbs" not in page


def test_no_event_names_the_address(api, person, intent, pager):
    person("operator").act(PAGE, "disable", pager["id"])

    assert ("subscription_disabled", "user:grace") in log(api, intent)
    assert pager["callback_url"] not in str(api.get("/events", limit=1000).json())


def test_the_pages_cost_the_same_queries_whatever_there_is(person, api, intent, pager):
    comment(api, intent)
    deliver_all_due()
    olga = person("operator", "olga")
    paths = [f"{PAGE}/", f"{PAGE}/{pager['id']}/change/", f"{DELIVERIES}/"]

    def costs():
        return [olga.queries(path) for path in paths]

    before = costs()
    for _ in range(12):
        comment(api, intent)
    deliver_all_due()

    assert costs() == before
    assert max(before) <= 14


HIDDEN = "https://Hooks.example.com:8443/services/T0PATH?token=SEKRIT#part"


@pytest.fixture
def with_token(pager):
    Subscription.objects.update(callback_url=HIDDEN)
    return pager


@pytest.mark.case("security L3")
@pytest.mark.parametrize(("role", "sees"), [("viewer", False), ("arbiter", False), ("operator", True)])
def test_callback_path_and_query_are_shown_to_operators_alone(person, with_token, role, sees):
    reader = person(role, "vera")
    pages = [f"{PAGE}/", f"{PAGE}/{with_token['id']}/change/", f"{DELIVERIES}/", ""]

    shown = "".join(reader.get(path).text for path in pages)

    assert "https://Hooks.example.com:8443" in shown
    assert ("T0PATH" in shown, "SEKRIT" in shown) == (sees, sees)


@pytest.mark.case("security L3")
@pytest.mark.parametrize(("role", "finds"), [("viewer", False), ("arbiter", False), ("operator", True)])
@pytest.mark.parametrize("path", ["/services", "T0PATH", "token=SEKRIT", "?token", "8443/", "SEKRIT#part", "part"])
def test_search_does_not_match_hidden_parts_of_a_callback(person, with_token, role, finds, path):
    assert ("pager" in rows_of(person(role, "vera"), path)) == finds


@pytest.mark.case("security L3")
@pytest.mark.parametrize(
    "address", [HIDDEN, "http://hooks.example.com", "https://hooks.example.com?a=/b", "http://x/hooks.example.com"]
)
@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_everybody_finds_by_scheme_host_and_port(person, pager, role, address):
    Subscription.objects.update(callback_url=address)
    reader = person(role, "vera")

    assert ("pager" in rows_of(reader, "hooks.EXAMPLE")) == (role == "operator" or "//x" not in address)
    assert "pager" in rows_of(reader, address.partition("//")[0] + "//")


def test_subscription_without_a_callback_is_found_by_subscriber(person, pager):
    Subscription.objects.update(callback_url=None)

    assert "pager" in rows_of(person("viewer"), "pager")


def rows_of(reader, searched):
    return "".join(re.findall(r'class="oi-row-title"[^>]*>([^<]+)<', reader.get(f"{PAGE}/", {"q": searched}).text))
