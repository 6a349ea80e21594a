"""A real browser, and people who are signed in to the console of a real server."""

import os
import shutil
from functools import cache

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.processes import run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE = 20_000  # Milliseconds.

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


@pytest.fixture
def open_page(browser: Browser, server):
    """`open_page("viewer", …)`: a page of its own, with a person of that role signed in, if any; options are Playwright's.

    The test fails where it asks anybody but the server, or writes an error to its console.
    """
    contexts, faults = [], []

    def opened(role: str | None = None, *, session: str | None = None, **options) -> Page:
        context = browser.new_context(base_url=server.url, **options)
        contexts.append(context)
        if role:
            context.add_cookies(
                [{"name": "openintent-session", "value": session or known_session(server.database_url, role), "url": server.url}]
            )
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("request", lambda request: request.url.startswith((server.url, "data:")) or faults.append(request.url))
        page.on("console", lambda message: message.type == "error" and faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        return page

    opened.faults = faults
    yield opened
    for context in contexts:
        context.close()
    assert not faults


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
