"""Rows stay where they are under a resting pointer, in use of `demo --live`; what is new waits behind a button above the list."""

import os

import pytest
import requests
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import DESK, new_session
from tests.browser.console_pages import KEY, Example, example
from tests.databases import migrated_database
from tests.processes import Process
from tests.system.concurrent_clients import rounds

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql")]


LIVE = "#oi-connection[data-state=live]"
INBOX = "/admin/governance/arbitration/"
LISTS = {
    "home": "/admin/",
    "inbox": INBOX,
    "decisions": "/admin/governance/decision/",
    "leases": "/admin/leasing/lease/?state=all",
    "intents": "/admin/intents/intent/",
    "agents": "/admin/agents/",
    "agent": "/admin/agents/sre-agent/",
    "portfolios": "/admin/portfolios/portfolio/",
    "event log": "/admin/intents/event/",
    "failures": "/admin/retries/failure/",
    "cost entries": "/admin/costs/cost/",
    "costs": "/admin/costs/overview/",
    "deliveries": "/admin/subscriptions/delivery/",
}
ROW = "#oi-panels :is(.oi-rows > :is(li, tr), .oi-events > li, .oi-table tbody tr)"
WATCH = """([x, y]) => {
    window.shifts = [];
    window.under = document.elementFromPoint(x, y);
    new PerformanceObserver((seen) => window.shifts.push(...seen.getEntries().map((each) => [
        each.value, ...each.sources.map(({node, previousRect: a, currentRect: b}) =>
            `${node?.parentElement?.outerHTML.slice(0, 120)} ${a.x},${a.y} > ${b.x},${b.y}`)]))).observe({type: "layout-shift"});
    window.since = performance.now();
}"""


@pytest.fixture(scope="module")
def lively(vendor, tmp_path_factory) -> Example:
    with example(migrated_database(vendor, tmp_path_factory.mktemp("lively")), intents=60) as running:
        yield running


@pytest.fixture
def page_of(browser: Browser, lively: Example):
    """`page_of(path)`: the page, live, of an operator in a browser of their own."""
    session, contexts = new_session(lively.server.database_url, "operator"), []

    def of(path: str) -> Page:
        context = browser.new_context(base_url=lively.server.url, viewport=DESK, reduced_motion="reduce")
        contexts.append(context)
        context.add_cookies([{"name": "openintent-session", "value": session, "url": lively.server.url}])
        page = context.new_page()
        page.goto(path)
        page.wait_for_selector(LIVE)
        return page

    yield of
    for context in contexts:
        context.close()


def ask(lively: Example, reason: str, **fields) -> dict:
    def post(path, body):
        response = requests.post(f"{lively.server.api}{path}", json=body, headers=KEY, timeout=20)
        assert response.ok, response.text
        return response.json()

    intent = post("/intents", {"title": f"What is behind: {reason}"})
    return post(f"/intents/{intent['id']}/arbitrate", {"reason": reason, "options": ["Yes", "No"], **fields})


def rest_on_a_row(page: Page) -> tuple[float, float]:
    """Move the pointer to the second row that is in view, or the first if there is one only."""
    rows = page.locator(f"{ROW} >> visible=true")  # Some are within groups that are closed.
    box = None
    while box is None:  # The panels are written anew as the page goes live.
        box = rows.nth(min(1, rows.count() - 1)).bounding_box()
    point = box["x"] + 60, box["y"] + 14
    page.mouse.move(*point)
    return point


@pytest.mark.case("console H7")
def test_rows_stay_under_a_resting_pointer(lively, page_of, record_property):
    pages = {name: page_of(path) for name, path in LISTS.items()}
    points = {name: rest_on_a_row(page) for name, page in pages.items()}
    for name, page in pages.items():
        page.evaluate(WATCH, points[name])
    environment = {**os.environ, "DATABASE_URL": lively.server.database_url, "OPENINTENT_DEV_MODE": "true"}
    activity = Process("config.manage", ["demo", "--live", "--pace", "0.5"], environment | lively.server._defaults())
    try:
        ask(lively, "May rows move?", blocking=True)
        seconds = rounds(60, 8)
        for page in pages.values():
            page.wait_for_function(f"performance.now() - window.since > {seconds * 1000}", timeout=(seconds + 20) * 1000)
    finally:
        activity.terminate()
        activity.wait(20)
        activity.stderr.close()

    moved = {name: page.evaluate("window.shifts") for name, page in pages.items()}
    same = {
        name: page.evaluate("([x, y]) => document.elementFromPoint(x, y) === window.under", points[name])
        for name, page in pages.items()
    }
    waited = [name for name, page in pages.items() if page.is_visible("#oi-news")]
    assert not {name: found for name, found in moved.items() if found}
    assert all(same.values()), same
    assert {"home", "inbox", "intents", "event log"} <= {*waited}
    figure = f"{len(pages)} pages, {seconds} s of `demo --live`: layout shift 0, the same element under the pointer on each; news waited on {len(waited)}"
    record_property("figure", figure)


def test_new_rows_come_by_the_button_or_when_the_pointer_leaves(lively, page_of):
    page = page_of(INBOX)
    rest_on_a_row(page)

    ask(lively, "Held back?", blocking=True)
    expect(page.locator("#oi-news")).to_have_text("1 new")
    assert not page.is_visible("text=Held back?")
    page.click("#oi-news")
    expect(page.locator(".oi-ask-row:has-text('Held back?')")).to_be_visible()
    expect(page.locator("#oi-news")).to_be_hidden()

    rest_on_a_row(page)
    ask(lively, "Held as well?", blocking=True)
    expect(page.locator("#oi-news")).to_have_text("1 new")
    page.mouse.move(640, 5)
    expect(page.locator(".oi-ask-row:has-text('Held as well?')")).to_be_visible()


def test_a_row_that_has_gone_stays_and_pales_until_the_list_is_let_go(lively, page_of):
    asked = ask(lively, "Withdrawn meanwhile?", blocking=True)
    page = page_of(f"{INBOX}?q=Withdrawn+meanwhile")
    rest_on_a_row(page)

    requests.post(f"{lively.server.api}/arbitrations/{asked['id']}/withdraw", json={}, headers=KEY, timeout=20).raise_for_status()

    expect(page.locator(".oi-ask-row.oi-gone")).to_have_count(1)
    expect(page.locator("#oi-tab-pending b")).to_have_text("0")
    page.mouse.move(640, 5)
    expect(page.locator(".oi-ask-row")).to_have_count(0)


@pytest.mark.case("console L14")
def test_the_title_of_the_tab_counts_the_pending_questions(lively, page_of):
    page = page_of(f"{INBOX}?q=Is+this+counted")
    assert page.title().strip().startswith("Arbitrations")

    ask(lively, "Is this counted?")
    page.wait_for_function("document.title.startsWith('(1) ')")
