"""Pictures of the console's pages in docs/images/: one of each page in each variant, and no others."""

from tests.browser.console_pages import PAGES
from tests.browser.screenshots import FORMAT, IMAGES, VARIANTS


def test_each_page_has_its_pictures_and_each_picture_its_page():
    expected = {f"{name}-{way}.{FORMAT}" for name in PAGES for way in VARIANTS}
    found = {path.name for path in IMAGES.iterdir()}

    assert found == expected, "`python -m tests.browser.screenshots --only NAMES` takes those that are missing"
