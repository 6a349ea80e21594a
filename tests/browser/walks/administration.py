"""Walks among webhooks, keys, people, channels and saved views."""

from playwright.sync_api import expect

from tests.browser.keyboard import Keyboard
from tests.browser.walks.table import ENDPOINT, PASSWORD, World, walk


@walk(
    "subscriptions_subscription_add",
    "subscriptions_subscription_edit",
    "subscriptions_subscription_rotate",
    *(
        f"subscriptions_subscription_changelist {name}"
        for name in ("send_test", "pause", "resume", "disable", "activate", "send_dead", "remove")
    ),
    "subscriptions_delivery_changelist send_again",
)
def webhooks(k: Keyboard, world: World) -> None:
    k.open("/admin/subscriptions/subscription/", is_live=True)
    k.skip()
    k.go("Create webhook")
    k.page.keyboard.type(ENDPOINT)
    k.type("Subscriber", "walker")
    k.act("Create webhook")
    assert k.focus()["name"] == "Copy"
    [made] = [each for each in world.operator.list_subscriptions() if each.subscriber_id == "walker"]
    page = f"/admin/subscriptions/subscription/{made.id}/change/"
    k.open(page, is_live=True)
    k.skip()
    k.go("Change")
    k.type("Event types", "comment")
    k.act("Save")
    k.said("The webhook was changed.")
    k.go("Rotate secret")
    k.act("Rotate")
    assert k.focus()["name"] == "Copy"
    k.open(page, is_live=True)
    k.skip()
    for button, word, asks in (
        ("Send a test", "A test is on its way", False),
        ("Pause", "Paused: ", True),
        ("Resume", "Resumed: ", False),
        ("Disable", "Disabled: ", True),
        ("Enable", "Enabled: ", False),
        ("Resend all failed", "Resending failed deliveries: ", False),
        ("Disable", "Disabled: ", True),
        ("Enable", "Enabled: ", False),
    ):
        k.act(button)
        if asks:
            k.act(button)
        k.said(word)
    k.act("Resend subscription_tested")
    k.said("Queued: ")
    k.act("Remove")
    k.act("Remove")
    k.said("Removed: ")
    assert "walker" not in [each.subscriber_id for each in world.operator.list_subscriptions()]


@walk(
    "access_apikey_add",
    "access_apikey_connect",
    "access_apikey_rotate",
    "access_apikey_changelist revoke",
    "button data-copy",
)
def keys(k: Keyboard, world: World) -> None:
    k.open("/admin/access/apikey/", is_live=True)
    k.skip()
    k.go("Create API key")
    k.page.keyboard.type("Walked with")
    k.act("Create")
    assert k.focus()["name"] == "Copy"
    k.press("Enter")
    expect(k.page.get_by_text("Copied.")).to_be_visible()
    k.open("/admin/access/apikey/connect/")
    k.page.keyboard.type("walker-laptop")
    k.act("Create key")
    k.push("Copy the setting of")
    [made] = [each for each in world.operator.list_keys() if each.name == "Walked with"]
    page = f"/admin/access/apikey/{made.id}/change/"
    k.open(page, is_live=True)
    k.skip()
    k.go("Rotate")
    k.act("Create new key")
    assert k.focus()["name"] == "Copy"
    [rotated] = [each for each in world.operator.list_keys() if each.name == "Walked with" and each.id != made.id]
    k.open(f"/admin/access/apikey/{rotated.id}/change/", is_live=True)
    k.skip()
    k.act("Revoke")
    k.act("Revoke")
    k.said("Revoked: ")


def sign_in_and_out(k: Keyboard, link: str) -> None:
    k.open(link)
    k.type("New password", PASSWORD)
    k.type("Confirm new password", PASSWORD)
    k.act("Set password and sign in")
    k.said("Password set. You are signed in.")
    k.open("/admin/password_change/")
    k.type("Current password", PASSWORD)
    k.type("New password", f"{PASSWORD} 2")
    k.type("Confirm new password", f"{PASSWORD} 2")
    k.act("Change")
    k.said("Password changed.")
    k.open("/admin/")
    k.open_menu("W walker")
    k.tab_to("Sign out")
    with k.page.expect_navigation():
        k.press("Enter")
    k.open("/admin/login/")
    k.act("Print a new link to the terminal")
    k.said("A new sign-in link is in the server's terminal.")
    k.open("/admin/login/")
    k.type("Username", "walker")
    k.type("Password", f"{PASSWORD} 2")
    with k.page.expect_navigation():
        k.press("Enter")
    assert k.page.title().startswith("Home") or "/admin/" in k.page.url


@walk(
    "auth_user_add",
    "auth_user_link",
    "console_choose_password",
    "password_change",
    "logout",
    "login",
    "console_print_sign_in_link",
    *(
        f"auth_user_changelist {name}"
        for name in ("make_viewer", "make_arbiter", "make_operator", "sign_out", "switch_off", "switch_on")
    ),
)
def people(k: Keyboard, world: World) -> None:
    k.open("/admin/auth/user/", is_live=True)
    k.skip()
    k.go("Add person")
    k.page.keyboard.type("walker")
    k.act("Add person")
    assert k.focus()["name"] == "Copy"
    k.open("/admin/auth/user/?q=walker", is_live=True)
    k.skip()
    k.go("walker")
    page = k.page.url
    k.go("Create password link")
    k.act("Create link")
    link = k.page.input_value("#oi-secret")

    k.elsewhere(world.new_page(), lambda: sign_in_and_out(k, link))
    k.open(page, is_live=True)
    k.skip()
    for button, word in (
        ("Set role to arbiter", "Role set to arbiter: walker"),
        ("Set role to operator", "Role set to operator: walker"),
        ("Set role to viewer", "Role set to viewer: walker"),
        ("Sign out everywhere", "Signed out: walker"),
        ("Deactivate", "Deactivated: walker"),
        ("Reactivate", "Reactivated: walker"),
    ):
        k.act(button)
        if button != "Reactivate":
            k.act(button)
        k.said(word)


@walk(
    "notices_channel_add",
    "notices_channel_edit",
    *(f"notices_channel_changelist {name}" for name in ("test", "disable", "enable", "remove")),
    "notices_notice_changelist resend",
)
def channels(k: Keyboard, world: World) -> None:
    k.open("/admin/notices/channel/", is_live=True)
    k.skip()
    k.go("Create channel")
    k.page.keyboard.type("Walkers")
    k.choose("Kind", "Webhook")
    k.type("Target", ENDPOINT)
    k.act("Create")
    [made] = [each for each in world.operator.list_channels() if each.name == "Walkers"]
    page = f"/admin/notices/channel/{made.id}/change/"
    k.open(page, is_live=True)
    k.skip()
    k.go("Change")
    k.type("Minutes between digests", "5")
    k.act("Save")
    for button, word, asks in (("Send a test", "test", False), ("Disable", "Disabled: ", True), ("Enable", "Enabled: ", False)):
        k.act(button)
        if asks:
            k.act(button)
        k.said(word)
    k.act("Resend")
    k.act("Remove")
    k.act("Remove")
    k.said("Removed: ")
    assert "Walkers" not in [each.name for each in world.operator.list_channels()]


@walk(
    "console_my_notices",
    *(f"console_my_channel {name}" for name in ("test", "disable", "enable")),
    "button data-notify",
)
def my_notices(k: Keyboard, world: World) -> None:
    assert world.acts
    k.open("/admin/my-notices/")
    k.skip()
    k.type("E-mail address", "walker@example.com")
    k.act("Save")
    k.said("Your address was saved.")
    k.push("Turn on notifications")
    expect(k.page.locator("[data-notify]")).to_have_text("Turn off notifications")
    for button in ("Send a test by Night shift", "Disable Night shift", "Enable Night shift"):
        k.act(button)
    [mine] = [each for each in world.operator.list_channels() if each.name == "Night shift"]
    assert mine.status == "active"


@walk(
    "console_saved_views",
    *(f"console_saved_view {name}" for name in ("rename", "default", "no_default", "delete")),
)
def saved_views(k: Keyboard, world: World) -> None:
    k.open("/admin/intents/intent/?status__exact=blocked", is_live=True)
    k.skip()
    k.push("Save this view")
    k.type("Name", "Walked")
    k.act("Save view")
    k.go("Manage views")
    k.skip()
    k.act("Make default Walked")
    k.act("Remove default Walked")
    k.push("Rename", row="Walked")
    k.type("Name", "Walked on", row="Walked")
    k.act("Rename", row="Walked")
    k.act("Delete Walked on")
    expect(k.page.locator(".oi-row-title", has_text="Walked on")).to_have_count(0)
