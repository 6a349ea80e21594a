"""The home page in a browser, fed by the real stream."""

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.conftest import new_session

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql")]


HEADERS = {"X-API-Key": "dev-user-key"}
LIVE = "#oi-connection[data-state=live]"


@pytest.fixture(autouse=True)
def nothing_waits(server):
    """The page lists a few questions, the oldest first: those of other tests are withdrawn."""
    pending = requests.get(f"{server.api}/arbitrations?status=pending&limit=1000", headers=HEADERS, timeout=10).json()[
        "arbitrations"
    ]
    for question in pending:
        post(server, f"/arbitrations/{question['id']}/withdraw", {})


def post(server, path, body):
    response = requests.post(f"{server.api}{path}", json=body, headers=HEADERS, timeout=10)
    assert response.ok, response.text
    return response.json()


def asked(server, reason):
    intent = post(server, "/intents", {"title": f"What is behind: {reason}"})
    return post(server, f"/intents/{intent['id']}/arbitrate", {"reason": reason, "options": ["Yes", "No"]})


def test_a_question_turns_up_without_a_reload_and_leads_to_its_page(open_page, server):
    page: Page = open_page("arbiter")
    page.goto("/admin/")
    page.wait_for_selector(LIVE)
    page.evaluate("window.isTheSamePage = true")

    question = asked(server, "May I book the night train?")
    page.wait_for_selector("text=May I book the night train?")

    assert page.evaluate("window.isTheSamePage")
    page.click(".oi-question-title:has-text('May I book the night train?')")
    page.wait_for_url(f"**/governance/arbitration/{question['id']}/change/")


def test_lost_connection_is_shown_and_missed_events_arrive_afterwards(open_page, server):
    page: Page = open_page("viewer")
    page.goto("/admin/")
    page.wait_for_selector(LIVE)

    page.context.set_offline(True)
    expect(page.locator("#oi-connection")).to_have_text("Connection lost. Reconnecting…")
    asked(server, "Was I missed?")
    page.context.set_offline(False)

    page.wait_for_selector(LIVE)
    page.wait_for_selector("text=Was I missed?")
    open_page.faults[:] = [fault for fault in open_page.faults if "ERR_INTERNET_DISCONNECTED" not in fault]


def test_sign_out_elsewhere_ends_live_updates_with_a_message(open_page, server):
    page: Page = open_page("viewer", session=new_session(server.database_url, "viewer"))
    page.goto("/admin/")
    page.wait_for_selector(LIVE)

    elsewhere = page.context.new_page()
    elsewhere.goto("/admin/")
    token = elsewhere.locator("[name=csrfmiddlewaretoken]").first.get_attribute("value")
    elsewhere.request.post("/admin/logout/", form={"csrfmiddlewaretoken": token}, headers={"Referer": server.url})

    expect(page.locator("#oi-connection")).to_contain_text("You are signed out.")
    page.click("#oi-connection a")
    page.wait_for_selector("#id_username")


def test_dashboard_fits_a_phone_and_its_numbers_are_keyboard_reachable(open_page, server):
    asked(server, "Does a reason without any blank fit? " + "x" * 80)
    page: Page = open_page("viewer", viewport={"width": 390, "height": 844}, color_scheme="dark")
    page.goto("/admin/")
    page.wait_for_selector(LIVE)

    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.focus(".oi-figures a >> nth=0")
    for number in range(5):
        assert page.evaluate("document.activeElement.matches('.oi-figures a:focus-visible')"), number
        page.keyboard.press("Tab")


def test_the_focus_stays_where_it_was_when_something_happens(open_page, server):
    page: Page = open_page("viewer")
    asked(server, "Is the focus kept?")
    page.goto("/admin/")
    page.wait_for_selector(LIVE)
    page.focus("text=Is the focus kept?")

    asked(server, "Is something new here?")
    page.wait_for_selector("#oi-news:text('new')")
    assert not page.is_visible("text=Is something new here?")
    page.keyboard.press("u")
    page.wait_for_selector("text=Is something new here?")

    assert page.evaluate("document.activeElement.textContent") == "Is the focus kept?"


def test_a_viewer_has_no_button_that_does_anything(open_page, server):
    question = asked(server, "May a viewer decide?")
    page: Page = open_page("viewer")

    page.goto(f"/admin/governance/arbitration/{question['id']}/change/")
    page.wait_for_selector("text=May a viewer decide?")

    assert page.locator("form[action*='decide'], .oi-verbs").count() == 0
