"""The pages, in a real browser against a real server."""

import os
import shutil
import subprocess
import sys

import pytest
import requests
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PERSON, PASSWORD = "grace", "a-long-password-for-tests"

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs a chromium (Debian: apt-get install chromium)")


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def page(browser: Browser, server):
    """A page that fails the test where it asks anybody but the server, or writes an error to its console."""
    opened = browser.new_page(base_url=server.url)
    faults: list[str] = []
    opened.on("request", lambda request: request.url.startswith((server.url, "data:")) or faults.append(request.url))
    opened.on("console", lambda message: message.type == "error" and faults.append(message.text))
    opened.on("pageerror", lambda error: faults.append(str(error)))
    yield opened
    opened.close()
    assert not faults


@pytest.fixture
def operator(page: Page, server):
    """The page, with a person signed in to the console."""
    command = [sys.executable, "manage.py", "createsuperuser", "--noinput", "--username", PERSON, "--email", "grace@example.com"]
    environment = {**os.environ, "DATABASE_URL": server.database_url, "DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    made = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert made.returncode == 0 or "already taken" in made.stderr, made.stderr
    page.goto("/admin/")
    page.fill("#id_username", PERSON)
    page.fill("#id_password", PASSWORD)
    page.press("#id_password", "Enter")
    page.wait_for_selector("text=API keys")
    return page


def test_the_documentation_shows_every_operation_without_the_internet(page: Page, server):
    described = requests.get(f"{server.url}/openapi.json", timeout=10).json()["paths"]

    page.goto("/docs")
    page.wait_for_selector(".opblock")

    assert page.locator(".opblock").count() == sum(len(operations) for operations in described.values())


def test_an_intent_is_created_from_the_documentation(page: Page, server):
    page.goto("/docs")
    page.click(".btn.authorize")
    page.fill("input[aria-label='auth-api-key-value'], .auth-container input[type=text]", "dev-user-key")
    page.locator(".auth-btn-wrapper .authorize").first.click()
    page.click(".btn-done")
    page.click("#operations-Intents-create_intent .opblock-summary-control")
    page.click("#operations-Intents-create_intent .execute")

    page.wait_for_selector("#operations-Intents-create_intent .live-responses-table .response-col_status >> text=201")


def test_a_key_is_made_in_the_console_shown_once_used_and_revoked(operator: Page, server):
    operator.goto("/admin/access/apikey/add/")
    operator.fill("#id_name", "from the console")
    operator.select_option("#id_role", "agent")
    operator.click("[name=_save]")
    secret = operator.input_value("#new-key")
    headers = {"X-API-Key": secret}
    assert requests.get(f"{server.api}/intents", headers=headers, timeout=10).status_code == 200

    operator.goto("/admin/access/apikey/")
    assert secret not in operator.content()
    operator.check("tr:has-text('from the console') input.action-select")
    operator.select_option("select[name=action]", "revoke")
    operator.click("button[name=index]")
    operator.wait_for_selector("text=Revoked: from the console.")
    assert requests.get(f"{server.api}/intents", headers=headers, timeout=10).status_code == 401


def test_events_can_be_read_and_not_changed_in_the_console(operator: Page, server):
    requests.post(
        f"{server.api}/intents", json={"title": "Seen in the console"}, headers={"X-API-Key": "dev-user-key"}, timeout=10
    )

    operator.goto("/admin/intents/event/")
    operator.click("table tbody a >> nth=0")
    operator.wait_for_selector("text=intent_created")

    assert operator.locator("[name=_save], .deletelink").count() == 0
