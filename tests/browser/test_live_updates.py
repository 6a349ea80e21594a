"""Portfolios, costs, webhooks and agents in a browser: true without a reload, and reached without a mouse."""

import csv
from io import StringIO

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.subscriptions.webhook_receivers import Receiver

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql")]


HEADERS = {"X-API-Key": "dev-user-key"}
LIVE = "#oi-connection[data-state=live]"


@pytest.fixture
def post(server):
    def posted(path, body, **headers):
        response = requests.post(f"{server.api}{path}", json=body, headers={**HEADERS, **headers}, timeout=10)
        assert response.ok, response.text
        return response.json()

    return posted


def watched(page: Page, path: str) -> Page:
    page.goto(path)
    page.wait_for_selector(LIVE)
    page.evaluate("window.isTheSamePage = true")
    return page


def test_a_portfolio_s_progress_grows_while_somebody_looks(open_page, post):
    portfolio = post("/portfolios", {"name": "Watched"})
    intents = [post("/intents", {"title": f"Part {number}"}) for number in range(2)]
    for intent in intents:
        post(f"/portfolios/{portfolio['id']}/intents", {"intent_id": intent["id"]})
    page = watched(open_page("viewer"), f"/admin/portfolios/portfolio/{portfolio['id']}/change/")
    expect(page.locator(".oi-head-progress")).to_contain_text("0 %")

    post(f"/intents/{intents[0]['id']}/status", {"status": "completed"}, **{"If-Match": "1"})

    expect(page.locator(".oi-head-progress")).to_contain_text("50 %")
    expect(page.locator(".oi-head-progress")).to_contain_text("1 completed")
    assert page.evaluate("window.isTheSamePage")


def test_costs_come_in_while_somebody_looks_and_go_out_as_csv(open_page, post):
    intent = post("/intents", {"title": "Spends"})
    cost = {"cost_type": "tokens", "amount": 0.125, "unit": "USD", "agent_id": "watched-spender"}
    post(f"/intents/{intent['id']}/costs", cost)
    page = watched(open_page("viewer"), "/admin/costs/overview/?agent=watched-spender")
    expect(page.locator(".oi-total b")).to_have_text("$0.1250")

    post(f"/intents/{intent['id']}/costs", cost)
    expect(page.locator(".oi-total b")).to_have_text("$0.25", timeout=15_000)
    assert page.evaluate("window.isTheSamePage")

    with page.expect_download() as download:
        page.click("text=Export CSV")
    rows = [*csv.DictReader(StringIO(download.value.path().read_text()))]
    assert [row["amount"] for row in rows] == ["0.125", "0.125"]


def test_a_delivery_that_failed_is_sent_again_from_its_subscription(open_page, post):
    with Receiver() as receiver:
        receiver.will_answer(503, text="come again")
        intent = post("/intents", {"title": "Told of"})
        fields = {"callback_url": receiver.url, "event_types": ["comment"], "subscriber_id": "watched-hook"}
        subscription = post(f"/intents/{intent['id']}/subscriptions", fields)
        post(f"/intents/{intent['id']}/events", {"event_type": "comment", "payload": {}})
        page = open_page("operator")
        page.goto(f"/admin/subscriptions/subscription/{subscription['id']}/change/")
        page.click("summary:has-text('last response 503')")
        expect(page.locator(".oi-answer")).to_have_text("come again")

        page.click("button:text('Resend') >> nth=0")

        expect(page.locator(".oi-delivery .oi-tag")).to_have_text("Delivered", timeout=15_000)
        assert page.url.endswith(f"{subscription['id']}/change/")


def test_opened_details_stay_open_across_live_updates(open_page, post):
    portfolio = post("/portfolios", {"name": "Kept"})
    intent = post("/intents", {"title": "Spends"})
    post(f"/portfolios/{portfolio['id']}/intents", {"intent_id": intent["id"]})
    cost = {"cost_type": "tokens", "amount": 1, "unit": "USD", "agent_id": "a"}
    post(f"/intents/{intent['id']}/costs", cost)
    page = watched(open_page("viewer"), f"/admin/costs/overview/?portfolio={portfolio['id']}")
    page.click("summary:text('Table view')")
    page.focus("summary:text('Table view')")

    post(f"/intents/{intent['id']}/costs", cost)
    expect(page.locator(".oi-total b")).to_have_text("$2.00", timeout=15_000)

    assert page.evaluate("document.getElementById('oi-days').open")


def test_an_agent_s_page_hears_of_its_intents(open_page, post):
    intent = post("/intents", {"title": "Given to the watched one"})
    post(f"/intents/{intent['id']}/agents", {"agent_id": "watched/agent"})
    page = watched(open_page("viewer"), "/admin/agents/watched/agent/")

    post(f"/intents/{intent['id']}/events", {"event_type": "tool_called", "payload": {}})

    page.wait_for_selector(".oi-event-type:text('tool_called')")
    assert page.evaluate("window.isTheSamePage")


def test_a_phone_s_menu_opens_by_the_keyboard(open_page):
    page: Page = open_page("viewer", viewport={"width": 390, "height": 844})
    page.goto("/admin/costs/overview/")
    entry = page.locator("#nav-sidebar-apps a:has-text('Webhooks'), nav a:has-text('Webhooks')").first
    expect(entry).not_to_be_in_viewport()

    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('aria-label')") == "Menu":
            break
    page.keyboard.press("Enter")

    expect(page.locator("a:has-text('Portfolios') >> visible=true").first).to_be_in_viewport()


def test_attachment_page_copies_the_digest_and_shows_its_removal(open_page, post, server):
    intent = post("/intents", {"title": "Has a file"})
    path = f"/intents/{intent['id']}/attachments"
    attachment = post(path, {"filename": "note.txt", "content_type": "text/plain", "content_base64": "aGVsbG8="})
    page = watched(open_page("viewer"), f"/admin/attachments/attachment/{attachment['id']}/change/")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    expect(page.locator(".oi-preview-text code")).to_have_text("hello")

    page.click("button:text('Copy')")
    page.wait_for_selector("text=Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == attachment["sha256"]
    post(path, {"filename": "the-same-again.txt", "content_type": "text/plain", "content_base64": "aGVsbG8="})
    expect(page.get_by_text("the-same-again.txt")).to_be_visible()  # The panels were written anew.
    expect(page.get_by_text("Copied.")).to_be_visible()
    assert page.evaluate("getSelection().toString()") == attachment["sha256"]

    requests.delete(f"{server.api}{path}/{attachment['id']}", headers=HEADERS, timeout=10).raise_for_status()

    expect(page.locator("#oi-panels [role=alert]")).to_contain_text("No longer available")
    assert page.evaluate("window.isTheSamePage")
