"""Walks that find, narrow, compare and export."""

from playwright.sync_api import expect

from tests.browser.keyboard import Keyboard
from tests.browser.walks.table import World, walk


@walk(
    *(f"key {key}" for key in ("/", "Control+k", "?", "u", "Enter")),
    *(f"button {name}" for name in ("data-search-open", "data-search-close", "data-opens", "oi-news")),
)
def every_page(k: Keyboard, world: World) -> None:
    found = world.intent("Walked to by a search")
    k.open("/admin/intents/intent/", is_live=True)
    for key in ("/", "Control+k"):
        k.press(key)
        assert k.focus()["name"] == "Search everything"
        k.press("Escape")
        expect(k.page.locator("#oi-palette")).to_be_hidden()
    k.push("Search")
    k.push("Close")
    k.press("/")
    k.page.keyboard.type("walked to by")
    k.page.wait_for_selector("#oi-palette [role=option]:has-text('Walked to by a search')")
    with k.page.expect_navigation(url=f"**/{found.id}/change/"):
        k.press("Enter")
    k.skip()
    k.press("?")
    expect(k.page.locator("dialog h2")).to_have_text("Keyboard shortcuts")
    k.push("Close")
    k.open_menu("O operator")
    k.push("Keyboard shortcuts")
    k.press("Escape")
    expect(k.page.locator("dialog.oi-sheet")).to_have_count(0)
    world.ask("There before?", options=["Yes"])
    k.open("/admin/governance/arbitration/", is_live=True)
    k.press("j", "x")
    for key in ("u", "Enter"):
        title = f"Asked while walking to {key}?"
        world.ask(title, options=["Yes"])
        k.page.wait_for_selector("#oi-news:not([hidden])")
        if key == "Enter":
            k.tab_to("1 new", back=True)
        k.press(key)
        expect(k.page.locator(".oi-row-title", has_text=title)).to_be_visible()
        assert k.focus(), "the focus is nowhere"


@walk(
    "get intents_intent_changelist",
    "get console_agents",
    "get intents_event_changelist",
    "get intents_intent_change",
    "get intents_intent_compare",
    "get intents_intent_graph",
    "get intents_intent_timeline",
    "get console_costs",
    "get console_audit",
    "link console_costs_export",
    "link console_audit_csv",
    "link console_audit_jsonl",
    "button data-collapse",
    "button data-zoom",
)
def looking(k: Keyboard, world: World) -> None:
    root = world.intent("Walked around")
    for number in range(2):
        world.intent(f"Walked around {number}", parent_intent_id=root.id)
    world.operator.update_state(root.id, root.version, {"step": 1})
    of = f"/admin/intents/intent/{root.id}"
    for path, name, text, button in (
        ("/admin/intents/intent/", "Search by words", "walked around", "Search"),
        ("/admin/agents/", "Search by agent ID", "ada", "Search"),
        ("/admin/intents/event/", "Actor", "ada", "Filter"),
        (f"{of}/change/", "Actor", "ada", "Filter"),
        (f"{of}/compare/", "From version", "1", "Compare"),
        (f"{of}/graph/?view=tree", "Search this tree", "around 1", "Search"),
        ("/admin/costs/overview/", "Agent", "ada", "Apply"),
        ("/admin/audit/", "Person", "operator", "Apply"),
    ):
        k.open(path)
        k.skip()
        k.type(name, text)
        k.act(button)
        assert "=" in k.page.url, path
    for path, link in (("costs/overview", "Export CSV"), ("audit", "Export CSV"), ("audit", "Export JSON lines")):
        k.open(f"/admin/{path}/")
        k.skip()
        k.tab_to(link)
        with k.page.expect_download():
            k.press("Enter")
        assert k.focus()["name"] == link
    k.open(f"{of}/timeline/", is_live=True)
    k.skip()
    for button in ("Zoom in", "Zoom out", "Show"):
        k.act(button)
        assert k.focus()["name"] == button
    k.open(f"{of}/graph/?view=tree&open=all", is_live=True)
    k.skip()
    k.push("Collapse all")
    k.open(f"{of}/graph/?view=drawing", is_live=True)
    k.page.wait_for_selector("#oi-graph[data-drawn]")
    k.skip()
    for button in ("Zoom in", "Zoom out", "Fit to screen"):
        k.push(button)


@walk()
def sorted_lists(k: Keyboard, world: World) -> None:
    world.ada.create_intent("Walked around in order")
    for path, heading, order in (
        ("/admin/intents/intent/?q=walked+around", "Title", "ordering=title"),
        ("/admin/agents/?q=ada", "Open intents", "ordering=-open"),
    ):
        k.open(path, is_live=True)
        k.skip()
        k.tab_to(heading)
        with k.page.expect_navigation(url=f"**{order}**"):
            k.press("Enter")
        assert "q=" in k.page.url, path
        expect(k.page.locator("th[aria-sort]")).to_have_text(heading)


@walk()
def range_of_the_log(k: Keyboard, world: World) -> None:
    world.intent("Walked around yesterday")
    k.open("/admin/intents/event/", is_live=True)
    k.skip()
    k.type("Intent", "walked yesterday")
    k.tab_to("From")
    k.page.keyboard.type("01012020")
    k.press("Tab")  # From the year, of up to six digits, to the hour.
    k.page.keyboard.type("000000AM")
    k.act("Filter")
    assert "from=2020-01-01T00%3A00" in k.page.url, k.page.url
    expect(k.page.locator("#oi-panels")).to_contain_text("Only events of Walked around yesterday")
    expect(k.page.locator(".oi-event-type").first).to_have_text("intent_created")
