"""Large graphs and timelines in a browser: the tree, the drawing of 300 intents, the trace of an intent."""

from time import monotonic

import pytest
import requests
from playwright.sync_api import Page, expect

from benchmarks.seed import Seeder
from tests.browser.conftest import PATIENCE, new_session, signed_in
from tests.browser.test_dashboard import LIVE, post
from tests.browser.test_intents import CY, DRAWN, open_node
from tests.databases import migrated_database
from tests.servers import Server

pytestmark = [pytest.mark.full, pytest.mark.database("sqlite", "postgresql")]

ROW = ".oi-subtree .oi-row-title"


@pytest.fixture(scope="module")
def grown(vendor, tmp_path_factory):
    """A server that holds trees of 300, 2,000 and 10,000 intents, and their roots by size."""
    database_url = migrated_database(vendor, tmp_path_factory.mktemp("grown"))
    with Seeder(database_url) as seeder:
        roots = {size: seeder.tree(size) for size in (300, 2_000, 10_000)}
    with Server(database_url) as server:
        yield server, roots, new_session(database_url, "viewer")


@pytest.fixture
def visit(browser, grown, faults):
    """`visit(300, "graph/")`: a page of a viewer about the root of that tree."""
    server, roots, session = grown
    context = signed_in(browser, server, session, faults)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)

    def to(size: int, path: str) -> Page:
        page.goto(f"/admin/intents/intent/{roots[size]}/{path}")
        return page

    yield to
    context.close()
    assert not faults


def set_status(server, intent: str, status: str) -> None:
    path, key = f"{server.api}/intents/{intent}", {"X-API-Key": "dev-user-key"}
    version = requests.get(path, headers=key, timeout=10).json()["version"]
    answer = requests.post(f"{path}/status", json={"status": status}, headers={**key, "If-Match": str(version)}, timeout=10)
    assert answer.ok, answer.text


def test_graph_of_300_intents_is_readable_zoomable_and_navigable(visit):
    began = monotonic()
    page = visit(300, "graph/?view=drawing")
    page.wait_for_selector(DRAWN)
    print(f"300 intents are drawn {monotonic() - began:.1f} s after the address was entered")

    assert page.get_attribute("#oi-graph", "data-drawn") == "300"
    assert page.evaluate(f"{CY}.zoom()") >= 0.6
    expect(page.locator("#oi-graph-title + span")).to_have_text("300 intents")
    page.click("[data-zoom=fit]")
    whole = page.evaluate(f"{CY}.elements().renderedBoundingBox()")
    canvas = page.locator(".oi-graph-canvas").bounding_box()
    assert whole["w"] <= canvas["width"]
    assert whole["h"] <= canvas["height"]
    assert max(whole["w"] / canvas["width"], whole["h"] / canvas["height"]) > 0.8
    node = page.evaluate(
        f"(() => {{ const one = {CY}.nodes()[9]; return [one.renderedWidth(), one.hasClass('far'), one.style('label')]; }})()"
    )
    assert node[0] >= 30, "a node is wide enough for its mark"
    assert node[1]
    assert node[2] in "○◷▶■✓✕"
    for _ in range(6):
        page.click("[data-zoom=in]")
    leaf = page.locator("tr[data-node]").last.get_attribute("data-node")
    page.evaluate(f"leaf => {CY}.center({CY}.$id(leaf))", leaf)
    page.locator(".oi-graph-canvas").scroll_into_view_if_needed()
    open_node(page, leaf)


@pytest.mark.parametrize(("size", "rows"), [(2_000, 44), (10_000, 100)])
def test_a_large_graph_opens_as_a_tree_whose_branches_are_loaded(visit, size, rows):
    began = monotonic()
    page = visit(size, "graph/")
    page.wait_for_selector(ROW)
    print(f"A tree of {size:,} opens {monotonic() - began:.2f} s after the address was entered")

    assert page.locator(ROW).count() == rows
    expect(page.locator(".oi-head .oi-row-meta")).to_contain_text(f"{size} intents:")
    page.locator(".oi-branch > summary").first.click()
    page.wait_for_selector(".oi-branch[data-loaded=done]")
    assert page.locator(ROW).count() > rows


def test_the_tree_is_walked_by_keyboard_alone(visit):
    page = visit(2_000, "graph/")
    page.wait_for_selector(LIVE)

    page.keyboard.press("j")
    page.keyboard.press("Tab")
    while page.evaluate("document.activeElement.tagName") != "SUMMARY":
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(".oi-branch[data-loaded=done]")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    first = page.locator(".oi-branch[data-loaded=done] .oi-row-title").first
    expect(first).to_be_focused()
    leads_to = first.get_attribute("href")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{leads_to}")


def test_expand_and_collapse_all(visit):
    page = visit(300, "graph/?view=tree")
    page.click("text=Expand all")
    page.wait_for_url("**open=all")
    assert page.locator(f"{ROW}:visible").count() == 299

    page.click("text=Collapse all")

    assert page.locator(f"{ROW}:visible").count() == 17


def test_an_open_branch_stays_open_through_live_updates(visit, grown):
    server, *_ = grown
    page = visit(2_000, "graph/")
    page.wait_for_selector(LIVE)
    page.locator(".oi-branch > summary").first.click()
    page.wait_for_selector(".oi-branch[data-loaded=done] .oi-row-title")
    child = page.locator(".oi-branch[data-loaded=done] .oi-row-title").first
    href = child.get_attribute("href")
    page.mouse.move(5, 5)
    page.evaluate("document.activeElement.blur(); window.isTheSamePage = true")

    set_status(server, href.split("/")[-3], "active")

    expect(page.locator(f".oi-branch .oi-row:has(a[href='{href}'])")).to_contain_text("Active")
    assert page.evaluate("window.isTheSamePage")
    assert page.locator(".oi-branch[open] .oi-row-title").count() > 10


def test_rows_under_the_pointer_stay_where_they_are(visit, grown):
    server, *_ = grown
    page = visit(300, "graph/?view=blocking")
    page.wait_for_selector(LIVE)
    row = page.locator(".oi-rows .oi-row-title").nth(2)
    row.hover()
    before = row.bounding_box(), row.text_content()

    set_status(server, page.locator(".oi-rows .oi-row-title").first.get_attribute("href").split("/")[-3], "completed")

    page.wait_for_selector("#oi-news:not([hidden])")
    assert (row.bounding_box(), row.text_content()) == before


def test_timeline_shows_new_calls_live_and_zooms_by_dragging(open_page, server):
    intent = post(server, "/intents", {"title": "A traced intent"})
    page: Page = open_page("viewer")
    page.goto(f"/admin/intents/intent/{intent['id']}/timeline/")
    page.wait_for_selector(LIVE)

    call = {"request_id": "a", "model": "gpt-5", "provider": "openai"}
    for end in ("started", "completed"):
        body = {"event_type": f"llm_request_{end}", "payload": {**call, **({"total_tokens": 77} if end == "completed" else {})}}
        post(server, f"/intents/{intent['id']}/events", body)

    expect(page.locator(".oi-trace")).to_contain_text("77")
    page.locator(".oi-lane").first.hover()
    before = page.locator(".oi-timeline").bounding_box(), page.locator(".oi-trace").bounding_box()
    post(
        server,
        f"/intents/{intent['id']}/events",
        {"event_type": "tool_call_started", "payload": {"tool_id": "b", "tool_name": "sql"}},
    )
    page.wait_for_selector("#oi-news:not([hidden])")
    assert (page.locator(".oi-timeline").bounding_box(), page.locator(".oi-trace").bounding_box()) == before
    chart = page.locator(".oi-lane").first.bounding_box()
    page.mouse.move(chart["x"] + chart["width"] * 0.25, chart["y"] + 5)
    page.mouse.down()
    page.mouse.move(chart["x"] + chart["width"] * 0.75, chart["y"] + 5, steps=4)
    page.wait_for_selector(".oi-range-mark")
    page.mouse.up()
    page.wait_for_url("**from=*")
    page.get_by_role("link", name="Newest", exact=True).press("Enter")
    page.wait_for_url(lambda url: "from=" not in url)
    page.get_by_role("link", name="gpt-5").press("Enter")
    page.wait_for_url("**/intents/event/**")
