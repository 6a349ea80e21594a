"""A real browser, and people who are signed in to the console of a real server."""

import os
import shutil
from functools import cache
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect, sync_playwright

from tests.processes import run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE = 20_000  # Milliseconds.
DESK: ViewportSize = {"width": 1280, "height": 720}

_SIGN_IN = """
from django.contrib import auth
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest
from access.people import set_role

person, is_new = User.objects.get_or_create(username={role!r})
set_role(person, {role!r})
request = HttpRequest()
request.session = SessionStore()
auth.login(request, person, backend="django.contrib.auth.backends.ModelBackend")
request.session.save()
print(request.session.session_key)
"""


expect.set_options(timeout=PATIENCE)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = pytest.mark.skipif(not CHROMIUM, reason="needs a chromium (Debian: apt-get install chromium)")
    for item in items:
        if item.path.parent.name == "browser":
            item.add_marker(missing)


@pytest.fixture(scope="package")  # While it is open, its event loop runs: no test of another package could begin one.
def browser():
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="package")
def windows(browser: Browser, server):
    """`windows("viewer")`: those of a person of that role, who keeps for all tests what his browser has loaded once."""
    contexts: dict[str, BrowserContext] = {}

    def of(role: str) -> BrowserContext:
        if role not in contexts:
            contexts[role] = signed_in(browser, server, known_session(server.database_url, role))
        return contexts[role]

    yield of
    for context in contexts.values():
        context.close()


@pytest.fixture
def open_page(browser: Browser, server, windows):
    """`open_page("viewer", …)`: a page of a person of that role, if any; or of one of that session, in a browser of its own.

    The test fails where it asks anybody but the server, or writes an error to its console.
    """
    contexts, faults = [], []

    def opened(
        role: str | None = None,
        *,
        session: str | None = None,
        viewport: ViewportSize = DESK,
        color_scheme: Literal["light", "dark"] = "light",
    ) -> Page:
        context = windows(role) if role and not session else signed_in(browser, server, session)
        contexts.append(context)
        page = context.new_page()
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=color_scheme)
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda request: request.url.startswith((server.url, "data:")) or faults.append(request.url))
        page.on("console", lambda message: message.type == "error" and faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        return page

    opened.faults = faults
    yield opened
    for context in contexts:
        leave(context)
    assert not faults


def signed_in(browser: Browser, server, session: str | None) -> BrowserContext:
    """A browser with nothing in it but this session, if any."""
    context = browser.new_context(base_url=server.url)
    if session:
        context.add_cookies([{"name": "openintent-session", "value": session, "url": server.url}])
    return context


def leave(context: BrowserContext) -> None:
    """Close its pages, and forget what they have kept and may do."""
    context.set_offline(False)
    context.clear_permissions()
    for page in context.pages:
        if page.url.startswith("http"):
            page.evaluate("localStorage.clear()")
        page.close()


@pytest.fixture
def page(open_page) -> Page:
    return open_page()


@pytest.fixture
def operator(open_page) -> Page:
    """A page with an operator signed in."""
    return open_page("operator")


def new_session(database_url: str, role: str) -> str:
    """Sign in a person of that role. Answers the session's key."""
    environment = {**os.environ, "DATABASE_URL": database_url}
    done = run("config.manage", ["shell", "--no-imports", "-c", _SIGN_IN.format(role=role)], environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


known_session = cache(new_session)
