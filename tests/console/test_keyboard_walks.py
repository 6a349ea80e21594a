"""Every act of the console has a walk by the keyboard alone (tests/browser/test_keyboard.py takes them)."""

import re
from pathlib import Path
from uuid import uuid4

import pytest
from django.contrib import admin

from console.intents.actions import ACTIONS
from console.live_admin import LiveAdmin
from tests.browser.walks import WALKS
from tests.console.routes import named_routes

TEMPLATES = Path(__file__).parents[2] / "templates"
SHORTCUTS = Path(__file__).parents[2] / "console" / "static" / "console" / "shortcuts.js"

NO_ACTS = {"index", "console_panels", "app_list", "governance_arbitration_next"}
"""Pages that answer a POST as they answer a GET."""

FORMS = {
    "console/agents/search.html": "console_agents",
    "console/audit/filters.html": "console_audit",
    "console/changelist.html": "intents_intent_changelist",
    "console/costs/filters.html": "console_costs",
    "console/event_log/log.html": "intents_event_changelist",
    "console/intents/compare.html": "intents_intent_compare",
    "console/intents/detail.html": "intents_intent_change",
    "console/intents/graph_page.html": "intents_intent_graph",
    "console/intents/timeline.html": "intents_intent_timeline",
}
"""Templates with a form that searches or filters, by a page that has it."""

KEYS = {
    "/ or Ctrl K": ["/", "Control+k"],
    "j and k": ["j", "k"],
    "1 to 9": ["1"],
    "Ctrl Enter": ["Control+Enter"],
    "Esc": ["Escape"],
}
"""Keys of the list of shortcuts that are pressed under other names."""


def posted(operator):
    """Return the names of the addresses that take a POST, but for those of actions."""
    found = set()
    for name, route in named_routes():
        path = re.sub(r"<int:\w+>", "9", re.sub(r"<uuid:\w+>", str(uuid4()), route))
        is_page = route.startswith("admin/") and name and "(?P<" not in route
        if is_page and not name.endswith("_changelist") and name not in (*NO_ACTS, "intents_intent_do"):
            operator.client.force_login(operator.user)
            if operator.client.post("/" + re.sub(r"<[^>]+>", "zzz", path)).status_code not in (403, 405):
                found.add(name)
    return found


def actions():
    """Return the actions of lists, and those of an intent's page."""
    listed = {
        f"{model._meta.app_label}_{model._meta.model_name}_changelist {name}"
        for model, registered in admin.site._registry.items()
        if isinstance(registered, LiveAdmin)
        for name in registered.actions or ()
    }
    return listed | {f"intents_intent_do {name}" for name in ACTIONS}


def tags(pattern):
    return [
        (str(file.relative_to(TEMPLATES)), found)
        for file in sorted(TEMPLATES.rglob("*.html"))
        for found in re.findall(pattern, file.read_text())
    ]


def buttons():
    """Return the buttons that send no form, by their id or their `data-` attribute."""
    for _, button in tags(r'<button type="button"[^>]*'):
        named = re.search(r' id="([\w-]+)"', button) or re.search(r" (data-[\w-]+)", button)
        assert named, button
        yield f"button {named[1]}"


def parts():
    """Return what one form does by several buttons: `name="do"`."""
    pages = {"console/notices/mine.html": "console_my_channel", "console/saved_views/list.html": "console_saved_view"}
    for file, given in tags(r'name="do" value="([^"]+)"'):
        for value in re.findall(r"\w+", re.sub(r"{%.*?%}", " ", given)):
            yield f"{pages[file]} {value}"


def downloads():
    return {
        f"link {name}" for name, route in named_routes() if route.startswith("admin/") and re.search("export|content/", route)
    }


def shortcuts():
    for keys in re.findall(r'^    \["([^"]+)", ', SHORTCUTS.read_text(), re.MULTILINE):
        yield from (f"key {key}" for key in KEYS.get(keys, [keys]))


def every_act(operator):
    forms = {f"get {FORMS[file]}" for file, _ in tags('<form method="get"')}
    several = {*parts()}
    single = posted(operator) - {each.split()[0] for each in several}
    return single | several | actions() | forms | {*buttons()} | downloads() | {*shortcuts()}


def test_every_act_has_a_walk(person):
    walked = {act for each in WALKS.values() for act in each.acts}
    found = every_act(person("operator"))

    assert found - walked == set(), "acts without a walk"
    assert walked - found == set(), "walks of acts that are none"


@pytest.mark.parametrize(
    "act", ["intents_intent_do portfolio", "access_apikey_add", "console_saved_view rename", "key j", "button oi-across"]
)
def test_an_act_of_each_kind_is_found(person, act):
    assert act in every_act(person("operator"))
