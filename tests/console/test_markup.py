"""Text of agents on every page: no tag, attribute or URL comes of it, it is isolated, and its invisible characters are marked."""

import base64
from html.parser import HTMLParser

import pytest
from django.contrib import admin

from core.invisible_characters import name_invisible
from subscriptions.webhooks.delivery_worker import deliver_all_due
from tests.console.routes import ROUTES, fill_route, newest_ids
from tests.subscriptions.webhook_receivers import Receiver

pytestmark = pytest.mark.full


PLAIN = """'"></title></script></textarea></style><xss-tag data-xss onload=alert(1) x-init="alert(1)">{{7*7}}"""
HIDDEN = "\u202e\u200bשלום\u3164"
"""An override, a zero width space and a filler, with a word that is written from right to left."""
TAG = f"{PLAIN}{HIDDEN}"
LINK = "javascript:alert(1)//"
JSON = {TAG: TAG, "link": LINK, "deep": [{TAG: [TAG, LINK]}], "</script>": "<!--<script>"}
AGENT = """<xss-tag data-xss>'"""


@pytest.fixture
def written(api, agent, tmp_path, settings):
    """One of everything that an agent can write, with markup wherever it can stand."""
    backend = {"BACKEND": "attachments.storage.FolderStorage", "OPTIONS": {"location": tmp_path}}
    settings.STORAGES = {**settings.STORAGES, "attachments": backend}
    them = agent(AGENT)

    def post(path, body, caller=them, **more):
        answer = caller.post(path, body, **more)
        assert answer.status_code in (200, 201), (path, answer.content)
        return answer.json()

    intent = post("/intents", {"title": TAG, "description": TAG, "constraints": JSON, "state": JSON, "assign": [AGENT]}, api)
    other = post("/intents", {"title": LINK, "depends_on": [intent["id"]], "state": JSON}, api)
    path = f"/intents/{intent['id']}"
    answer = them.post(f"{path}/state", {"state": {TAG: LINK, "more": JSON}}, version=intent["version"])
    assert answer.status_code == 200, answer.content
    post(f"{path}/leases", {"scope": TAG[-150:]})
    post("/channels", {"name": TAG[-100:], "kind": "slack", "target": "https://hooks.example.com/a"}, api)
    post(f"{path}/events", {"event_type": "comment", "payload": {"text": TAG, **JSON}})
    options = [{"label": PLAIN, "rationale": TAG}, LINK]
    for blocking in (False, True):
        asked = post(f"{path}/arbitrate", {"reason": TAG, "context": JSON, "options": options, "blocking": blocking}, them)
    write_acts(post, path, api, them)
    evidence = [{"source": LINK, "summary": TAG}, {"source": TAG}]
    post(f"{path}/decisions", {"arbitration_id": asked["id"], "decision": PLAIN, "rationale": TAG, "evidence": evidence}, api)
    post(
        "/delegations",
        {"delegate": AGENT, "scope": {"actions": [TAG[-100:]], "intents": [intent["id"]]}, "constraints": JSON},
        api,
    )
    write_files(post, path)
    post(
        f"{path}/costs",
        {"cost_type": TAG[-80:], "amount": 1, "unit": "USD", "provider": TAG[-80:], "model": TAG[-80:], "metadata": JSON},
    )
    post(f"{path}/failures", {"error_type": TAG[-80:], "error_message": TAG, "metadata": JSON})
    policy = {"shared_constraints": {**JSON, TAG: TAG}}
    portfolio = post("/portfolios", {"name": TAG, "description": TAG, "governance_policy": policy, "metadata": JSON}, api)
    post(f"/portfolios/{portfolio['id']}/intents", {"intent_id": intent["id"]}, api)
    post("/keys", {"name": AGENT, "role": "agent", "agent_id": AGENT + "2"}, api)
    with Receiver() as receiver:
        receiver.will_answer(503, text=f"<script>{TAG}</script>")
        post(
            f"{path}/subscriptions",
            {"subscriber_id": AGENT, "callback_url": f"{receiver.url}?<xss-tag>={LINK}", "event_types": ["comment"]},
        )
        post(f"{path}/events", {"event_type": "comment", "payload": JSON})
        deliver_all_due()
    return [intent, other]


def write_files(post, path):
    for content_type, name in (("text/html", TAG), ("image/svg+xml", LINK), ("text/plain", TAG)):
        content = base64.b64encode(f"<script>{TAG}</script>".encode()).decode()
        file = {"filename": name, "content_type": content_type, "content_base64": content, "description": TAG, "metadata": JSON}
        post(f"{path}/attachments", file)
    post(f"{path}/attachments", {"filename": TAG, "size": 1, "storage_url": "https://example.com/a?<b>"})


def write_acts(post, path, api, them):
    """An act with its permit, a gate, and a question that was sent back."""
    act = {"verb": TAG[-100:], "target": TAG, "params": JSON, "effect_key": TAG}
    permitted = post(f"{path}/arbitrate", {"reason": TAG, "action": act}, them)
    post(f"{path}/decisions", {"arbitration_id": permitted["id"], "decision": "approve", "rationale": TAG}, api)
    post("/gates", {"verb": TAG[-100:], "when": JSON}, api)
    sent_back = post(f"{path}/arbitrate", {"reason": TAG}, them)
    post(f"/arbitrations/{sent_back['id']}/request-information", {"question": TAG}, api)
    post(f"/arbitrations/{sent_back['id']}/information", {"answer": TAG})


class Page(HTMLParser):
    """Finds markup that came from the text of agents, its invisible characters, and what of it is not isolated."""

    VOID = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "path", "rect"}

    def __init__(self, text):
        super().__init__()
        self.found, self.unmarked, self.loose, self.around = [], [], [], []
        self.feed(text)

    def handle_data(self, data):
        inside = {tag for tag, _ in self.around}
        if "textarea" in inside:
            return
        if name_invisible(data) != data:
            self.unmarked.append((self.around[-3:], data[:80]))
        is_text = inside & {"title", "option", "script"}
        if "שלום" in data and not is_text and not any(tag in ("bdi", "pre") or "dir" in given for tag, given in self.around):
            self.loose.append((self.around[-3:], data[:80]))

    def handle_endtag(self, tag):
        while tag in [name for name, _ in self.around] and self.around.pop()[0] != tag:
            pass

    def handle_starttag(self, tag, attributes):
        if tag not in self.VOID:
            self.around.append((tag, dict(attributes)))
        self.unmarked += [
            (tag, name, value[:80]) for name, value in attributes if value and name != "value" and name_invisible(value) != value
        ]
        for name, value in attributes:
            leads_away = name in ("href", "src", "action", "formaction", "data", "xlink:href") and (
                value or ""
            ).strip().lower().startswith(("javascript:", "data:text"))
            is_code = name.startswith(("on", "x-", "@", ":", "hx-")) and "alert(1)" in (value or "")
            if tag == "xss-tag" or name == "data-xss" or leads_away or is_code:
                self.found.append((tag, name, value))


@pytest.mark.case("security markup")
@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_agent_text_is_escaped_on_every_page(person, written, role):
    reader, shown, seen = person(role).client, 0, ""
    there = newest_ids()
    assert len(there) == len(admin.site._registry)

    for url in [url for route in ROUTES if "logout" not in route and "follow" not in route for url in fill_route(route, there)]:
        answer = reader.get(url, {"state": "all"} if url.endswith(("arbitration/", "lease/", "delegation/")) else None)
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            page = Page(answer.text)
            assert not page.found, (url, page.found[:3])
            assert not page.unmarked, (url, page.unmarked[:3])
            assert not page.loose, (url, page.loose[:3])
            shown, seen = shown + 1, seen + answer.text * (answer.status_code == 200)

    assert shown > 50
    assert seen.count("&lt;xss-tag") > 100
    assert seen.count('<span class="oi-invisible"') > 50
