"""Text of agents on the pages of questions: heading, markup, files of the intent, acts as they are."""

import re
from base64 import b64encode

import pytest

from tests.governance.permits import ask as ask_for_act
from tests.governance.permits import permits

QUESTIONS = "governance/arbitration/"


@pytest.fixture
def intent(make_intent):
    return make_intent(title="Repair the prices", description="Find the **cause**. See https://example.com/incident/7")


@pytest.fixture
def page(agent, intent, person):
    """`page(reason, …)`: the page of a question that ada asks, for an arbiter."""

    def asked(reason, **fields):
        made = agent("ada").post(f"/intents/{intent['id']}/arbitrate", {"reason": reason, **fields})
        assert made.status_code == 201, made.json()
        return person("arbiter").get(f"{QUESTIONS}{made.json()['id']}/change/").text

    return asked


@pytest.fixture
def attach(agent):
    def attached(intent, name, content=b"hello", content_type="text/plain"):
        body = {"filename": name, "content_type": content_type, "content_base64": b64encode(content).decode()}
        made = agent("ada").post(f"/intents/{intent['id']}/attachments", body)
        assert made.status_code == 201, made.json()
        return made.json()

    return attached


def files(page):
    return re.findall(r'oi-attachment">\s*<p><a class="oi-row-title" href="[^"]*">(.*?)</a>( <span[^>]*>Mentioned)?', page)


def test_first_line_is_the_heading_and_the_rest_is_read_below(page):
    shown = page("## Merge `v2`?\nIt **fixes** the prices, see https://example.com/pr/1.", options=["Yes", "No"])

    assert '<h2 class="oi-ask-title">Merge <code dir="ltr">v2</code>?</h2>' in shown
    assert "<strong>fixes</strong>" in shown
    assert 'href="https://example.com/pr/1" rel="noopener noreferrer nofollow"' in shown
    assert re.search(r"<title>\s*Merge v2\? It fixes the prices", shown)
    assert 'tracking-tight">Merge v2? It fixes the prices' in shown
    assert "Find the <strong>cause</strong>." in shown


def test_context_and_options_have_their_markup(page):
    diff = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-1\n+2"
    options = [{"label": "Yes", "rationale": "- tested\n- [reviewed](https://example.com/r)"}, {"label": "No"}]
    shown = page(
        "Merge?",
        context={"diff": diff, "steps": "1. a\n2. b", "trace": "a\n  b", "deep": [{"url": "https://a.example"}]},
        options=options,
    )

    assert '<span class="oi-code-line oi-code-added">+2</span>' in shown
    assert '<ol start="1"><li dir="auto">a</li>' in shown
    assert "<code>a\n  b</code>" in shown
    assert 'href="https://a.example"' in shown
    assert '<span class="oi-host">(example.com)</span>' in shown
    assert '<li dir="auto">tested</li>' in shown


def test_long_value_is_folded_and_whole(page):
    value = "word " * 1000
    shown = page("Merge?", context={"log": value})

    assert 'Show all <span class="oi-size">5,000 characters' in shown
    assert value in shown


def test_files_of_the_intent_are_listed_with_previews_mentioned_ones_first(page, attach, intent, make_intent):
    attach(intent, "prices.patch", b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-1\n+2")
    elsewhere = attach(make_intent(title="Elsewhere"), "evidence.csv", b"a,b")
    attach(make_intent(title="Unrelated"), "secret.txt")
    attach(intent, "notes.txt", b"Nothing \xe2\x80\xaeelse")

    shown = page("Is prices.patch right?", context={"attachment": elsewhere["id"]})

    assert files(shown) == [
        ("prices.patch", ' <span class="oi-tag oi-tag-plain">Mentioned'),
        ("evidence.csv", ' <span class="oi-tag oi-tag-plain">Mentioned'),
        ("notes.txt", ""),
    ]
    assert '<span class="oi-code-line oi-code-removed">-1</span>' in shown
    assert 'Nothing <span class="oi-invisible"' in shown
    assert "secret.txt" not in shown


def test_a_question_about_an_intent_without_files_has_no_list_of_them(page):
    assert 'id="oi-files"' not in page("Merge it?")


def test_number_of_files_and_long_texts_cost_no_queries(page, attach, intent, person, agent):
    made = agent("ada").post(f"/intents/{intent['id']}/arbitrate", {"reason": "One?"}).json()
    url, arbiter = f"{QUESTIONS}{made['id']}/change/", person("arbiter")
    few = arbiter.queries(url)
    for number in range(12):
        attach(intent, f"file {number}.txt", f"{number}".encode())

    assert arbiter.queries(url) == few


@pytest.mark.rule("A-10")
def test_an_act_is_shown_in_full_as_it_was_written(agent, api, intent, person):
    note = "**not bold** [x](https://a.b) \u202e" + "long " * 2000
    asked = ask_for_act(
        agent("ada"), intent, reason="Pay `it`?", action={"verb": "pay", "target": "**1**", "params": {"note": note}}
    )

    shown = person("arbiter").get(f"{QUESTIONS}{asked['id']}/change/").text

    assert "**not bold** [x](https://a.b) <span" in shown
    assert "long " * 2000 in shown
    assert "<code>**1**</code>" in shown
    assert "permits ada this act, once, within 15 minutes of the decision." in shown
    assert re.search(r'<h2 class="oi-ask-title">Pay <code dir="ltr">it</code>\?</h2>', shown)


def test_page_of_a_permit_names_its_question_without_markup(agent, api, intent, person):
    asked = ask_for_act(agent("ada"), intent, reason="May I **pay**?")
    api.post(f"/intents/{intent['id']}/decisions", {"decision": "approve", "arbitration_id": asked["id"]})

    shown = person("viewer").get(f"governance/permit/{permits(agent('ada'), intent)[0]['id']}/change/").text

    assert re.search(r'<dt>Question</dt><dd><a href="[^"]*">May I pay\?</a>', shown)


def test_inbox_and_lists_show_questions_without_markup(agent, intent, person):
    agent("ada").post(f"/intents/{intent['id']}/arbitrate", {"reason": "# **Merge** [v2](https://example.com)?\n\n- now"})
    someone = person("arbiter")

    for path in ("", QUESTIONS, f"intents/intent/{intent['id']}/change/"):
        assert "Merge v2? now</a>" in someone.get(path).text, path
