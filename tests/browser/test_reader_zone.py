"""The console tells times and days by the zone of the browser, and UTC under the pointer and with the focus."""

from zoneinfo import ZoneInfo

import pytest
from openintent import OpenIntentClient
from playwright.sync_api import Browser, expect

from tests.browser.conftest import PATIENCE, known_session

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql")]


@pytest.mark.case("console M5")
def test_times_follow_the_zone_of_the_browser(browser: Browser, server):
    with OpenIntentClient(server.url, api_key="agent-research-key", agent_id="ada") as ada:
        lease = ada.acquire_lease(ada.create_intent("Where is it noon?").id, scope="noon", duration_seconds=300)
    context = browser.new_context(base_url=server.url, timezone_id="Asia/Tokyo", reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto("/admin/login/")  # Whoever signs in has told their zone before the first page.
    page.wait_for_function("document.cookie.includes('openintent-zone=Asia/Tokyo')")
    session = known_session(server.database_url, "viewer")
    context.add_cookies([{"name": "openintent-session", "value": session, "url": server.url}])

    page.goto(f"/admin/leasing/lease/{lease.id}/change/")
    acquired = page.locator("dt:text('Acquired') + dd time[tabindex]")
    expect(acquired).to_have_text(f"{lease.acquired_at.astimezone(ZoneInfo('Asia/Tokyo')):%-d %b %Y %H:%M:%S} JST")
    page.keyboard.press("Tab")
    acquired.focus()
    told = acquired.evaluate("(each) => getComputedStyle(each, '::after').content")
    page.goto("/admin/")
    expect(page.locator(".oi-figures")).to_contain_text("spent today (JST)")
    context.close()

    assert told == f'"{lease.acquired_at:%-d %b %Y %H:%M:%S} UTC"'
