"""Acts and questions in a browser: an agent asks, people grant and answer, and hear of it where they are."""

import re
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from openintent import ConflictError, OpenIntentClient
from playwright.sync_api import Page, expect

from tests.browser.conftest import known_session
from tests.databases import migrated_database
from tests.notices.smtp_server import Mail, MailServer
from tests.servers import Server
from tests.system.concurrent_clients import until

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql")]

LIVE = "#oi-connection[data-state=live]"
QUESTION = "/admin/governance/arbitration"
ACT = {"verb": "payments.refund", "target": "order-1042", "params": {"amount": 120, "currency": "EUR"}}
PHONE = {"width": 390, "height": 844}
ADA = {"api_key": "agent-research-key", "agent_id": "ada"}


@pytest.fixture
def ada(server):
    with OpenIntentClient(server.url, **ADA) as client:
        yield client


def opened(page: Page, path: str) -> Page:
    page.goto(path)
    page.wait_for_selector(LIVE)
    return page


def decide(page: Page, label: str) -> None:
    page.locator("label.oi-option-choice", has=page.get_by_label(label)).click()
    page.keyboard.press("Control+Enter")


@pytest.mark.rule("A-9")
@pytest.mark.rule("A-13")
def test_two_people_grant_an_act_that_the_agent_does_once(open_page, ada):
    intent = ada.create_intent("Repay the order")
    asked = ada.request_permit(intent.id, **ACT, reason="The parcel is lost", effect_key="refund:order-1042", quorum=2)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ada.wait_for_permit, intent.id, asked.id, 60)
        first = opened(open_page("arbiter"), f"{QUESTION}/{asked.id}/change/")
        expect(first.locator(".oi-act-params")).to_contain_text('"amount": 120')
        expect(first.get_by_text(asked.action_sha256[:12])).to_be_visible()
        decide(first, "approve")
        expect(first.get_by_text("1 of 2 have granted it.")).to_be_visible()
        decide(opened(open_page("operator"), f"{QUESTION}/{asked.id}/change/"), "approve")
        permit = waiting.result(timeout=60)

    listed = opened(open_page("viewer"), "/admin/governance/permit/?q=order-1042")
    listed.get_by_role("link", name="payments.refund order-1042").first.click()
    page = listed
    page.wait_for_selector(LIVE)
    for voter in ("arbiter", "operator"):
        expect(page.locator(".oi-evidence", has_text=voter)).to_contain_text("approve")
    act = {**ACT, "effect_key": "refund:order-1042"}
    assert ada.spend_permit(permit.id, act).status == "spent"
    expect(page.locator(".oi-ask-line")).to_contain_text("Spent")
    with pytest.raises(ConflictError) as replay:
        ada.spend_permit(permit.id, act)
    assert replay.value.code == "permit_spent"
    with pytest.raises(ConflictError) as second:
        ada.request_permit(intent.id, **ACT, reason="Once more", effect_key="refund:order-1042")
    assert second.value.code == "effect_taken"
    ada.record_outcome(permit.id, "succeeded")
    expect(page.locator(".oi-ask-line")).to_contain_text("Succeeded")


@pytest.mark.rule("H-1")
def test_typed_question_is_answered_on_a_phone_by_keyboard(open_page, ada):
    schema = {
        "type": "object",
        "properties": {
            "amount": {"type": "number", "title": "Amount", "maximum": 500},
            "by": {"type": "string", "title": "Paid by", "enum": ["voucher", "card"]},
        },
        "required": ["amount", "by"],
    }
    intent = ada.create_intent("Make up for it")
    asked = ada.request_arbitration(intent.id, "How much do we refund?", response_schema=schema)
    page = opened(open_page("arbiter", viewport=PHONE), f"{QUESTION}/{asked.id}/change/")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

    tab_to(page, "Amount")
    page.keyboard.type("900")
    page.keyboard.press("Tab")
    page.keyboard.type("car")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert").first).to_contain_text("Amount")
    assert [each for each in open_page.faults if "400" not in each] == []  # Chromium reports the refusal.
    open_page.faults.clear()
    tab_to(page, "Amount")
    page.keyboard.press("Control+a")
    page.keyboard.type("240.5")
    page.keyboard.press("Control+Enter")

    expect(page.get_by_text("Decided: answered.")).to_be_visible()
    assert ada.get_arbitration(asked.id).decision.answer == {"amount": 240.5, "by": "card"}
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def tab_to(page: Page, label: str) -> None:
    """Press Tab until the field with the label has the focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.labels?.[0]?.textContent.trim()") == label:
            return
    raise AssertionError(f"{label} is not reached by Tab")


@pytest.mark.rule("H-9")
def test_question_is_sent_back_and_answered_while_somebody_looks(open_page, ada):
    intent = ada.create_intent("Refund the vouchers")
    asked = ada.request_arbitration(intent.id, "Refund vouchers, too?", options=["yes", "no"])
    page = opened(open_page("arbiter"), f"{QUESTION}/{asked.id}/change/")

    page.get_by_role("button", name="Assign to me").click()
    expect(page.get_by_text("Assigned to you", exact=True)).to_be_visible()
    page.get_by_role("link", name="Need more information").click()
    page.get_by_label("What do you need to know?").fill("How many are they?")
    page.get_by_role("button", name="Send to the agent").click()
    page.wait_for_selector(LIVE)
    page.locator("#oi-rationale").fill("Half written")
    [entry] = ada.get_arbitration(asked.id).information
    assert entry.question == "How many are they?"
    ada.provide_information(asked.id, "31, for 2,480 EUR.")

    expect(page.get_by_text("31, for 2,480 EUR.").first).to_be_visible()
    expect(page.locator("#oi-rationale")).to_have_value("Half written")
    assert ada.get_arbitration(asked.id).status == "pending"


@pytest.fixture
def told(tmp_path):
    """`(server, inbox)`: a server that sends e-mail to a fake inbox."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with MailServer() as inbox:
        environment = {
            "OPENINTENT_EMAIL_URL": f"smtp://127.0.0.1:{inbox.port}",
            "OPENINTENT_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "OPENINTENT_WEBHOOK_ALLOW_PRIVATE": "true",
        }
        server = Server(migrated_database("sqlite", tmp_path), **environment)
        server.port = str(port)
        with server:
            yield server, inbox


@pytest.mark.rule("H-2")
@pytest.mark.rule("H-4")
def test_reminder_reaches_an_inbox_and_its_link_the_question(browser, told):
    server, inbox = told
    context = browser.new_context(base_url=server.url)
    session = known_session(server.database_url, "arbiter")
    context.add_cookies([{"name": "openintent-session", "value": session, "url": server.url}])
    page = context.new_page()
    page.goto("/admin/my-notices/")
    page.get_by_label("E-mail address").fill("grace@example.com")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Your address was saved.")).to_be_visible()

    with OpenIntentClient(server.url, **ADA) as ada:
        intent = ada.create_intent("Ship the order")
        asked = ada.request_arbitration(intent.id, "Ship it today?", remind_after_seconds=[1])
        reminder = until(lambda: mail_with(inbox, "still waits for an answer"), "the reminder")
        assert reminder.recipients == ["grace@example.com"]
        [link] = re.findall(rf"{server.url}\S+", reminder.text)
        page.goto(link)

        expect(page.locator("h2.oi-ask-title")).to_have_text("Ship it today?")
        row = page.locator(".oi-ask-told .oi-row", has_text="Reminder to arbiter")
        expect(row).to_contain_text("Sent")
        assert ada.get_arbitration(asked.id).status == "pending"
    context.close()


def mail_with(inbox: MailServer, words: str) -> Mail | None:
    """Return the first mail whose subject has the words."""
    return next((each for each in [*inbox.mails] if words in str(each.message["Subject"])), None)
