"""Walks among intents, leases, portfolios and attachments."""

from playwright.sync_api import expect

from tests.browser.keyboard import Keyboard
from tests.browser.walks.table import World, walk


@walk(
    "intents_intent_add",
    "intents_intent_do status",
    "intents_intent_do comment",
    "intents_intent_do depend",
    "intents_intent_do undepend",
    "intents_intent_do assign",
    "intents_intent_do unassign",
    "intents_intent_do portfolio",
    "intents_intent_do abandon",
)
def intent(k: Keyboard, world: World) -> None:
    first, portfolio = world.intent("Walked on first"), world.operator.create_portfolio("Walks")
    k.open("/admin/intents/intent/", is_live=True)
    k.skip()
    k.go("New intent")
    assert k.focus()["name"] == "Title"
    k.page.keyboard.type("Walk the dog")
    k.act("Create intent")
    k.said("The intent was created.")
    pk = k.page.url.split("/")[-3]
    page = f"/admin/intents/intent/{pk}/change/"
    k.go("New child")
    k.page.keyboard.type("Hold the leash")
    k.act("Create intent")
    assert [each.title for each in world.operator.get_children(pk)] == ["Hold the leash"]
    k.open(page, is_live=True)
    k.skip()
    k.act("Add existing")
    k.type("Depends on", first.id)
    k.act("Add")
    k.said("Dependency added.")
    k.act("Remove", row="Walked on first")
    k.act("Remove")
    k.said("Dependency removed.")
    k.act("Assign")
    k.type("Agent", "rex")
    k.act("Assign")
    k.said("Assigned rex")
    k.act("Unassign rex")
    k.act("Unassign")
    k.said("Unassigned rex")
    k.act("Add to portfolio")
    k.type("Portfolio", portfolio.id)
    k.act("Add")
    k.said("added to the portfolio")
    k.type("Comment", "A **good** dog")
    k.act("Comment")
    k.said("The comment was added.")
    k.act("Set to active")
    k.act("Set to active")
    k.said("Status set to active.")
    k.act("Abandon")
    k.type("Reason", "The dog sleeps")  # A gate asks for one.
    k.pick("Also abandon 1 open descendant")
    k.act("Abandon")
    k.said("Abandoned")
    found = world.operator.get_intent(pk)
    assert (found.status, found.depends_on, found.agents) == ("abandoned", [], [])
    logged = [each.event_type for each in world.operator.get_events(pk)]
    assert {"comment", "added_to_portfolio", "dependency_added", "agent_unassigned"} <= {*logged}


@walk("intents_intent_do revoke", "leasing_lease_changelist revoke")
def leases(k: Keyboard, world: World) -> None:
    held = world.ada.create_intent("Walked under leases")
    for scope in ("north", "south"):
        world.ada.acquire_lease(held.id, scope)
    k.open(f"/admin/intents/intent/{held.id}/change/", is_live=True)
    k.skip()
    k.pick("Select north")
    k.act("Revoke selected")
    k.act("Revoke")
    k.said("Revoked: north")
    k.open("/admin/leasing/lease/?q=south", is_live=True)
    k.skip()
    k.pick("Select: south")
    k.act("Revoke selected")
    k.act("Revoke")
    k.said("Revoked: south")
    assert world.operator.list_leases(agent_id="ada") == []


@walk(
    "portfolios_portfolio_add",
    "portfolios_portfolio_edit",
    "portfolios_portfolio_add_member",
    "portfolios_portfolio_remove_member",
    "portfolios_portfolio_changelist complete",
    "portfolios_portfolio_changelist abandon",
)
def portfolios(k: Keyboard, world: World) -> None:
    member = world.intent("Walked with others")
    for end in ("Complete", "Abandon"):
        k.open("/admin/portfolios/portfolio/", is_live=True)
        k.skip()
        k.go("New portfolio")
        k.page.keyboard.type(f"To {end.lower()}")
        k.act("Create portfolio")
        k.said("The portfolio was created.")
        if end == "Complete":
            k.go("Change")
            k.type("Description", "Walked", row="")
            k.act("Save")
            k.said("The portfolio was changed.")
            k.go("Add member")
            k.page.keyboard.type(member.id)
            k.act("Add member")
            k.said("The member was added.")
            k.act("Remove Walked with others")
            k.act("Remove")
            k.said("The member was removed.")
        k.act(end)
        k.act(end)
        k.said(f"{end.removesuffix('e')}ed: ")
    assert {"completed", "abandoned"} <= {each.status for each in world.operator.list_portfolios()}


@walk("attachments_attachment_changelist remove", "link attachments_attachment_content", "button data-copy")
def attachments(k: Keyboard, world: World) -> None:
    of = world.intent("Walked with a file")
    file = world.ada.add_attachment(of.id, "walk.txt", "text/plain", content=b"One, two")
    k.open(f"/admin/attachments/attachment/{file.id}/change/", is_live=True)
    k.skip()
    k.tab_to("Download")
    with k.page.expect_download() as download:
        k.press("Enter")
    assert download.value.suggested_filename == "walk.txt"
    k.push("Copy")
    expect(k.page.get_by_text("Copied.")).to_be_visible()
    k.open("/admin/attachments/attachment/?q=walk.txt", is_live=True)
    k.skip()
    k.pick("Select: walk.txt")
    k.act("Remove selected")
    k.act("Remove")
    k.said("Removed: ")
    assert world.operator.get_attachments(of.id) == []
