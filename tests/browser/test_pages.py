"""The pages, in a real browser against a real server."""

import pytest
import requests
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql")]


def test_the_documentation_shows_every_operation_without_the_internet(page: Page, server):
    described = requests.get(f"{server.url}/openapi.json", timeout=10).json()["paths"]

    page.goto("/docs")
    page.wait_for_selector(".opblock")

    assert page.locator(".opblock").count() == sum(len(operations) for operations in described.values())


def test_an_intent_is_created_from_the_documentation(page: Page, server):
    page.goto("/docs")
    page.click(".btn.authorize")
    page.fill("input[aria-label='auth-api-key-value'], .auth-container input[type=text]", "dev-user-key")
    page.locator(".auth-btn-wrapper .authorize").first.click()
    page.click(".btn-done")
    page.click("#operations-Intents-create_intent .opblock-summary-control")
    page.click("#operations-Intents-create_intent .execute")

    page.wait_for_selector("#operations-Intents-create_intent .live-responses-table .response-col_status >> text=201")


def test_the_chosen_tab_is_in_view_on_a_phone(open_page):
    page = open_page("operator", viewport={"width": 390, "height": 844})

    page.goto("/admin/governance/permit/?state=all")

    expect(page.locator(".oi-tabs [aria-current]")).to_have_text("All")
    expect(page.locator(".oi-tabs [aria-current]")).to_be_in_viewport(ratio=0.9)  # Browsers scroll by whole pixels.


def test_a_key_is_made_in_the_console_shown_once_copied_used_and_revoked(open_page, server):
    operator = open_page("operator")
    operator.context.grant_permissions(["clipboard-read", "clipboard-write"])
    operator.goto("/admin/access/apikey/")
    operator.click("text=Create API key")
    operator.fill("[name=name]", "from the console")
    operator.click("[name=_save]")
    operator.click("button:text('Copy')")
    operator.wait_for_selector("text=Copied.")
    secret = operator.evaluate("navigator.clipboard.readText()")
    headers = {"X-API-Key": secret}
    assert requests.get(f"{server.api}/intents", headers=headers, timeout=10).status_code == 200

    operator.click("text=Back to API keys")
    assert secret not in operator.content()
    operator.click(".oi-row-title:text('from the console')")
    assert secret not in operator.content()
    operator.click("button:text('Revoke')")
    operator.click("button:text('Revoke')")
    operator.wait_for_selector("text=Revoked: from the console")
    operator.wait_for_selector(".oi-head-title:has-text('Revoked')")
    assert requests.get(f"{server.api}/intents", headers=headers, timeout=10).status_code == 401


def test_events_can_be_read_and_not_changed_in_the_console(operator: Page, server):
    requests.post(
        f"{server.api}/intents", json={"title": "Seen in the console"}, headers={"X-API-Key": "dev-user-key"}, timeout=10
    )

    operator.goto("/admin/intents/event/")
    operator.click(".oi-event-type:text('intent_created') >> nth=0")
    operator.wait_for_selector("h2:has-text('intent_created')")

    assert operator.locator("[name=_save], .deletelink").count() == 0


@pytest.mark.case("security L13")
def test_the_page_of_the_api_keeps_no_key(page):
    page.goto("/docs")
    page.evaluate("localStorage.setItem('authorized', JSON.stringify({old: 'a key that an earlier version kept'}))")
    page.reload()
    page.locator(".opblock").first.wait_for()
    assert page.evaluate("JSON.stringify(localStorage)") == "{}"

    page.locator("button.authorize").first.click()
    page.locator(".auth-container input").first.fill("dev-user-key")
    page.locator(".auth-btn-wrapper button.authorize").first.click()
    page.locator(".auth-btn-wrapper button:has-text('Logout')").first.wait_for()
    assert page.evaluate("JSON.stringify(localStorage)") == "{}"
