"""Every page of the console, as axe-core judges it: light at a desk, dark on a phone. None asks anybody but the server."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import PATIENCE, known_session
from tests.browser.console_pages import PAGES, ConsolePage, Example, example
from tests.databases import migrated_database

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql")]


AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text()
DESK, PHONE = {"width": 1360, "height": 900}, {"width": 390, "height": 844}
BY_LOOKS = ["color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size"]
"""Rules on which colours and the width of the page have a bearing; for all others the page is the same."""
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SERIOUS = ["serious", "critical"]
_DARK = "() => document.documentElement.classList.add('dark')"  # As the theme does when the page is loaded.
_RUN = """([standards, grave]) => axe.run(document, {runOnly: standards, resultTypes: ["violations"]}).then(({violations}) =>
    violations.filter(({impact}) => grave.includes(impact)).flatMap(({id, help, nodes}) =>
        nodes.map(({target, html, any}) => `${id}: ${help}\\n  ${target} ${html.slice(0, 200)}\\n  ${any[0]?.message ?? ""}`)))"""


@pytest.fixture(scope="module")
def lively(tmp_path_factory) -> Example:
    with example(migrated_database("sqlite", tmp_path_factory.mktemp("lively")), intents=0) as running:
        yield running


@pytest.fixture(scope="module")
def visit(browser: Browser, lively: Example):
    """`visit(place)`: the page of it. All visits of a role share one page; none may ask anybody but the server."""
    pages: dict[str | None, Page] = {}
    elsewhere = []

    def at(place: ConsolePage) -> Page:
        page = pages.setdefault(place.role, pages.get(place.role) or signed_in(browser, lively, place.role, elsewhere))
        page.set_viewport_size(DESK)
        page.goto(place.path(lively))
        place.then(page)
        assert not elsewhere
        return page

    yield at
    for page in pages.values():
        page.context.close()


def signed_in(browser: Browser, lively: Example, role: str | None, elsewhere: list[str]) -> Page:
    context = browser.new_context(base_url=lively.server.url, color_scheme="light", reduced_motion="reduce")
    if role:
        session = known_session(lively.server.database_url, role)
        context.add_cookies([{"name": "openintent-session", "value": session, "url": lively.server.url}])
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.on("request", lambda request: request.url.startswith((lively.server.url, "data:")) or elsewhere.append(request.url))
    page.on("pageerror", lambda error: elsewhere.append(str(error)))
    return page


def serious_violations(page: Page, rules: list[str]) -> list[str]:
    """Return the violations of these rules, or of those with these tags."""
    return page.evaluate(_RUN, [rules, SERIOUS])


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_used_by_everybody(visit, name):
    page = visit(PAGES[name])
    page.evaluate(AXE)

    found = {"light": serious_violations(page, STANDARDS)}
    page.evaluate(_DARK)
    page.set_viewport_size(PHONE)
    found["dark, on a phone"] = serious_violations(page, BY_LOOKS)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]

    told = "\n".join(f"{way}: {finding}" for way, findings in found.items() for finding in findings)
    assert not told, told
