"""An intent's page in a browser: its graph, and what arrives by the stream."""

from contextlib import suppress

import pytest
from playwright.sync_api import Error, Page, expect

from tests.browser.conftest import PATIENCE
from tests.browser.test_dashboard import LIVE, post

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql")]


DRAWN = "#oi-graph[data-drawn]"
CY = "document.querySelector('.oi-graph-canvas')._cyreg.cy"
CLICKS = 4  # Until one that hits nothing is a failure.


def family(server, title):
    parent = post(server, "/intents", {"title": title})
    child = post(server, f"/intents/{parent['id']}/children", {"title": f"Child of {title}"})
    post(server, f"/intents/{parent['id']}/children", {"title": f"Last of {title}", "depends_on": [child["id"]]})
    return parent, child


def where(page: Page, node: str) -> dict[str, float]:
    """Return the middle of a node, in the coordinates of the mouse."""
    box = page.locator(".oi-graph-canvas").bounding_box()
    place = page.evaluate(f"node => {CY}.$id(node).renderedPosition()", node)
    return {"x": box["x"] + place["x"], "y": box["y"] + place["y"]}


def open_node(page: Page, node: str) -> None:
    """Click the node until its page opens: a live update can move the graph between the look and the click."""
    for _ in range(CLICKS):
        page.mouse.click(**where(page, node))
        with suppress(Error):
            return page.wait_for_url(f"**/intents/intent/{node}/change/", timeout=PATIENCE / CLICKS)
    raise AssertionError(f"clicks on {node} did not open its page")


def test_the_graph_is_drawn_and_a_click_on_a_child_leads_to_it(open_page, server):
    parent, child = family(server, "A drawn intent")
    page: Page = open_page("viewer")
    page.goto(f"/admin/intents/intent/{parent['id']}/change/")
    page.wait_for_selector(DRAWN)

    assert page.get_attribute("#oi-graph", "data-drawn") == "3"
    page.locator(".oi-graph-canvas").scroll_into_view_if_needed()
    open_node(page, child["id"])

    page.wait_for_selector(DRAWN)


def test_status_change_updates_heading_graph_and_log_without_reload(open_page, server):
    _, child = family(server, "A live intent")
    page: Page = open_page("viewer")
    page.goto(f"/admin/intents/intent/{child['id']}/change/")
    page.wait_for_selector(LIVE)
    page.wait_for_selector(DRAWN)
    page.evaluate("window.isTheSamePage = true")

    moved = {"X-API-Key": "dev-user-key", "If-Match": "1"}
    page.request.post(f"{server.api}/intents/{child['id']}/status", data={"status": "active"}, headers=moved)

    expect(page.locator(".oi-head-title")).to_contain_text("Active")
    expect(page.locator(".oi-event-type").first).to_have_text("status_changed")
    page.wait_for_selector(f"tr[data-node='{child['id']}'][data-status=active]", state="attached")
    page.wait_for_function("document.querySelector('.oi-graph-canvas')?._cyreg?.cy.nodes('[status = \"active\"]').length === 1")
    assert page.evaluate("window.isTheSamePage")


def test_an_operator_changes_the_status_and_a_viewer_has_no_button(open_page, server):
    parent, _ = family(server, "An intent to act on")
    path = f"/admin/intents/intent/{parent['id']}/change/"
    viewer: Page = open_page("viewer")
    viewer.goto(path)
    viewer.wait_for_selector(".oi-head-title")
    assert viewer.locator("form[action*='/do/']").count() == 0

    operator: Page = open_page("operator")
    operator.goto(path)
    operator.click("button:text('Set to active')")
    operator.fill("#reason", "Begin")
    operator.click("button:text('Set to active')")

    operator.wait_for_selector("text=Status set to active.")
    expect(operator.locator(".oi-head-title")).to_contain_text("Active")
