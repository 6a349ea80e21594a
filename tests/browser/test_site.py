"""The documentation's site in a browser."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from .conftest import PATIENCE

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql")]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture
def url(site) -> Iterator[str]:
    """Serve the site. Return its URL."""
    http = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    thread = threading.Thread(target=http.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{http.server_port}"
    http.shutdown()
    thread.join()
    http.server_close()


def test_the_documentation_asks_nobody_else_and_finds_what_is_searched(browser, url):
    page = browser.new_page(base_url=url)
    faults = []
    page.on("request", lambda request: request.url.startswith((url, "data:", "blob:")) or faults.append(request.url))
    page.on("pageerror", lambda error: faults.append(str(error)))

    for path in ("/index.html", "/tutorial.html", "/reference/http/intents.html", "/reference/sdk/clients.html"):
        page.goto(path)
    page.click("input.md-search__input", timeout=PATIENCE)
    page.locator("input.md-search__input").press_sequentially("fencing token")  # It listens to keys.
    page.wait_for_selector("a.md-search-result__link", timeout=3 * PATIENCE)  # It reads the whole index first.
    found = " ".join(page.locator("a.md-search-result__link").all_inner_texts())
    page.close()

    assert faults == []
    assert "fencing" in found.lower()
