"""Notifications of the browser for questions that block work: asked for by the person, and while they look at something else."""

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.conftest import known_session

pytestmark = [pytest.mark.full, pytest.mark.case("console L14")]

HEADERS = {"X-API-Key": "dev-user-key"}
ELSEWHERE = """
window.shown = [];
window.Notification = class {
  static permission = localStorage.getItem("test-permission") ?? "default";
  static async requestPermission() {
    this.permission = window.willAllow === false ? "denied" : "granted";
    localStorage.setItem("test-permission", this.permission);
    return this.permission;
  }
  constructor(title, options) { window.shown.push({ title, ...options }); window.last = this; }
  close() {}
};
document.hasFocus = () => false;
Object.defineProperty(document, "hidden", { get: () => true });
"""
"""The system's notifications, recorded, in a page that nobody looks at."""


@pytest.fixture
def elsewhere(open_page, server) -> Page:
    page = open_page(session=known_session(server.database_url, "operator"))
    page.add_init_script(ELSEWHERE)
    return page


@pytest.fixture
def ask(server):
    def asked(reason, **fields):
        intent = requests.post(f"{server.api}/intents", json={"title": "Something"}, headers=HEADERS, timeout=10).json()
        path = f"{server.api}/intents/{intent['id']}/arbitrate"
        answer = requests.post(path, json={"reason": reason, **fields}, headers=HEADERS, timeout=10)
        assert answer.ok, answer.text
        return answer.json()

    return asked


def turn_on(page: Page) -> None:
    page.goto("/admin/my-notices/")
    expect(page.locator("#oi-notify-state")).to_have_text("Off in this browser.")
    with page.expect_response(lambda response: "/admin/follow" in response.url):
        page.click("text=Turn on notifications")
    expect(page.locator("#oi-notify-state")).to_contain_text("On in this browser")


def test_a_new_blocking_question_is_told_and_leads_to_its_page(elsewhere, ask):
    turn_on(elsewhere)
    with elsewhere.expect_response(lambda response: "/admin/follow" in response.url):
        elsewhere.goto("/admin/my-notices/")  # It stays on.

    ask("Does this block?", blocking=False)
    asked = ask("Roll back \u202eall\u202c\nof it?", blocking=True)

    elsewhere.wait_for_function("window.shown.length")
    [shown] = elsewhere.evaluate("window.shown")
    assert shown == {"title": "A question blocks work", "body": "Roll back  all of it?", "tag": asked["id"]}
    elsewhere.evaluate("window.last.onclick()")
    elsewhere.wait_for_url(f"**/admin/governance/arbitration/{asked['id']}/change/")


def test_turned_off_it_tells_nothing(elsewhere, ask):
    turn_on(elsewhere)
    elsewhere.click("text=Turn off notifications")
    expect(elsewhere.locator("#oi-notify-state")).to_have_text("Off in this browser.")

    asked = ask("Is anybody there?", blocking=True)
    elsewhere.goto(f"/admin/governance/arbitration/{asked['id']}/change/")

    assert elsewhere.evaluate("window.shown") == []


def test_a_browser_that_refuses_says_where_it_is_allowed(elsewhere):
    elsewhere.goto("/admin/my-notices/")
    elsewhere.evaluate("window.willAllow = false")
    elsewhere.click("text=Turn on notifications")

    expect(elsewhere.locator("#oi-notify-state")).to_contain_text("Allow notifications of this site in its settings")
    expect(elsewhere.locator("text=Turn on notifications")).to_be_visible()
