"""Intents in the console: the list, an intent's page, and what people do there."""

import re
from base64 import b64encode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console import log as log_pages
from console import neighbours, versions
from intents.models import Intent
from tests.conftest import fresh, log, set_status

NASTY = "<script>alert(1)</script>"


def page(person, intent, **query):
    response = person.get(f"intents/intent/{intent['id']}/change/", query)
    assert response.status_code == 200
    return response


def queries(person, path, query=None):
    with CaptureQueriesContext(connection) as found:
        assert person.get(path, query).status_code == 200
    return len(found)


def patch(api, intent, *patches):
    body = {"patches": [*patches]}
    response = api.post(f"/intents/{intent['id']}/state", body, version=fresh(api, intent)["version"])
    assert response.status_code == 200, response.json()
    return response.json()


def do(person, intent, deed, *, version=None, confirmed=True, **fields):
    sent = {**fields, **({"version": version} if version else {}), **({"confirmed": "yes"} if confirmed else {})}
    return person.post(f"intents/intent/{intent['id']}/do/{deed}/", sent, follow=True)


# --- the list --------------------------------------------------------------------------------------------------------


def titles(person, **query):
    return set(re.findall(r'oi-row-title" href="[^"]*">([^<]*)<', person.get("intents/intent/", query).text))


def test_the_list_is_narrowed_by_status_agent_portfolio_and_place_in_the_tree(api, person, make_intent):
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


def test_a_row_says_who_works_on_it_what_it_waits_for_and_what_happened_last(api, person, make_intent):
    first = make_intent(title="First of all")
    second = make_intent(title="And then", depends_on=[first["id"]], assign="ada")
    api.post(f"/intents/{second['id']}/events", {"event_type": "comment", "payload": {"text": "soon"}})

    row = re.search(
        r'<li class="oi-row">.*?And then.*?</li>', person("viewer").get("intents/intent/", {"q": "then"}).text, re.DOTALL
    )

    assert row
    for told in ("?agent=ada", "waits for <a", "First of all", "version 1", "Blocked", "comment, <time"):
        assert told in row[0]


def test_an_empty_list_says_how_to_begin_and_a_narrow_one_how_to_widen(person, make_intent):
    vera = person("viewer")
    assert "curl -X POST http://testserver/api/v1/intents" in vera.get("intents/intent/").text

    make_intent()

    assert "No intent is like that" in vera.get("intents/intent/", {"agent": "nobody"}).text


def test_the_list_costs_the_same_queries_whatever_there_is(api, person, make_intent):
    vera = person("viewer")
    first = make_intent()
    before = queries(vera, "intents/intent/")

    for number in range(12):
        make_intent(title=f"No. {number}", depends_on=[first["id"]], assign=["ada", "bob"])

    assert queries(vera, "intents/intent/") == before <= 12


def test_a_list_is_counted_no_further_than_it_is_shown(person, make_intent, monkeypatch):
    monkeypatch.setattr("console.lists.COUNTED", 60)
    make_intent()
    row = Intent.objects.values().get()
    Intent.objects.bulk_create(Intent(**{**row, "id": Intent().pk}) for _ in range(70))

    assert "Page 1 of 2, more than 60 in all" in person("viewer").get("intents/intent/").text


# --- the page --------------------------------------------------------------------------------------------------------


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
        "A part", "What for", "The whole", "progress", "$1.50", "of $2.00", "draft", "timeout", "too slow", "No retry", "Which one?",
        "a.txt", "hello", "ada", "max_cost", "Look</a>",
    ):  # fmt: skip
        assert part in told, part


def test_nothing_that_somebody_wrote_is_run(api, person, make_intent):
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
    before = queries(vera, path)

    for number in range(8):
        child = make_intent(parent_intent_id=intent["id"], title=f"Child {number}")
        make_intent(title="After that", depends_on=[child["id"]])
        patch(api, intent, {"op": "set", "path": "progress", "value": number})
        agent(f"agent-{number}").post(f"/intents/{intent['id']}/costs", {"cost_type": "tokens", "amount": 1, "unit": "USD"})
        agent(f"agent-{number}").post(f"/intents/{intent['id']}/leases", {"scope": f"part{number}"})
        agent(f"agent-{number}").post(f"/intents/{intent['id']}/failures", {"error_type": "timeout"})
        api.post(f"/intents/{intent['id']}/arbitrate", {"reason": "Which one?"})

    assert queries(vera, path) == before <= 24


def test_the_panels_come_alone_for_the_script(person, make_intent):
    panels = page(person("viewer"), make_intent(title="Alone"), panels="1")

    assert "<html" not in panels.text
    assert "no-store" in panels.headers["Cache-Control"]
    assert 'data-part="log"' in panels.text


# --- the graph -------------------------------------------------------------------------------------------------------


def nodes(response):
    found = re.findall(r'data-node="([^"]*)" data-status="([^"]*)" data-parent="([^"]*)" data-waits="([^"]*)"', response.text)
    return {node: (status, parent, waits.split()) for node, status, parent, waits in found}


def test_the_table_has_all_that_is_tied_to_an_intent_from_wherever_one_looks(person, make_intent):
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


def test_of_very_many_the_nearest_are_drawn_and_the_page_says_so(person, make_intent, monkeypatch):
    monkeypatch.setattr(neighbours, "MOST", 5)
    above = None
    chain = [
        above := make_intent(title=f"No. {number}", **({"parent_intent_id": above["id"]} if above else {})) for number in range(9)
    ]

    shown = page(person("viewer"), chain[4])

    assert nodes(shown).keys() == {each["id"] for each in chain[2:7]}
    assert "the nearest 5 intents of more" in shown.text


# --- versions --------------------------------------------------------------------------------------------------------


def changes(response):
    cells = re.findall(r"<tr><td>(.*?)</td><th[^>]*>(.*?)</th><td>(.*?)</td><td>(.*?)</td></tr>", response.text, re.DOTALL)
    return [tuple(re.sub(r"<[^>]*>", "", cell) for cell in row) for row in cells]


@pytest.mark.rule("E-6")
def test_each_version_shows_what_it_changed_by_whom_and_the_state_that_it_left(api, agent, person, make_intent):
    intent = make_intent(state={"kept": 1, "list": ["a"]})
    patch(api, intent, {"op": "set", "path": "/deep/er", "value": "new"}, {"op": "append", "path": "list", "value": "b"})
    patch(agent("ada"), intent, {"op": "set", "path": "kept", "value": 2}, {"op": "remove", "path": "/list/0"})
    set_status(api, intent, "active")
    vera = person("viewer")

    second, third, fourth = (page(vera, intent, version=number) for number in (2, 3, 4))

    assert changes(second) == [("added", "list[1]", "", "b"), ("added", "deep", "", "{&quot;er&quot;:&quot;new&quot;}")]
    assert ("changed", "kept", "1", "2") in changes(third)
    assert ("removed", "list[1]", "b", "") in changes(third)
    assert "<b>ada</b>" in third.text
    assert changes(fourth) == [("changed", "status", "draft", "active")]
    assert versions.chosen(Intent.objects.get(), "3", "").state == {"kept": 2, "list": ["b"], "deep": {"er": "new"}}


@pytest.mark.rule("E-6")
def test_the_newest_version_is_the_intent_itself(api, person, make_intent):
    first = make_intent()
    intent = make_intent(depends_on=[first["id"]], state={"a": [1, {"b": None}]})
    patch(api, intent, {"op": "set", "path": "/a/1/b", "value": 1.5})
    api.delete(f"/intents/{intent['id']}/dependencies/{first['id']}", version=2)
    stored = Intent.objects.get(pk=intent["id"])

    newest = versions.chosen(stored, str(stored.version), "")

    assert newest.state == stored.state
    assert {each.path for each in newest.fields} == {"status", "depends_on[0]"}


@pytest.mark.parametrize("asked", ["0", "99", "-1", "x", "²", "9" * 30])
def test_a_version_that_is_none_shows_the_state_as_it_is(person, make_intent, asked):
    assert "at version" not in page(person("viewer"), make_intent(), version=asked).text


def test_versions_too_far_back_to_be_replayed_still_say_what_they_changed(api, person, make_intent, monkeypatch):
    monkeypatch.setattr(versions, "MOST", 4)
    intent = make_intent()
    for number in range(8):
        patch(api, intent, {"op": "set", "path": "progress", "value": f"step {number}"})
    vera = person("viewer")
    link = re.search(r'href="\?version=9&amp;at=(\d+)#state"', page(vera, intent).text)

    told = page(vera, intent, version=9, at=link[1]).text

    assert "More than three thousand changes lie before this version" in told
    assert "progress = step 7" in told


def test_versions_are_paged_and_each_is_numbered_also_by_a_long_event(api, person, make_intent, monkeypatch):
    monkeypatch.setattr("console.intents.VERSIONS", 2)
    intent = make_intent()
    patch(api, intent, {"op": "set", "path": "long", "value": "x" * 5000})
    patch(api, intent, {"op": "set", "path": "short", "value": '"version":77}'})
    vera = person("viewer")

    first = page(vera, intent).text
    older = re.search(r'href="(\?versions=\d+)#state"', first)

    assert re.findall(r"\?version=(\d+)&amp;at", first) == ["3", "2"]
    assert re.findall(r"\?version=(\d+)&amp;at", vera.get(f"intents/intent/{intent['id']}/change/{older[1]}").text) == ["1"]


# --- the log ---------------------------------------------------------------------------------------------------------


def events(response):
    return re.findall(r'class="oi-event-type"[^>]*>([^<]*)<', response.text)


def test_an_intent_s_log_is_read_back_page_by_page_and_narrowed(api, agent, person, make_intent, monkeypatch):
    monkeypatch.setattr("console.intents.EVENTS", 3)
    intent = make_intent()
    for number in range(4):
        agent("ada").post(f"/intents/{intent['id']}/events", {"event_type": f"step_{number}", "payload": {"n": number}})
    vera = person("viewer")

    first = page(vera, intent)
    older = re.search(r'rel="next" href="\?before=(\d+)', first.text)

    assert events(first) == ["step_3", "step_2", "step_1"]
    assert events(page(vera, intent, before=older[1])) == ["step_0", "intent_created"]
    assert events(page(vera, intent, type="step_2")) == ["step_2"]
    assert events(page(vera, intent, actor="ada", type="intent_created")) == []


def test_the_whole_log_is_narrowed_by_type_actor_intent_and_portfolio(api, agent, person, make_intent):
    one, other = make_intent(title="One"), make_intent(title="Other")
    house = api.post("/portfolios", {"name": "House"}).json()
    api.post(f"/portfolios/{house['id']}/intents", {"intent_id": one["id"]})
    for intent in (one, other):
        agent("ada").post(
            f"/intents/{intent['id']}/events", {"event_type": "comment", "payload": {"text": f"on {intent['title']}"}}
        )
    vera = person("viewer")

    def read(**query):
        return events(vera.get("intents/event/", query))

    assert read(type="comment") == ["comment", "comment"]
    assert read(actor="ada") == ["comment", "comment"]
    assert read(intent=other["id"]) == ["comment", "intent_created"]
    assert read(portfolio=house["id"]) == ["comment", "added_to_portfolio", "portfolio_created"]
    assert read(intent="nonsense") == read(portfolio="nonsense") == read(actor="no\0body") == []
    assert read() == ["comment", "comment", "added_to_portfolio", "portfolio_created", "intent_created", "intent_created"]


def test_a_filter_looks_through_so_many_events_and_says_where_it_stopped(api, person, make_intent, monkeypatch):
    monkeypatch.setattr(log_pages, "WINDOW", 5)
    intent = make_intent()
    for number in range(8):
        api.post(f"/intents/{intent['id']}/events", {"event_type": "step", "payload": {"n": number}})
    vera = person("viewer")

    first = page(vera, intent, type="intent_created")
    older = re.search(r'rel="next" href="\?(.*?)#log"', first.text)[1].replace("&amp;", "&")

    assert events(first) == []
    assert "There may be more further back" in first.text
    assert events(vera.get(f"intents/intent/{intent['id']}/change/?{older}")) == ["intent_created"]


def test_the_log_is_never_counted(person, make_intent):
    make_intent()
    with CaptureQueriesContext(connection) as found:
        person("viewer").get("intents/event/")

    assert not [query for query in found.captured_queries if "COUNT(" in query["sql"].upper()]


def test_a_long_payload_is_cut_in_the_list_and_whole_on_its_own_page(api, person, make_intent):
    intent = make_intent()
    event = api.post(f"/intents/{intent['id']}/events", {"event_type": "long", "payload": {"text": "y" * 5000 + "END"}}).json()
    vera = person("viewer")
    shown = page(vera, intent, type="long").text
    link = re.search(r'href="(/admin/intents/event/\d+/change/)">All of it', shown)

    assert "END" not in shown
    alone = vera.client.get(link[1]).text
    assert "END" in alone
    assert event["id"] in alone


# --- files -----------------------------------------------------------------------------------------------------------


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


# --- what people do --------------------------------------------------------------------------------------------------


def test_a_viewer_is_offered_nothing_and_refused_everything(person, make_intent):
    intent, vera = make_intent(assign="ada"), person("viewer", "vera")

    assert "/do/" not in page(vera, intent).text
    for deed in ("status", "abandon", "assign", "unassign", "revoke"):
        assert do(vera, intent, deed, version=1, status="active", agent_id="ada").status_code == 403
    assert do(person("arbiter", "judy"), intent, "status", version=1, status="active").status_code == 403
    assert Intent.objects.get().status == "draft"


def test_only_legal_changes_of_status_are_offered_and_a_reason_is_asked(api, person, make_intent):
    intent, olga = make_intent(status="active"), person("operator")
    offered = re.findall(r'name="status" value="(\w+)"', page(olga, intent).text)
    assert offered == ["completed", "pending", "blocked"]

    question = do(olga, intent, "status", version=2, status="pending", confirmed=False)
    assert 'name="reason"' in question.text
    assert fresh(api, intent)["status"] == "active"
    do(olga, intent, "status", version=2, status="pending", reason="Wait a little")

    event = api.get(f"/intents/{intent['id']}/events").json()["events"][-1]
    assert (event["actor"], event["payload"]["to"], event["payload"]["reason"]) == ("user:grace", "pending", "Wait a little")


@pytest.mark.rule("I-2")
def test_who_saw_an_older_version_is_told_kindly_and_changes_nothing(api, person, make_intent):
    intent, olga = make_intent(status="active"), person("operator")
    patch(api, intent, {"op": "set", "path": "a", "value": 1})

    told = do(olga, intent, "status", version=2, status="completed").text

    assert "Somebody was faster: you saw version 2, and it is version 3 now. Nothing was changed." in told
    assert fresh(api, intent)["status"] == "active"
    assert "version" in do(olga, intent, "status", status="completed").text
    assert fresh(api, intent)["status"] == "active"


@pytest.mark.rule("I-6")
def test_what_waits_cannot_be_unblocked_and_says_for_what(api, person, make_intent):
    first = make_intent(title="First of all")
    intent, olga = make_intent(depends_on=[first["id"]]), person("operator")

    shown = page(olga, intent).text

    assert re.search(r"It waits</b>.*?First of all", shown, re.DOTALL)
    assert "Unblock" not in shown
    assert "waits for dependencies" in do(olga, intent, "status", version=1, status="pending").text
    assert fresh(api, intent)["status"] == "blocked"


def test_what_was_blocked_by_hand_is_unblocked(api, person, make_intent):
    intent, olga = make_intent(status="blocked"), person("operator")
    assert ">Unblock<" in page(olga, intent).text

    do(olga, intent, "status", version=2, status="pending")

    assert fresh(api, intent)["status"] == "pending"


@pytest.mark.rule("G-5")
def test_abandoning_says_how_many_go_with_it_and_asks_again_when_there_are_others(api, person, make_intent):
    root = make_intent(title="Root")
    for number in range(3):
        make_intent(title=f"Child {number}", parent_intent_id=root["id"])
    olga = person("operator")

    question = do(olga, root, "abandon", version=1, confirmed=False).text
    assert "Abandon the 3 open intents below it as well" in question
    make_intent(title="A late child", parent_intent_id=root["id"])
    assert (
        "There are 4 open intents below it now, and not 3" in do(olga, root, "abandon", version=1, cascade="yes", counted=3).text
    )
    assert {each.status for each in Intent.objects.all()} == {"draft"}

    do(olga, root, "abandon", version=1, cascade="yes", counted=4, reason="Called off")

    assert {each.status for each in Intent.objects.all()} == {"abandoned"}


def test_agents_are_assigned_and_unassigned_in_the_name_of_the_person(api, person, make_intent):
    intent, olga = make_intent(), person("operator")

    assert "ada works on it as reviewer" in do(olga, intent, "assign", agent_id=" ada ", role="reviewer").text
    assert "agent_id" in do(olga, intent, "assign", agent_id="").text
    assert fresh(api, intent)["agents"] == [{"agent_id": "ada", "role": "reviewer"}]
    do(olga, intent, "unassign", agent_id="ada")

    assert fresh(api, intent)["agents"] == []
    assert log(api, intent)[1:] == [("agent_assigned", "user:grace"), ("agent_unassigned", "user:grace")]


@pytest.mark.rule("L-5")
def test_an_arbiter_revokes_the_chosen_leases_and_no_others(api, agent, person, make_intent):
    intent, other = make_intent(), make_intent()
    leases = [agent("ada").post(f"/intents/{intent['id']}/leases", {"scope": scope}).json()["id"] for scope in ("a", "b", "c")]
    elsewhere = agent("ada").post(f"/intents/{other['id']}/leases", {"scope": "a"}).json()["id"]
    judy = person("arbiter")

    question = do(judy, intent, "revoke", lease=[*leases[:2], elsewhere], confirmed=False).text
    assert "Revoke 2 leases?" in question
    told = do(judy, intent, "revoke", lease=[*leases[:2], elsewhere, "nonsense"], reason="Too long").text

    assert "Revoked: a held by ada, b held by ada." in told
    still = api.get("/leases", status="active").json()["leases"]
    assert {each["id"] for each in still} == {leases[2], elsewhere}
    assert "None of the leases is held any more" in do(judy, intent, "revoke", lease=leases[:1]).text
    assert "Choose the leases first" in do(judy, intent, "revoke", confirmed=False).text


def test_deeds_need_their_csrf_token_and_a_post(person, make_intent):
    intent, olga = make_intent(), person("operator", enforce_csrf_checks=True)

    assert do(olga, intent, "status", version=1, status="active").status_code == 403
    assert olga.get(f"intents/intent/{intent['id']}/do/status/").status_code == 405
    assert Intent.objects.get().status == "draft"


@pytest.mark.parametrize("status", ["", "nonsense", "draft"])
def test_a_status_that_cannot_be_is_refused(person, make_intent, status):
    intent, olga = make_intent(), person("operator")

    assert do(olga, intent, "status", version=1, status=status, confirmed=False).status_code == 404
    do(olga, intent, "status", version=1, status=status)
    assert Intent.objects.get().version == 1
    assert do(olga, intent, "nonsense").status_code == 404
