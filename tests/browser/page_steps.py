"""Steps on a page before it is looked at: opening, filling in, sending what is refused."""

from playwright.sync_api import Page


def make_key(page: Page) -> None:
    page.fill("#name", "night shift")
    page.click("[name=_save]")
    page.wait_for_selector("#oi-secret")


def connect(page: Page) -> None:
    page.fill("#agent_id", "ada-laptop")
    page.click("[name=_save]")
    page.wait_for_selector("#oi-setting-claude")


def make_link(page: Page) -> None:
    page.click("[name=_save]")
    page.wait_for_selector("#oi-secret")


def refuse_password(page: Page) -> None:
    page.fill("#id_new_password1", "short")
    page.fill("#id_new_password2", "short")
    page.click("form button[type=submit]")
    page.wait_for_selector("text=too short")


def save_view(page: Page) -> None:
    """Save the view, instead of the one that an earlier visit has saved."""
    place = page.url
    if page.locator(".oi-views-list").count():
        page.goto("/admin/views/")
        page.click("button:has-text('Delete')")
        page.wait_for_selector("text=No saved views")
        page.goto(place)
    page.click("#oi-save-view > summary")
    page.fill("#oi-view-name", "Blocked now")
    page.click("text=Save view")
    page.wait_for_selector(".oi-views-list")


def wait_for_news(page: Page) -> None:
    """Use a list until something is new."""
    page.wait_for_selector("#oi-connection[data-state=live]")
    page.locator(".oi-rows .oi-row-title").first.focus()
    new = {"title": "Update the carrier rates"}
    made = page.request.post("/api/v1/intents", data=new, headers={"X-API-Key": "dev-user-key"})
    assert made.ok, made.text()
    page.wait_for_selector("#oi-news:not([hidden])")


def open_account_menu(page: Page) -> None:
    account = page.locator("[x-on\\:click*=openUserLinks]")
    if not account.is_visible():  # On a phone it is within the menu.
        page.locator("[x-on\\:click*=sidebarMobileOpen] >> visible=true").first.click()
    account.click()
    page.wait_for_selector("text=Sign out")


def refuse(page: Page) -> None:
    page.click("[name=_save]")
    page.evaluate("document.querySelector('form.oi-question').noValidate = true")
    page.click("[name=_save]")
    page.wait_for_selector(".oi-field .oi-bad")


def open_branch(page: Page) -> None:
    page.locator(".oi-branch > summary").nth(12).click()
    page.wait_for_selector(".oi-branch[data-loaded=done]")


def create_channel(page: Page) -> None:
    page.fill("#name", "Release bot")
    page.select_option("#kind", "webhook")
    page.fill("#target", "https://hooks.example.com/release")
    page.click("[name=_save]")
    page.wait_for_selector("#oi-secret")


def subscribe(page: Page) -> None:
    page.fill("#callback_url", "https://hooks.example.com/openintent?token=night-shift")
    page.fill("#subscriber_id", "service:night-shift")
    page.click("[name=_save]")
    page.wait_for_selector("#oi-secret")


def ask_for_outcome(page: Page) -> None:
    page.click("text=Record outcome")
    page.wait_for_selector("#note")


def open_first(page: Page, link: str = ".oi-rows .oi-row-title") -> None:
    page.locator(link).first.click()
    page.wait_for_url("**/change/")


def review(page: Page) -> None:
    page.locator(".oi-chip input").first.check()
    page.click("text=Review and confirm")
    page.wait_for_selector("#rationale")


def sign_in_wrongly(page: Page) -> None:
    page.fill("[name=username]", "ines")
    page.fill("[name=password]", "wrong")
    page.click("#login-form button[type=submit]")
    page.wait_for_selector("text=Incorrect username or password.")


def search(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.keyboard.type("pric")
    page.wait_for_selector("#oi-palette .oi-found-name >> text=Intents")
