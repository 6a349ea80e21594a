"""Text of agents in a browser: links that work and tell the truth, folding, keyboard, phone; no script of an agent runs."""

import re
from base64 import b64encode

import pytest
import requests
from playwright.sync_api import expect

from tests.console.test_agent_text import XSS

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql")]

REASON = """Merge the fix for `eu-west`?

See [the change](https://example.com/pr/1) and https://example.com/pr/2.

```diff
--- a/prices.py
+++ b/prices.py
@@ -1 +1 @@
-return 1
+return 2
```"""


@pytest.fixture
def asked(server):
    """`asked(reason, …)`: the path of a question's page, whose intent has a file."""

    def post(path, body):
        made = requests.post(f"{server.api}{path}", json=body, headers={"X-API-Key": "dev-user-key"}, timeout=20)
        assert made.status_code == 201, made.text
        return made.json()

    def ask(reason, **fields):
        intent = post("/intents", {"title": "Repair the prices"})
        file = {"filename": "prices.patch", "content_type": "text/plain", "content_base64": b64encode(b"--- a\n").decode()}
        post(f"/intents/{intent['id']}/attachments", file)
        made = post(f"/intents/{intent['id']}/arbitrate", {"reason": reason, **fields})
        return f"/admin/governance/arbitration/{made['id']}/change/"

    return ask


def test_links_say_where_they_lead_and_open_beside_the_page(open_page, asked):
    page = open_page("arbiter")
    page.goto(asked(REASON, options=[{"label": "Yes", "rationale": "As [agreed](https://example.com/why)"}, {"label": "No"}]))

    expect(page.locator("h2.oi-ask-title")).to_have_text("Merge the fix for eu-west?")
    link = page.get_by_role("link", name="the change (example.com)")
    expect(link).to_have_attribute("href", "https://example.com/pr/1")
    page.context.route("https://example.com/**", lambda route: route.fulfill(body="there", content_type="text/plain"))
    for name in ("the change (example.com)", "https://example.com/pr/2", "agreed (example.com)"):
        with page.context.expect_page() as opened:
            page.get_by_role("link", name=name, exact=True).click()
        assert opened.value.evaluate("window.opener === null && document.referrer === ''")
        opened.value.close()
    page.context.unroute("https://example.com/**")
    assert not page.locator("[name=decision]:checked").count()
    open_page.faults.clear()


def test_keyboard_reaches_links_and_folds_and_a_click_chooses(open_page, asked):
    page = open_page("arbiter")
    page.goto(
        asked(
            REASON,
            context={"log": "line " * 400},
            options=[{"label": "Yes", "rationale": "Because\n\n- it is tested"}, {"label": "No"}],
        )
    )

    page.get_by_role("link", name="the change (example.com)").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="https://example.com/pr/2", exact=True)).to_be_focused()
    page.locator(".oi-long summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".oi-long .oi-written")).to_be_visible()
    page.get_by_text("it is tested").click(force=True)  # On the label that lies above it.
    expect(page.get_by_role("radio", name="Yes")).to_be_checked()


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_diff_is_colored_and_fits_a_phone(open_page, asked, color_scheme):
    page = open_page("arbiter", viewport={"width": 390, "height": 844}, color_scheme=color_scheme)
    page.goto(asked(REASON + "\n\n" + "x" * 300, context={"a": "y" * 2000, "b": "1\n" + "z" * 400}))

    background = "each => getComputedStyle(each).backgroundColor"
    added, removed = (page.locator(f".oi-code-{kind}").first.evaluate(background) for kind in ("added", "removed"))
    assert added != removed
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert "mono" in page.locator(".oi-code").first.evaluate("each => getComputedStyle(each).fontFamily")


def test_override_cannot_turn_an_option_around(open_page, asked):
    page = open_page("arbiter")
    page.goto(asked("Run invoice_\u202efdp.exe?\n\n\u202eon", context={"file\u202e": "\u2066a\u3164"}))

    marks = page.locator("#oi-panels .oi-invisible")
    assert marks.all_inner_texts() == ["U+202E", "U+202E", "U+202E", "U+2066", "U+3164"]
    expect(marks.first).to_have_attribute("title", "Invisible character: right-to-left override")
    assert not re.search("[\u202e\u2066\u3164]", page.content())


def test_no_text_of_an_agent_runs_as_a_script(open_page, asked):
    page = open_page("arbiter")
    dialogs = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    texts = [each for each in XSS if "\x00" not in each]
    options = [{"label": f"Option {number}", "rationale": text} for number, text in enumerate(texts[:40])]

    page.goto(asked("\n\n".join(texts), context={text: [text, f"{text}\n{text}"] for text in texts}, options=options))

    expect(page.locator("#oi-context")).to_be_visible()
    assert not dialogs
    assert page.locator("#oi-panels :is(script, iframe, svg, img, form form, style, base, meta, object)").count() == 0
