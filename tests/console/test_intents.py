"""Intents in the console: the list, an intent's page, its graph and its files."""

import re
from base64 import b64encode

import pytest

from intents.models import Intent

from .intents import page, patch

NASTY = "<script>alert(1)</script>"


# --- the list ---------------------------------------------------------------------------------------------------------


def titles(person, **query):
    return set(re.findall(r'oi-row-title" href="[^"]*">([^<]*)<', person.get("intents/intent/", query).text))


def test_list_is_filtered_by_status_agent_portfolio_and_root(api, person, make_intent):
    root = make_intent(title="Root", assign="ada")
    make_intent(title="Child", parent_intent_id=root["id"], status="active", assign="bob")
    house = api.post("/portfolios", {"name": "House"}).json()
    api.post(f"/portfolios/{house['id']}/intents", {"intent_id": root["id"]})
    vera = person("viewer")

    assert titles(vera) == {"Root", "Child"}
    assert titles(vera, status__exact="active") == {"Child"}
    assert titles(vera, agent="ada") == {"Root"}
    assert titles(vera, portfolio=house["id"]) == {"Root"}
    assert titles(vera, portfolio="nonsense") == set()
    assert titles(vera, root="1") == {"Root"}
    assert titles(vera, q="chi") == {"Child"}
    assert titles(vera, q=root["id"]) == {"Root"}
    assert titles(vera, agent="", portfolio="", q="") == {"Root", "Child"}


def test_list_is_filtered_to_related_intents_which_the_page_links(person, make_intent):
    root = make_intent(title="Root")
    first = make_intent(title="First", parent_intent_id=root["id"])
    second = make_intent(title="Second", parent_intent_id=root["id"], depends_on=[first["id"]])
    vera = person("viewer")

    for name, of, expected, words in (
        ("parent", root, {"First", "Second"}, ">2 children</a>"),
        ("needed_by", second, {"First"}, ">1 intent</a></li>"),
        ("waits_for", first, {"Second"}, ">1 intent</a> depends on it"),
    ):
        assert titles(vera, **{name: of["id"]}) == expected
        assert titles(vera, **{name: "nonsense"}) == set()
        assert f">{of['title']}</a>. <a" in vera.get("intents/intent/", {name: of["id"]}).text
        assert f'?{name}={of["id"]}"{words}' in page(vera, of).text
    assert "oi-ties" not in page(vera, make_intent(title="Alone")).text


def test_narrowed_to_a_portfolio_the_rows_say_how_they_are_in_it(api, person, make_intent, monkeypatch):
    monkeypatch.setattr("console.filters.MAX_PORTFOLIOS", 1)
    intent, house = make_intent(title="Roof"), api.post("/portfolios", {"name": "House"}).json()
    body = {"intent_id": intent["id"], "role": "primary", "priority": 7}
    assert api.post(f"/portfolios/{house['id']}/intents", body).status_code == 201
    api.post("/portfolios", {"name": "A later one"})
    vera = person("viewer")

    narrowed = vera.get("intents/intent/", {"portfolio": house["id"]}).text

    assert "primary in this portfolio, priority 7, added by " in narrowed
    assert f'<option value="{house["id"]}" selected>House</option>' in narrowed
    assert "in this portfolio" not in vera.get("intents/intent/").text


def test_row_shows_agents_blockers_and_latest_event(api, person, make_intent):
    first = make_intent(title="First of all")
    second = make_intent(title="And then", depends_on=[first["id"]], assign="ada")
    api.post(f"/intents/{second['id']}/events", {"event_type": "comment", "payload": {"text": "soon"}})

    row = re.search(r"<tr>.*?And then.*?</tr>", person("viewer").get("intents/intent/", {"q": "then"}).text, re.DOTALL)

    assert row
    for told in ("?agent=ada", "blocked by <a", "First of all", "version 1", "Blocked", "comment, <time"):
        assert told in row[0]


def test_an_empty_list_says_how_to_begin_and_a_narrow_one_how_to_widen(person, make_intent):
    vera = person("viewer")
    assert "curl -X POST http://testserver/api/v1/intents" in vera.get("intents/intent/").text

    make_intent()

    assert "No intents match these filters" in vera.get("intents/intent/", {"agent": "nobody"}).text


def test_the_list_costs_the_same_queries_whatever_there_is(api, person, make_intent):
    vera = person("viewer")
    first = make_intent()
    before = vera.queries("intents/intent/")

    for number in range(12):
        make_intent(title=f"No. {number}", depends_on=[first["id"]], assign=["ada", "bob"])

    assert vera.queries("intents/intent/") == before <= 12


def test_a_list_is_counted_no_further_than_it_is_shown(person, make_intent, monkeypatch):
    monkeypatch.setattr("console.changelist.MAX_COUNT", 60)
    make_intent()
    row = Intent.objects.values().get()
    Intent.objects.bulk_create(Intent(**{**row, "id": Intent().pk}) for _ in range(70))

    assert "Page 1 of 2 · more than 60 total" in person("viewer").get("intents/intent/").text


# --- the page ---------------------------------------------------------------------------------------------------------


def test_the_page_tells_of_all_that_belongs_to_an_intent(api, agent, person, make_intent):
    parent = make_intent(title="The whole")
    intent = make_intent(
        title="A part", description="What for", parent_intent_id=parent["id"], assign="ada", status="active",
        state={"progress": 3}, constraints={"max_cost": 2},
    )  # fmt: skip
    path = f"/intents/{intent['id']}"
    agent("ada").post(f"{path}/leases", {"scope": "draft"})
    agent("ada").post(f"{path}/costs", {"cost_type": "tokens", "amount": 1.5, "unit": "USD"})
    agent("ada").post(f"{path}/failures", {"error_type": "timeout", "error_message": "too slow"})
    agent("ada").post(f"{path}/arbitrate", {"reason": "Which one?"})
    api.post(
        f"{path}/attachments", {"filename": "a.txt", "content_type": "text/plain", "content_base64": b64encode(b"hello").decode()}
    )

    told = page(person("viewer"), intent).text

    for part in (
        "A part", "What for", "The whole", "progress", "$1.50", "of $2.00", "draft", "timeout", "too slow", "Not retried", "Which one?",
        "a.txt", "hello", "ada", "max_cost", "View</a>",
    ):  # fmt: skip
        assert part in told, part


def test_markup_in_user_text_is_escaped(api, person, make_intent):
    parent = make_intent(title=NASTY)
    intent = make_intent(title=NASTY, description=NASTY, parent_intent_id=parent["id"], state={NASTY: NASTY}, assign=NASTY)
    path = f"/intents/{intent['id']}"
    api.post(f"{path}/events", {"event_type": "comment", "payload": {NASTY: NASTY, "message": NASTY}})
    api.post(f"{path}/arbitrate", {"reason": NASTY})
    for kind in ("text/plain", "text/html", "image/svg+xml"):
        content = b64encode(f"of {kind}: {NASTY}".encode()).decode()
        api.post(f"{path}/attachments", {"filename": NASTY, "content_type": kind, "content_base64": content})
    olga = person("operator")

    told = page(olga, intent, version=1).text

    assert NASTY not in told
    assert NASTY not in olga.get("intents/intent/").text
    assert NASTY not in olga.get("intents/event/").text
    assert "of text/plain" in told
    assert "of text/html" not in told
    assert "of image/svg" not in told
    assert "<img" not in told


def test_the_page_costs_the_same_queries_whatever_there_is(api, agent, person, make_intent):
    intent = make_intent(title="Root", assign="ada")
    vera = person("viewer")
    path = f"intents/intent/{intent['id']}/change/"
    before = vera.queries(path)

    for number in range(8):
        child = make_intent(parent_intent_id=intent["id"], title=f"Child {number}")
        make_intent(title="After that", depends_on=[child["id"]])
        patch(api, intent, {"op": "set", "path": "progress", "value": number})
        agent(f"agent-{number}").post(f"/intents/{intent['id']}/costs", {"cost_type": "tokens", "amount": 1, "unit": "USD"})
        agent(f"agent-{number}").post(f"/intents/{intent['id']}/leases", {"scope": f"part{number}"})
        agent(f"agent-{number}").post(f"/intents/{intent['id']}/failures", {"error_type": "timeout"})
        api.post(f"/intents/{intent['id']}/arbitrate", {"reason": "Which one?"})

    assert vera.queries(path) == before <= 24


def test_the_panels_come_alone_for_the_script(person, make_intent):
    panels = page(person("viewer"), make_intent(title="Alone"), panels="1")

    assert "<html" not in panels.text
    assert "no-store" in panels.headers["Cache-Control"]
    assert 'data-part="log"' in panels.text


# --- the graph --------------------------------------------------------------------------------------------------------


def nodes(response):
    found = re.findall(r'data-node="([^"]*)" data-status="([^"]*)" data-parent="([^"]*)" data-waits="([^"]*)"', response.text)
    return {node: (status, parent, waits.split()) for node, status, parent, waits in found}


def test_graph_table_has_all_related_intents_from_each_of_them(person, make_intent):
    root = make_intent(title="Root")
    first = make_intent(title="First", parent_intent_id=root["id"])
    second = make_intent(title="Second", parent_intent_id=root["id"], depends_on=[first["id"]])
    make_intent(title="Elsewhere")
    vera = person("viewer")

    for each in (root, first, second):
        assert nodes(page(vera, each)) == {
            root["id"]: ("draft", "", []),
            first["id"]: ("draft", root["id"], []),
            second["id"]: ("blocked", root["id"], [first["id"]]),
        }


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def image(api, make_intent):
    intent = make_intent()
    body = {"filename": "a.png", "content_type": "image/png", "content_base64": b64encode(b"\x89PNG bytes").decode()}
    return intent, api.post(f"/intents/{intent['id']}/attachments", body).json()


def test_bytes_are_for_who_is_signed_in_and_are_never_run(client, person, image):
    intent, attachment = image
    path = f"attachments/attachment/{attachment['id']}/content/"
    vera = person("viewer", "vera")

    served = vera.get(path)

    assert b"".join(served.streaming_content) == b"\x89PNG bytes"
    assert served.headers["X-Content-Type-Options"] == "nosniff"
    assert served.headers["Content-Security-Policy"] == "sandbox"
    assert served.headers["Content-Disposition"].startswith("attachment;")
    assert f'<img class="oi-preview" loading="lazy" src="/admin/{path}"' in page(vera, intent).text
    assert client.get(f"/admin/{path}").status_code == 302
    assert vera.client.post(f"/admin/{path}").status_code == 405


# --- the retry policy -------------------------------------------------------------------------------------------------


@pytest.mark.rule("R-1")
@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ({"strategy": "none", "max_attempts": 2}, ["Up to 2 attempts. No automatic retries."]),
        ({"max_attempts": 1}, ["Up to 1 attempt. No automatic retries."]),
        (
            {"strategy": "fixed", "max_attempts": 4, "base_delay_seconds": 0.5},
            ["Up to 4 attempts, 0.5s apart (fixed)."],
        ),
        (
            {
                "max_attempts": 9,
                "base_delay_seconds": 20,
                "max_delay_seconds": 300,
                "jitter": True,
                "retryable_errors": ["<b>", "timeout"],
            },
            [
                "Up to 9 attempts, retried after 20s, 40s, 1m 20s, … up to 5m 00s, randomly shortened by up to half (exponential).",
                "Only these errors are retried: &lt;b&gt;, timeout.",
            ],
        ),
        (
            {"strategy": "linear", "max_attempts": 3, "fallback_agent_id": "bob"},
            ["retried after 1s, 2s (linear)", "bob takes over when no retries are left."],
        ),
        (
            {"fallback_agent_id": "bob", "failure_threshold": 1},
            ["bob takes over after 1 failure, or when no retries are left."],
        ),
    ],
)
def test_the_page_says_what_follows_a_failure(api, person, make_intent, policy, said):
    intent = make_intent()
    assert api.send("PUT", f"/intents/{intent['id']}/retry-policy", {"jitter": False, **policy}).status_code == 200

    told = page(person("viewer"), intent).text

    for each in said:
        assert each in told
    assert "set <time" in told


def test_many_agents_of_an_intent_are_all_there_and_beyond_are_counted(person, make_intent, monkeypatch):
    monkeypatch.setattr("console.intents.page.AGENTS", 2)
    intent = make_intent(assign=["ada", "bob", "eve"])

    told = page(person("viewer"), intent).text

    assert "Showing 2 of 3 agents." in told
