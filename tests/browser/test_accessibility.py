"""Every page of the console, as axe-core judges it: light and dark at a desk, on a phone, at 200 %, with reduced motion.

A page is loaded once, and the browser then emulates one after the other. None asks anybody but the server.
"""

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import PATIENCE, known_session
from tests.browser.console_pages import PAGES, ConsolePage, Example, example
from tests.databases import migrated_database

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql")]


AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text()
DESK, PHONE = {"width": 1360, "height": 900}, {"width": 390, "height": 844}
ZOOMED = {"width": DESK["width"] // 2, "height": DESK["height"] // 2}
"""At 200 % a browser lays a page out as for half the pixels."""
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
BY_COLORS = ["color-contrast", "link-in-text-block"]
BY_WIDTH = ["scrollable-region-focusable", "target-size"]
"""Rules on which the colors, or the width of the page, have a bearing; for all others the page is the same."""
SERIOUS = ["serious", "critical"]
_DARK = "(dark) => document.documentElement.classList.toggle('dark', dark)"  # As the theme does when the page is loaded.
_RUN = """([standards, grave]) => {
    for (const each of document.getAnimations()) if (each.effect.getTiming().iterations !== Infinity) each.finish();
    return axe.run(document, {runOnly: standards, resultTypes: ["violations"]}).then(({violations}) =>
        violations.filter(({impact}) => grave.includes(impact)).flatMap(({id, help, nodes}) =>
            nodes.map(({target, html, any}) => `${id}: ${help}\\n  ${target} ${html.slice(0, 200)}\\n  ${any[0]?.message ?? ""}`)));
}"""
_CUT = (Path(__file__).parent / "find_cut_text.js").read_text()
_MOVING = """() => [...document.querySelectorAll("*")].filter((each) => {
    const {animationDuration, animationName, transitionDuration} = getComputedStyle(each);
    const longest = (times) => Math.max(...times.split(",").map(parseFloat));
    return longest(transitionDuration) > .01 || (animationName !== "none" && longest(animationDuration) > .01);
}).map((each) => each.outerHTML.slice(0, 160)).slice(0, 5)"""


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
        page.emulate_media(reduced_motion="no-preference")
        page.goto(place.path(lively))
        place.then(page)
        assert not elsewhere
        return page

    yield at
    for page in pages.values():
        page.context.close()


def signed_in(browser: Browser, lively: Example, role: str | None, elsewhere: list[str]) -> Page:
    context = browser.new_context(base_url=lively.server.url, color_scheme="light")
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
    page.evaluate(_DARK, True)
    found["dark"] = serious_violations(page, BY_COLORS)
    page.set_viewport_size(PHONE)
    found["dark, on a phone"] = [*page.evaluate(_CUT), *serious_violations(page, BY_COLORS + BY_WIDTH)]
    page.evaluate(_DARK, False)
    page.set_viewport_size(ZOOMED)
    found["at 200 %"] = [*page.evaluate(_CUT), *serious_violations(page, BY_WIDTH)]
    page.emulate_media(reduced_motion="reduce")
    found["with reduced motion"] = [*serious_violations(page, BY_COLORS), *page.evaluate(_MOVING)]

    told = "\n".join(f"{way}: {finding}" for way, findings in found.items() for finding in findings)
    assert not told, told


def test_text_that_is_cut_is_found(browser):
    narrow = "width: 80px; white-space: nowrap"
    page = browser.new_page()
    page.set_content(
        f'<p style="{narrow}; overflow: hidden">Ends within a word</p>'
        f'<p style="{narrow}; overflow: hidden; text-overflow: ellipsis">Ends with an ellipsis</p>'
        f'<p style="{narrow}; overflow-x: auto">Can be scrolled to its end</p>'
        '<p style="position: absolute; left: -40px">Begins outside of the page</p>'
    )

    found = page.evaluate(_CUT)
    page.close()

    assert [each.partition("\n")[0] for each in found] == ["cut: Ends within a word", "cut: Begins outside of the page"]
