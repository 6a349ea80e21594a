"""People decide and step in, in a browser, while agents work through the SDK."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from openintent import LeaseConflictError, OpenIntentClient
from playwright.sync_api import Page, expect

from tests.browser.conftest import new_session

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql")]


LIVE = "#oi-connection[data-state=live]"
INBOX = "/admin/governance/arbitration/"


@pytest.fixture
def ada(server):
    with OpenIntentClient(server.url, api_key="agent-research-key", agent_id="ada") as client:
        yield client
        for left in client.list_arbitrations(status="pending"):  # The home page's tests count on few.
            if left.requester_id == "ada":
                client.withdraw_arbitration(left.id)


def asked(ada, reason, **fields):
    intent = ada.create_intent(f"What is behind: {reason}", initial_state={"checked": 1})
    return intent, ada.request_arbitration(intent.id, reason=reason, **fields)


def opened(page: Page, question) -> Page:
    page.goto(f"{INBOX}{question.id}/change/")
    page.wait_for_selector(LIVE)
    return page


def test_agent_continues_after_an_arbiter_decides_by_keyboard_alone(open_page, server, ada):
    intent, question = asked(ada, "Roll back?", options=["Roll back", "Fix forward"], blocking=True)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ada.wait_for_decision, intent.id, question.id, 30)
        page = opened(open_page("arbiter"), question)

        page.keyboard.press("2")
        expect(page.locator("#oi-send")).to_have_text("Decide: Fix forward")
        page.keyboard.press("r")
        page.keyboard.type("Rule 1 is the slow one")
        page.keyboard.press("Control+Enter")

        decided = waiting.result(timeout=30)
    assert (decided.decision.decision, decided.decision.rationale) == ("Fix forward", "Rule 1 is the slow one")
    assert decided.decision.decided_by == "user:arbiter"
    page.wait_for_selector("text=Decided: Fix forward.")
    assert ada.get_intent(intent.id).status == intent.status


def test_no_key_does_anything_while_somebody_writes_or_has_turned_keys_off(open_page, ada):
    _, question = asked(ada, "Which way?", options=["North", "South"])
    page = opened(open_page("arbiter"), question)

    page.click("#oi-rationale")
    page.keyboard.type("1 or 2, r")
    assert page.input_value("#oi-rationale") == "1 or 2, r"
    assert page.locator("[name=decision]:checked").count() == 0
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.uncheck("#oi-keys")
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    assert page.locator("[name=decision]:checked").count() == 0
    page.reload()
    page.wait_for_selector(LIVE)
    page.keyboard.press("1")
    assert page.locator("[name=decision]:checked").count() == 0
    page.click("text=Keyboard shortcuts >> visible=true")
    assert not page.is_checked("#oi-keys")
    page.check("#oi-keys")


def test_of_two_who_decide_at_once_one_wins_and_the_other_is_told(open_page, server, ada):
    _, question = asked(ada, "Deploy now?", options=["Approve", "Reject"])
    # Without the stream, neither page learns of the other's answer before it is sent.
    pages = [open_page(role, session=new_session(server.database_url, role)) for role in ("arbiter", "operator")]
    for page, label in zip(pages, ["Approve", "Reject"], strict=True):
        page.route("**/admin/follow*", lambda route: route.fulfill(status=204))
        page.goto(f"{INBOX}{question.id}/change/")
        page.click(f".oi-option:has-text('{label}')")
        page.fill("#oi-rationale", f"I say {label}")

    for page in pages:  # Both are under way before either is waited for.
        page.evaluate("setTimeout(() => document.getElementById('oi-decide').requestSubmit())")
    for page in pages:
        page.wait_for_selector(".oi-decided")

    late = [page for page in pages if page.locator("#oi-late").count()]
    won = next(page for page in pages if page not in late)
    made = ada.get_arbitration(question.id).decision
    assert len(late) == 1
    assert made.rationale == f"I say {made.decision}"
    winner = made.decided_by.removeprefix("user:")
    expect(late[0].locator("#oi-late h2")).to_have_text(f"{winner} just decided: {made.decision}")
    expect(late[0].locator("#oi-late")).to_contain_text("Your answer was not recorded.")
    assert late[0].input_value("#oi-lost") == f"I say {'Reject' if made.decision == 'Approve' else 'Approve'}"
    assert late[0].url.endswith(f"{question.id}/change/")
    expect(won.locator(".oi-decided")).to_have_text(made.decision)
    open_page.faults[:] = [fault for fault in open_page.faults if "409 (Conflict)" not in fault]


def test_page_shows_a_decision_made_elsewhere_and_keeps_entered_text(open_page, ada, server):
    intent, question = asked(ada, "Name the provider?", options=["Yes", "No"])
    page = opened(open_page("arbiter"), question)
    page.click(".oi-option:has-text('Yes')")
    page.fill("#oi-rationale", "It saves us two hundred calls")

    ada.update_state(intent.id, ada.get_intent(intent.id).version, {"checked": 2})
    page.wait_for_selector(".oi-diff >> text=checked")
    assert page.input_value("#oi-rationale") == "It saves us two hundred calls"
    decide = {"decision": "No", "arbitration_id": str(question.id), "decided_by": "ines"}
    headers = {"X-API-Key": "dev-user-key"}
    assert requests.post(f"{server.api}/intents/{intent.id}/decisions", json=decide, headers=headers, timeout=10).ok

    expect(page.locator("#oi-answer")).to_contain_text("ines")
    expect(page.locator(".oi-decided")).to_have_text("No")
    expect(page.locator(".oi-decide [role=alert]")).to_contain_text("Your answer: Yes")
    assert page.input_value(".oi-decide textarea") == "It saves us two hundred calls"


def test_several_alike_are_answered_from_the_inbox(open_page, ada):
    made = [asked(ada, f"Ship part {number}?", options=["Ship", "Keep"]) for number in range(3)]
    page: Page = open_page("arbiter")
    page.goto(f"{INBOX}?q=Ship+part")
    page.wait_for_selector(LIVE)
    for box in page.locator(".oi-pick input").all():
        box.check()

    page.select_option("#oi-shared", "Ship")
    page.click(".oi-ask-row:has-text('Ship part 2?') .oi-chip:has-text('Keep')")
    expect(page.locator("#oi-picked")).to_have_text("3 answers chosen, 3 selected")
    asked(ada, "Ship part 3?", options=["Ship", "Keep"])  # The list is written anew, and what was picked stays.
    page.click("#oi-news:text('1 new')")
    page.wait_for_selector("text=Ship part 3?")
    expect(page.locator("#oi-picked")).to_have_text("3 answers chosen, 3 selected")
    page.select_option("#oi-shared", "")
    page.click("text=Review and confirm")
    page.fill("#rationale", "Checked by hand")
    page.click("text=Submit 3 decisions")

    page.wait_for_selector("text=/Decided: /")
    answers = [ada.get_arbitration(question.id).decision for _, question in made]
    assert [(each.decision, each.rationale) for each in answers] == [
        ("Ship", "Checked by hand"),
        ("Ship", "Checked by hand"),
        ("Keep", "Checked by hand"),
    ]


@pytest.mark.rule("L-4")
@pytest.mark.rule("L-5")
def test_the_next_write_of_a_holder_whose_lease_was_revoked_is_refused(open_page, ada):
    intent = ada.create_intent("Book flights to Porto")
    page: Page = open_page("arbiter")
    with ada.lease(intent.id, "porto", duration_seconds=300):
        ada.update_state(intent.id, intent.version, {"porto": "looking"})
        page.goto("/admin/leasing/lease/?q=porto")
        page.wait_for_selector(LIVE)
        page.check(".oi-row:has-text('porto') .oi-pick input")
        page.click("text=Revoke selected")
        page.fill("#reason", "Too dear")
        page.click("button:text('Revoke')")
        page.wait_for_selector("text=Revoked: porto held by ada.")

        version = ada.get_intent(intent.id).version
        with pytest.raises(LeaseConflictError) as refused:
            ada.update_state(intent.id, version, {"porto": "booked"})

    assert refused.value.code == "lease_lost"
    assert ada.get_intent(intent.id).state == {"porto": "looking"}
    revoked = ada.get_events(intent.id)[-1]
    assert (revoked.event_type, revoked.actor, revoked.payload["reason"]) == ("lease_revoked", "user:arbiter", "Too dear")


def test_the_pages_fit_a_phone_in_the_dark(open_page, ada):
    intent, question = asked(ada, "Fits? " + "x" * 90, options=["y" * 90, "No"], context={"z" * 60: {"deep": "w" * 200}})
    ada.acquire_lease(intent.id, scope="s" * 80, duration_seconds=300)
    page: Page = open_page("arbiter", viewport={"width": 390, "height": 844}, color_scheme="dark")

    for path in (INBOX, f"{INBOX}{question.id}/change/", "/admin/leasing/lease/", "/admin/governance/decision/"):
        page.goto(path)
        page.wait_for_selector(LIVE)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
