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
from access.roles import grant_role

person, is_new = User.objects.get_or_create(username={role!r})
grant_role(person, {role!r})
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
def faults() -> list[str]:
    """Return a list that collects requests to other hosts, and errors in the console of the browser."""
    return []


@pytest.fixture(scope="package")
def windows(browser: Browser, server, faults):
    """Return `windows(role)`: the browser context of a person of that role, with one cache for all tests."""
    contexts: dict[str, BrowserContext] = {}

    def of(role: str) -> BrowserContext:
        if role not in contexts:
            contexts[role] = signed_in(browser, server, known_session(server.database_url, role), faults)
        return contexts[role]

    yield of
    for context in contexts.values():
        context.close()


@pytest.fixture
def open_page(browser: Browser, server, windows, faults):
    """`open_page("viewer", …)`: a page of a person of that role, if any; or of one of that session, in a browser of its own.

    The test fails where there were faults, unless it takes them from `open_page.faults`.
    """
    known, own, taken = [], [], []

    def opened(
        role: str | None = None,
        *,
        session: str | None = None,
        viewport: ViewportSize = DESK,
        color_scheme: Literal["light", "dark"] = "light",
    ) -> Page:
        if role and not session:
            known.append(context := windows(role))
        else:
            own.append(context := signed_in(browser, server, session, faults))
        taken.append(page := next((each for each in context.pages if each not in taken), None) or context.new_page())
        page.set_viewport_size(viewport)
        page.emulate_media(color_scheme=color_scheme, reduced_motion="reduce")
        page.set_default_timeout(PATIENCE)
        return page

    faults.clear()
    opened.faults = faults
    yield opened
    for context in own:
        context.close()
    for context in known:
        tidy(context)
    assert not faults


def signed_in(browser: Browser, server, session: str | None, faults: list[str]) -> BrowserContext:
    """A browser with nothing in it but this session, if any."""
    context = browser.new_context(base_url=server.url)
    if session:
        context.add_cookies([{"name": "openintent-session", "value": session, "url": server.url}])
    context.on("request", lambda request: request.url.startswith((server.url, "data:")) or faults.append(request.url))
    context.on("console", lambda message: message.type == "error" and faults.append(message.text))
    context.on("weberror", lambda error: faults.append(str(error.error)))
    return context


def tidy(context: BrowserContext) -> None:
    """Leave an empty page, and nothing that pages have kept or may do."""
    context.set_offline(False)
    context.clear_permissions()
    for page in context.pages:
        if page.url.startswith("http"):
            page.evaluate("localStorage.clear()")
    for page in context.pages[1:]:
        page.close()
    context.pages[0].goto("about:blank")


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
