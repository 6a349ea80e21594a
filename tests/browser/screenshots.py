"""`python -m tests.browser.screenshots`: pictures of each page of the console, light, dark and as on a phone, in docs/images/.

`--only home,costs` takes those alone, `--to FOLDER` puts them elsewhere, `--whole` takes pages in their full length.
"""

import argparse
import base64
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import CHROMIUM, FLAGS, new_session
from tests.browser.console_pages import PAGES, ConsolePage, Example, example
from tests.databases import migrated_database

IMAGES = Path(__file__).parents[2] / "docs" / "images"
VARIANTS = {
    "light": {"viewport": {"width": 1280, "height": 860}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 860}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light", "has_touch": True},
}
FORMAT, QUALITY = "webp", 85
SETTLED = 600  # Milliseconds for the stream to be live, and for pictures to be drawn.


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", type=parse_names, default=",".join(PAGES))
    parser.add_argument("--to", type=Path, default=IMAGES)
    parser.add_argument("--whole", action="store_true")
    given = parser.parse_args()
    given.to.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        example(migrated_database("sqlite", Path(folder)), intents=120) as running,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        take_screenshots(browser, running, given.only, given.to, whole=given.whole)
        browser.close()


def parse_names(given: str) -> dict[str, ConsolePage]:
    """Return the pages of the names, which commas separate. Raise ArgumentTypeError for an unknown one."""
    names = given.split(",")
    if unknown := [name for name in names if name not in PAGES]:
        raise argparse.ArgumentTypeError(f"no page is named {unknown[0]!r}. There are: {', '.join(PAGES)}")
    return {name: PAGES[name] for name in names}


def take_screenshots(browser: Browser, running: Example, places: dict[str, ConsolePage], to: Path, *, whole: bool) -> None:
    """Take the pictures of one page after the other: what pages change is the same in all variants."""
    roles = {place.role for place in places.values() if place.role}
    sessions = {role: new_session(running.server.database_url, role) for role in roles}
    pages: dict[tuple[str | None, str], Page] = {}
    for name, place in places.items():
        for way, options in VARIANTS.items():
            if (place.role, way) not in pages:
                context = browser.new_context(base_url=running.server.url, reduced_motion="reduce", **options)
                if place.role:
                    cookie = {"name": "openintent-session", "value": sessions[place.role], "url": running.server.url}
                    context.add_cookies([cookie])
                pages[place.role, way] = context.new_page()
            page = pages[place.role, way]
            page.goto(place.path(running))
            place.then(page)
            page.wait_for_timeout(SETTLED)
            if whole:
                load_all_pictures(page)
            (to / f"{name}-{way}.{FORMAT}").write_bytes(screenshot(page, whole=whole))


def screenshot(page: Page, *, whole: bool) -> bytes:
    """Return the picture as WebP, in less than half the bytes of PNG."""
    options: dict[str, Any] = {"format": FORMAT, "quality": QUALITY}
    browser = page.context.new_cdp_session(page)
    if whole:
        size = browser.send("Page.getLayoutMetrics")["cssContentSize"]
        options |= {"captureBeyondViewport": True, "clip": {**size, "scale": 1}}
    return base64.b64decode(browser.send("Page.captureScreenshot", options)["data"])


def load_all_pictures(page: Page) -> None:
    """Load those too that the browser would load when one scrolls to them."""
    page.evaluate("document.querySelectorAll('img[loading=lazy]').forEach((each) => (each.loading = 'eager'))")
    page.wait_for_function("[...document.images].every((each) => each.complete)")


if __name__ == "__main__":
    main()
