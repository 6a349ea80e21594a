"""A browser's own EventSource follows a stream with a token, across origins (case 50)."""

import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests

from tests.browser.conftest import PATIENCE
from tests.databases import migrated_database
from tests.servers import Server

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql")]


HEADERS = {"X-API-Key": "dev-user-key"}
FOLLOW = """url => {
    window.heard = [];
    window.source = new EventSource(url);
    for (const type of ["connected", "comment"]) source.addEventListener(type, event => heard.push(type));
}"""


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>A page of somebody's application</title>")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def application():
    """The origin of another server's page, on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Page) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()


@pytest.mark.case("streams 50")
@pytest.mark.rule("S-1", "S-3")
def test_a_page_of_another_origin_follows_with_a_token(browser, application, vendor, tmp_path):
    with Server(migrated_database(vendor, tmp_path), OPENINTENT_CORS_ORIGINS=application) as server:
        post = partial(requests.post, headers=HEADERS, timeout=10)
        intent = post(f"{server.api}/intents", json={"title": "Watched"}).json()
        made = post(f"{server.api}/stream-tokens", json={"intent_id": intent["id"]}).json()
        comment = partial(post, f"{server.api}/intents/{intent['id']}/events", json={"event_type": "comment"})
        context = browser.new_context()
        page = context.new_page()
        page.goto(application)
        page.evaluate(FOLLOW, f"{server.url}{made['path']}?token={made['token']}")
        page.wait_for_function("heard.length === 1", timeout=PATIENCE)

        comment()
        page.wait_for_function("heard.join() === 'connected,comment'", timeout=PATIENCE)

        assert page.evaluate("fetch(source.url.replace('/subscribe', '')).then(answer => answer.status)") == 401
        context.close()
