"""Search everywhere, by the keyboard alone."""

import pytest
import requests
from playwright.sync_api import Page, expect

from tests.browser.conftest import new_session
from tests.browser.test_accessibility import AXE, SERIOUS, STANDARDS

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql")]

HEADERS = {"X-API-Key": "dev-user-key"}
PLACES = [
    "/admin/",
    "/admin/intents/intent/",
    "/admin/governance/arbitration/",
    "/admin/costs/overview/",
    "/admin/auth/user/add/",
]


@pytest.fixture(scope="module")
def intents(server) -> list[str]:
    """Three intents, the newest first."""
    titles = ["Kestrels of the tower", "Kestrels <b>by the sea</b>", "Count the kestrels"]
    made = [requests.post(f"{server.api}/intents", json={"title": title}, headers=HEADERS, timeout=10).json() for title in titles]
    return [each["id"] for each in reversed(made)]


def search(page: Page, text: str) -> None:
    page.keyboard.type(text)
    expect(page.locator("#oi-palette-status")).to_contain_text("result")


def options(page: Page) -> list[str]:
    return page.locator("#oi-palette .oi-found-text").all_inner_texts()


def chosen(page: Page) -> str:
    """The text of what assistive technology is told to be chosen."""
    pk = page.locator("#oi-palette-text").get_attribute("aria-activedescendant")
    return page.locator(f"#{pk} .oi-found-text").inner_text()


def test_an_intent_is_found_and_opened_by_the_keyboard(operator: Page, intents):
    operator.goto("/admin/")
    operator.keyboard.press("/")
    search(operator, "kest")
    assert options(operator) == ["Count the kestrels", "Kestrels <b>by the sea</b>", "Kestrels of the tower"]
    assert chosen(operator) == "Count the kestrels"

    operator.keyboard.press("ArrowDown")
    assert chosen(operator) == "Kestrels <b>by the sea</b>"
    operator.keyboard.press("ArrowUp")
    operator.keyboard.press("ArrowUp")
    assert chosen(operator) == "Kestrels of the tower"
    operator.keyboard.press("Enter")

    operator.wait_for_url(f"**/admin/intents/intent/{intents[2]}/change/")


def test_enter_right_after_typing_opens_what_was_typed(operator: Page, intents):
    operator.goto("/admin/")
    operator.keyboard.press("Control+k")
    search(operator, "kestrels")
    operator.keyboard.type(" tow")
    operator.keyboard.press("Enter")

    operator.wait_for_url(f"**/admin/intents/intent/{intents[2]}/change/")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("key", ["Control+k", "/"])
def test_the_box_opens_on_every_page_and_gives_the_focus_back(operator: Page, place, key):
    operator.goto(place)
    operator.locator("nav a", has_text="Webhooks").focus()

    operator.keyboard.press(key)
    expect(operator.locator("#oi-palette-text")).to_be_focused()
    expect(operator.locator("#oi-palette .oi-found-name")).to_contain_text("Pages")
    assert operator.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    operator.keyboard.press("Escape")

    expect(operator.locator("#oi-palette")).to_be_hidden()
    expect(operator.locator("nav a", has_text="Webhooks")).to_be_focused()


def test_a_slash_is_a_letter_where_one_types(operator: Page):
    operator.goto("/admin/intents/intent/")
    field = operator.locator("#searchbar, [name=q]").first
    field.focus()
    operator.keyboard.type("a/b")

    assert field.input_value() == "a/b"
    expect(operator.locator("#oi-palette")).to_be_hidden()
    operator.keyboard.press("Control+k")
    expect(operator.locator("#oi-palette-text")).to_be_focused()


def test_search_without_results_says_so(operator: Page):
    operator.goto("/admin/")
    operator.keyboard.press("Control+k")
    operator.keyboard.type("zzebra")

    expect(operator.locator("#oi-palette-status")).to_have_text("Nothing found for “zzebra”.")
    operator.keyboard.press("Enter")
    expect(operator.locator("#oi-palette")).to_be_visible()


def test_a_lost_connection_and_a_lost_session_are_said(open_page, server):
    page = open_page(session=new_session(server.database_url, "viewer"))
    page.goto("/admin/")
    page.route("**/admin/search/**", lambda route: route.abort())
    page.keyboard.press("Control+k")
    expect(page.locator("#oi-palette-status")).to_have_text("No connection to the server. Try again.")
    page.unroute("**/admin/search/**")
    page.context.clear_cookies()
    page.keyboard.type("kest")
    expect(page.locator("#oi-palette-status")).to_contain_text("You are signed out.")
    open_page.faults.clear()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_open_box_can_be_used_by_everybody(open_page, intents, width, scheme):
    page = open_page("viewer", viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.goto("/admin/")
    page.keyboard.press("Control+k")
    search(page, "kest")
    page.evaluate(AXE)

    found = page.evaluate(
        """([standards, grave]) => axe.run("#oi-palette", {runOnly: standards}).then(({violations}) =>
            violations.filter(({impact}) => grave.includes(impact)).map(({id, nodes}) => `${id} ${nodes[0].html}`))""",
        [STANDARDS, SERIOUS],
    )

    assert found == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
