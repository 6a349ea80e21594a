"""Users in the browser: an operator adds a person, who sets a password by the link, and is deactivated."""

import pytest
from playwright.sync_api import Page, Route, expect

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql")]


LIVE = "#oi-connection[data-state=live]"
PASSWORD = "correct horse battery"
FRAMES = 5


def test_an_operator_lets_somebody_in_by_a_link_and_throws_him_out(open_page):
    operator: Page = open_page("operator")
    operator.goto("/admin/auth/user/")
    operator.click("text=Add person")
    operator.fill("[name=name]", "nina")
    operator.click("[name=_save]")
    link = operator.input_value("#oi-secret")

    nina: Page = open_page()
    nina.goto(link)
    assert "token" not in nina.url
    expect(nina.locator("#id_new_password1")).to_be_focused()
    nina.fill("#id_new_password1", PASSWORD)
    nina.fill("#id_new_password2", PASSWORD)
    nina.click("text=Set password and sign in")
    nina.wait_for_selector("text=Password set. You are signed in.")
    nina.wait_for_selector(LIVE)
    expect(nina.locator("nav a:has-text('API keys')")).to_have_count(1)
    expect(nina.locator("nav a:has-text('People')")).to_have_count(0)
    nina.goto("/admin/access/apikey/")
    expect(nina.locator("text=Create API key")).to_have_count(0)
    nina.wait_for_selector(LIVE)

    operator.click("text=Back to people")
    operator.click(".oi-row-title:text('nina')")
    expect(operator.locator(".oi-facts")).to_contain_text("Active sessions")
    operator.click("button:text('Deactivate')")
    operator.click("button:text('Deactivate')")
    operator.wait_for_selector("text=Deactivated: nina")

    expect(nina.locator("#oi-connection")).to_contain_text("You are signed out.")
    nina.click("#oi-connection a")
    nina.fill("#id_username", "nina")
    nina.fill("#id_password", PASSWORD)
    nina.click("button:text('Sign in')")
    nina.wait_for_selector("text=Incorrect username or password")


def test_sign_in_page_has_the_focus_also_where_its_scripts_come_late(open_page):
    """Until the theme's script has run, the page is hidden: a browser gives nothing hidden the focus, and does not try again."""
    page: Page = open_page()
    held: list[Route] = []
    page.goto("/admin/login/")
    page.route("**/alpine.js", lambda route: held.append(route))

    with page.expect_request("**/alpine.js"), page.expect_navigation(wait_until="commit"):
        page.click("text=Print a new link to the terminal", no_wait_after=True)
    page.wait_for_selector(".oi-messages", state="attached")
    for _ in range(FRAMES):
        page.evaluate("new Promise(requestAnimationFrame)")
    assert page.evaluate("document.activeElement === document.body")
    for each in held:
        each.continue_()

    expect(page.locator(".oi-messages")).to_be_focused()
