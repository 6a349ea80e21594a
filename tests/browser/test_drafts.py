"""Drafts of what people type: kept through a restart, a cut connection, a lost session, the back button and a second tab."""

import os

import pytest
from openintent import OpenIntentClient
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESK, PATIENCE
from tests.databases import migrated_database
from tests.processes import run
from tests.servers import Server

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql")]


LIVE = "#oi-connection[data-state=live]"
INBOX = "/admin/governance/arbitration/"
WHY = "It saves us two hundred calls"
PASSWORD = "correct horse battery"
NAMES = ("ines", "judy")

_PEOPLE = f"""
from django.contrib.auth.models import User
from access.roles import grant_role

for name in {NAMES}:
    person = User.objects.create_user(name, password={PASSWORD!r})
    grant_role(person, "arbiter")
"""


@pytest.fixture(scope="module")
def place(vendor, tmp_path_factory):
    """A server of their own, which is stopped and started, and people with passwords."""
    server = Server(migrated_database(vendor, tmp_path_factory.mktemp("drafts")))
    environment = {**os.environ, "DATABASE_URL": server.database_url}
    done = run("config.manage", ["shell", "--no-imports", "-c", _PEOPLE], environment)
    assert done.returncode == 0, done.stderr
    with server:
        server.port = server.url.rpartition(":")[2]
        yield server


@pytest.fixture
def ada(place):
    with OpenIntentClient(place.url, api_key="agent-research-key", agent_id="ada") as client:
        yield client


@pytest.fixture
def page(browser: Browser, place):
    context = browser.new_context(base_url=place.url, viewport=DESK, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto("/admin/login/")
    sign_in(page)
    page.wait_for_url("**/admin/")
    yield page
    context.close()


def sign_in(page: Page, name: str = "ines") -> None:
    page.fill("#id_username", name)
    page.fill("#id_password", PASSWORD)
    page.click("button:text('Sign in')")


def ask(ada, reason):
    return ada.request_arbitration(ada.create_intent(f"Behind: {reason}").id, reason=reason, options=["Yes", "No"])


def typing(page: Page, asked, path: str = "") -> Page:
    """Open the question, choose, and type."""
    page.goto(path or f"{INBOX}{asked.id}/change/")
    page.wait_for_selector(LIVE)
    page.click(".oi-option:has-text('Yes')")
    page.locator("#oi-rationale").press_sequentially(WHY)
    return page


def assert_typed(page: Page) -> None:
    expect(page.locator("#oi-rationale")).to_have_value(WHY)
    expect(page.locator("#oi-send")).to_have_text("Decide: Yes")
    expect(page.locator(".oi-draft")).to_contain_text("is restored; it is not submitted yet")


def drafts(page: Page) -> list[str]:
    names = page.evaluate("[...Object.keys(localStorage), ...Object.keys(sessionStorage)]")
    return [each for each in names if each.startswith("openintent-draft")]


def decisions(ada, asked):
    return [each.payload["decision"] for each in ada.get_events(asked.intent_id) if each.event_type == "decision_recorded"]


@pytest.mark.case("console M4")
def test_a_submit_waits_through_a_restart_and_is_recorded_once(ada, place, page):
    asked = ask(ada, "Through a restart?")
    typing(page, asked)

    place.stop()
    page.click("#oi-send")
    expect(page.locator(".oi-draft")).to_contain_text("No connection. Your entries are kept")
    page.keyboard.press("Control+Enter")
    place.start()

    page.wait_for_selector(".oi-decided")
    made = ada.get_arbitration(asked.id).decision
    assert (made.decision, made.rationale, decisions(ada, asked)) == ("Yes", WHY, ["Yes"])
    assert drafts(page) == []


def test_a_submit_without_connection_can_be_taken_back(ada, page):
    asked = ask(ada, "Taken back?")
    typing(page, asked)
    page.context.set_offline(True)
    page.click("#oi-send")

    page.click("text=Don't submit")
    page.context.set_offline(False)
    page.wait_for_selector(LIVE)

    assert ada.get_arbitration(asked.id).status == "pending"
    page.reload()
    assert_typed(page)


@pytest.mark.case("console M3")
def test_a_lost_session_leads_back_to_the_text(ada, page):
    asked = ask(ada, "Signed out?")
    typing(page, asked)

    page.context.clear_cookies()
    page.click("#oi-send")
    expect(page.locator("#oi-decide .oi-draft")).to_contain_text("Nothing was recorded; your entries are kept.")
    page.click("#oi-decide .oi-draft a")
    sign_in(page)

    page.wait_for_url(f"**/{asked.id}/change/")
    assert_typed(page)
    page.click("#oi-send")
    page.wait_for_selector(".oi-decided")
    assert ada.get_arbitration(asked.id).decision.rationale == WHY


def test_a_draft_is_nobody_else_s(ada, page):
    asked = ask(ada, "Whose is it?")
    typing(page, asked)
    for name in ("judy", "ines"):
        page.goto("about:blank")  # Or its requests could still set cookies.
        page.context.clear_cookies()
        page.goto(f"/admin/login/?next={INBOX}{asked.id}/change/")
        sign_in(page, name)
        page.wait_for_selector(LIVE)
        expect(page.locator("#oi-rationale")).to_have_value(WHY if name == "ines" else "")


def test_the_text_is_there_after_back_and_in_a_second_tab(ada, page):
    asked = ask(ada, "Back?")
    typing(page, asked)

    page.goto("/admin/")
    page.go_back()
    assert_typed(page)
    second = page.context.new_page()
    second.goto(f"{INBOX}{asked.id}/change/")
    assert_typed(second)
    second.fill("#oi-rationale", "Another text")
    page.reload()
    assert_typed(page)

    second.click("#oi-send")
    second.wait_for_selector(".oi-decided")
    expect(page.locator(".oi-decide [role=alert]")).to_contain_text("Your answer: Yes")
    assert decisions(ada, asked) == ["Yes"]


def test_a_question_that_closed_while_its_writer_was_away_shows_the_text(ada, page):
    asked = ask(ada, "Closed meanwhile?")
    typing(page, asked)
    page.goto("/admin/")
    ada.withdraw_arbitration(asked.id)

    page.goto(f"{INBOX}{asked.id}/change/")

    expect(page.locator(".oi-decide [role=alert]")).to_contain_text("This question closed before you submitted")
    assert page.input_value("#oi-lost") == WHY
    page.click("text=Discard")
    page.reload()
    expect(page.locator(".oi-decide [role=alert]")).to_have_count(0)


def test_answers_of_the_inbox_and_their_rationale_survive(ada, page):
    made = [ask(ada, f"Bulk {number}?") for number in range(2)]
    page.goto(f"{INBOX}?q=Bulk")
    page.wait_for_selector(LIVE)
    page.click(".oi-ask-row:has-text('Bulk 0?') .oi-chip:has-text('No')")
    page.reload()
    page.wait_for_selector(LIVE)
    expect(page.locator("#oi-picked")).to_have_text("1 answer chosen")
    expect(page.locator(".oi-bar .oi-draft")).to_be_in_viewport()
    expect(page.locator("#oi-news")).to_be_hidden()
    page.click(".oi-ask-row:has-text('Bulk 1?') .oi-chip:has-text('Yes')")
    page.click("text=Review and confirm")
    page.locator("#rationale").press_sequentially(WHY)

    page.context.clear_cookies()
    page.click("text=Submit 2 decisions")
    page.click(".oi-draft a")
    sign_in(page)
    page.wait_for_url("**/?q=Bulk")
    page.wait_for_selector(LIVE)
    expect(page.locator("#oi-picked")).to_have_text("2 answers chosen")
    page.click("text=Review and confirm")
    expect(page.locator("#rationale")).to_have_value(WHY)
    page.click("text=Submit 2 decisions")
    page.wait_for_selector("text=/Decided: /")

    answers = [ada.get_arbitration(each.id).decision for each in made]
    assert [(each.decision, each.rationale) for each in answers] == [("No", WHY), ("Yes", WHY)]
    page.goto(f"{INBOX}?q=Bulk")
    assert drafts(page) == []


def test_comment_survives_events_and_a_reload_and_is_sent_by_keyboard_once(page, ada):
    intent = ada.create_intent("Where people comment")
    page.goto(f"/admin/intents/intent/{intent.id}/change/")
    page.wait_for_selector(LIVE)
    page.fill("#message", WHY)

    ada.log_event(intent.id, "comment", {"message": "Meanwhile"})
    expect(page.locator("#log .oi-rows, #log .oi-events").first).to_contain_text("Meanwhile")
    expect(page.locator("#message")).to_have_value(WHY)
    page.reload()
    expect(page.locator("#message")).to_have_value(WHY)
    page.focus("#message")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.locator("body")).to_contain_text("The comment was added.")
    expect(page.locator("#message")).to_have_value("")
    said = [event.payload["message"] for event in ada.get_events(intent.id) if event.event_type == "comment"]
    assert said == ["Meanwhile", WHY]
