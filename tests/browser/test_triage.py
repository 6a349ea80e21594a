"""Questions are decided by the keyboard alone: shortcuts, the focus, selections, and an operator against the clock."""

import time

import pytest
from openintent import OpenIntentClient
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql")]


LIVE = "#oi-connection[data-state=live]"
INBOX = "/admin/governance/arbitration/"
FOCUSED = "document.activeElement.textContent.trim()"


@pytest.fixture
def ada(server):
    with OpenIntentClient(server.url, api_key="agent-research-key", agent_id="ada") as client:
        _withdraw_all(server)
        yield client
        _withdraw_all(server)


def _withdraw_all(server):
    """Withdraw all questions, also those of other tests."""
    with OpenIntentClient(server.url, api_key="dev-user-key") as operator:
        for left in operator.list_arbitrations(status="pending", limit=1000):
            operator.withdraw_arbitration(left.id)


def ask(ada, reason, **fields):
    return ada.request_arbitration(ada.create_intent(f"What is behind: {reason}").id, reason=reason, **fields)


def opened(page: Page, path: str) -> Page:
    page.goto(path)
    page.wait_for_selector(LIVE)
    return page


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def test_keys_go_through_the_inbox_choose_select_and_open(open_page, ada):
    for number in range(3):
        ask(ada, f"Question {number}?", options=["Yes", "No"])
    page = opened(open_page("arbiter"), INBOX)

    press(page, "j", "1", "j", "j", "j", "2", "k", "x")

    expect(page.locator("#oi-picked")).to_have_text("2 answers chosen, 1 selected")
    assert page.locator(".oi-chip input:checked").evaluate_all("all => all.map((each) => each.value)") == ["Yes", "No"]
    assert page.evaluate(FOCUSED) == "Question 1?"
    press(page, "Enter")
    page.wait_for_selector(".oi-ask-title:has-text('Question 1?')")


def test_after_a_decision_the_focus_is_at_the_next_question(open_page, ada):
    for number in range(3):
        ask(ada, f"Question {number}?", options=["Yes", "No"])
    page = opened(open_page("arbiter"), "/admin/")

    for number in range(3):
        press(page, "n" if not number else "Enter")
        page.wait_for_selector(f".oi-ask-title:has-text('Question {number}?')")
        page.wait_for_selector(LIVE)
        press(page, "1", "Control+Enter")
        page.wait_for_selector(".oi-decided")
        if number < 2:
            page.wait_for_function(f"{FOCUSED} === 'Next question'")

    assert ada.list_arbitrations(status="pending") == []


def test_the_sheet_of_shortcuts_opens_on_any_page_and_no_key_acts_below_it(open_page, ada):
    ask(ada, "Is it there?", options=["Yes"])
    page = open_page("operator")
    for path in ("/admin/", INBOX, "/admin/access/apikey/add/", "/admin/agents/nobody/"):
        page.goto(path)
        page.evaluate("document.activeElement.blur()")
        press(page, "?")
        expect(page.locator("dialog h2")).to_have_text("Keyboard shortcuts")
        press(page, "n")
        assert page.url.endswith(path)
        press(page, "Escape")
        expect(page.locator("dialog.oi-sheet")).to_have_count(0)
    open_page.faults[:] = [fault for fault in open_page.faults if "404" not in fault]


def test_a_skip_link_leads_past_the_menu(open_page, ada):
    ask(ada, "Reached?", options=["Yes"])
    page = opened(open_page("arbiter"), INBOX)

    press(page, "Tab", "Enter", "Tab")
    assert page.evaluate("document.activeElement.closest('#content') !== null")


def test_select_all_a_range_and_all_that_match_a_search(open_page, ada):
    for number in range(55):
        ask(ada, f"Ship part {number}?", options=["Ship", "Keep"])
    ask(ada, "Something else?", options=["Ship", "Keep"])
    page = opened(open_page("arbiter"), f"{INBOX}?q=Ship+part")
    boxes = page.locator(".oi-pick input")

    boxes.nth(2).click()
    boxes.nth(6).click(modifiers=["Shift"])
    expect(page.locator("#oi-picked")).to_have_text("5 selected")
    page.check("#oi-all")
    expect(page.locator("#oi-picked")).to_have_text("50 selected")
    page.click("text=Select all 55 that match this search")
    expect(page.locator("#oi-picked")).to_have_text("55 selected")
    page.select_option("#oi-shared", "Ship")
    page.click("text=Review and confirm")
    page.click("text=Submit 55 decisions")

    page.wait_for_selector("text=/Decided: /")
    assert page.url.endswith("?q=Ship+part")
    assert [each.reason for each in ada.list_arbitrations(status="pending", limit=1000)] == ["Something else?"]


def test_from_signing_in_to_a_decision(open_page, ada, server, record_property):
    made = [ask(ada, f"Question {number}?", options=["Yes", "No"], blocking=True) for number in range(2)]
    page, keys = open_page("arbiter"), None
    for number in range(2):
        opened(page, "/admin/")  # Where one is after signing in.
        if number:
            keys = Keys(page)
            keys("n")
        else:
            page.click("text=Question 0?")
        page.wait_for_selector("#oi-decide")
        page.wait_for_selector(LIVE)
        if keys:
            keys("2", "Enter")
        else:
            page.click(".oi-option:has-text('No')")
            page.click("#oi-decide button[type=submit]")
        page.wait_for_selector(".oi-decided")

    assert [ada.get_arbitration(each.id).decision.decision for each in made] == ["No", "No"]
    record_property("figure", f"from the page after signing in to a decision: 3 clicks, or {keys.count} keys")


@pytest.mark.case("console H3")
def test_twenty_alike_are_decided_in_six_clicks(open_page, ada, record_property):
    made = [ask(ada, f"Ship part {number}?", options=["Ship", "Keep"]) for number in range(20)]
    page = opened(open_page("arbiter"), "/admin/")

    clicks = 2  # To open the list of labels, and to choose one.
    for target in ("a:has-text('awaiting decision')", "#oi-all", None, "text=Review and confirm", "text=Submit 20 decisions"):
        if target:
            page.click(target)
            clicks += 1
        else:
            page.select_option("#oi-shared", "Ship")
        page.wait_for_load_state()
    page.wait_for_selector("text=/Decided: /")

    assert {ada.get_arbitration(each.id).decision.decision for each in made} == {"Ship"}
    assert clicks <= 6
    record_property("figure", f"20 questions with the same options: {clicks} clicks from the home page")


@pytest.mark.case("console H4")
def test_a_hundred_mixed_questions_by_the_keyboard_alone(open_page, ada, record_property):
    expected = {}
    for number in range(100):
        if number % 20 == 7:
            expected[ask(ada, f"{number}: in a word?").id] = "ok"
        else:
            labels = [["Yes", "No"], ["Red", "Green", "Blue"], ["Roll back", "Fix forward", "Wait", "Ask ines"]][number % 3]
            right = number * 7 % len(labels)
            asked = ask(ada, f"{number}: choose {labels[right]}", options=labels, blocking=number % 4 == 0)
            expected[asked.id] = labels[right]
    page = opened(open_page("arbiter"), "/admin/")
    begun, keys = time.monotonic(), Keys(page)

    page.focus("a:has-text('awaiting decision')")
    keys("Enter")  # Those with options in the inbox, those that need words on their pages.
    page.wait_for_selector("#oi-inbox")
    page.wait_for_selector(LIVE)
    while page.locator(".oi-chip").count():
        for row in page.locator(".oi-ask-row").all():
            keys("j")
            title = page.evaluate(FOCUSED)
            if ": choose " in title:
                chips = row.locator(".oi-chip").all_inner_texts()
                keys(str(chips.index(title.partition(": choose ")[2]) + 1))
        keys("Control+Enter")
        page.wait_for_function("document.activeElement.name === 'confirmed'")
        keys("Enter")
        page.wait_for_selector("text=/Decided: /")
        page.wait_for_selector(LIVE)
    keys("n")
    for _ in range(5):
        page.wait_for_selector("#oi-words")
        page.wait_for_selector(LIVE)
        page.focus("#oi-words")
        keys(*"ok", "Control+Enter")
        page.wait_for_selector(".oi-decided")
        if page.locator(".oi-next a").count():
            keys("Enter")

    took = time.monotonic() - begun
    made = {
        each.id: each.decision.decision for each in ada.list_arbitrations(status="resolved", limit=1000) if each.id in expected
    }
    assert made == expected
    assert keys.count <= 250
    assert took < 300
    record_property("figure", f"100 mixed questions: {keys.count} keys, {took:.0f} s, none decided wrongly")


class Keys:
    """Presses keys, and counts them: a modifier is a key too."""

    def __init__(self, page: Page) -> None:
        self.page, self.count = page, 0

    def __call__(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.count += key.count("+") + 1
