"""Pictures of the console's pages in docs/images/: one of each page in each variant, and no others; and the command that takes them."""

import pytest

from tests.browser.console_pages import PAGES
from tests.browser.screenshots import FORMAT, IMAGES, VARIANTS, main


def test_each_page_has_its_pictures_and_each_picture_its_page():
    expected = {f"{name}-{way}.{FORMAT}" for name in PAGES for way in VARIANTS}
    found = {path.name for path in IMAGES.iterdir()}

    assert found == expected, "`python -m tests.browser.screenshots --only NAMES` takes those that are missing"


def test_unknown_names_of_pages_are_refused_with_those_that_there_are(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["screenshots", "--only", "home,unknown"])

    with pytest.raises(SystemExit) as exited:
        main()

    assert exited.value.code == 2
    told = capsys.readouterr().err
    assert "no page is named 'unknown'" in told
    assert ", ".join(PAGES) in told
