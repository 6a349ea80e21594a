"""Graph page of an intent: tree, what blocks, critical path, drawing."""

import re
from itertools import pairwise

import pytest

from console.intents import neighborhood, tree
from intents.models import Edge, EdgeKind, Intent
from tests.conftest import fresh

from .intents import page

NASTY = "<script>alert(1)</script>"


def graph(person, intent, **query):
    response = person.get(f"intents/intent/{intent['id']}/graph/", query)
    assert response.status_code == 200
    return plain(response)


def plain(response):
    """The page without the isolation of texts, which is not the subject here."""
    return re.sub("</?bdi>", "", response.text)


def titles(text):
    return re.findall(r'oi-row-title" href="[^"]*">([^<]*)<', text)


def set_status(api, intent, status):
    answer = api.post(f"/intents/{intent['id']}/status", {"status": status}, version=fresh(api, intent)["version"])
    assert answer.status_code == 200, answer.json()


@pytest.fixture
def vera(person):
    return person("viewer")


@pytest.fixture
def launch(api, make_intent):
    """A launch of three parts, of which one is done, one waits for an intent elsewhere, and one for the second."""
    found = {"Launch": make_intent(title="Launch", assign="ada")}

    def child(title, parent="Launch", **fields):
        found[title] = make_intent(title=title, parent_intent_id=found[parent]["id"], **fields)

    found["Contract"] = make_intent(title="Contract", assign="legal")
    child("Design")
    set_status(api, found["Design"], "completed")
    child("Build", depends_on=[found["Contract"]["id"], found["Design"]["id"]])
    child("Test", depends_on=[found["Build"]["id"]])
    child("Plan of tests", "Test")
    return found


@pytest.fixture
def crowd(make_intent, monkeypatch):
    """A root whose seven children have seven each, on pages of a few rows."""
    monkeypatch.setattr(neighborhood, "SMALL", 5)
    root = make_intent(title="Root")
    for first in range(7):
        child = make_intent(title=f"No. {first}", parent_intent_id=root["id"])
        for second in range(7):
            make_intent(title=f"No. {first}.{second}", parent_intent_id=child["id"])
    return root


# --- the tree ---------------------------------------------------------------------------------------------------------


def test_tree_has_children_and_dependencies_once_with_counts(vera, launch):
    text = graph(vera, launch["Launch"], view="tree")

    assert titles(text) == ["Design", "Build", "Contract", "Test", "Plan of tests"]
    assert "6 intents: 1 completed, 3 draft, 2 blocked by 2 intents" in text
    assert "1 below: 1 draft" in text
    assert "legal · a dependency, not a child" in text
    assert re.search(r"depends on <a [^>]*>Contract</a>", text)
    assert not re.search(r"depends on <a [^>]*>Design</a>", text)


def test_pending_question_is_on_its_row_and_counts_as_a_cause(vera, ask, launch):
    asked = ask("Which colour?", intent=launch["Plan of tests"], blocking=True)

    text = graph(vera, launch["Launch"], view="tree")

    assert f'/admin/governance/arbitration/{asked["id"]}/change/">Which colour?</a>' in text
    assert "3 blocked by 2 intents and 1 decision" in text
    assert "Blocked by a decision" in text


def test_a_small_graph_is_drawn_and_a_large_one_is_a_tree(vera, launch, crowd, monkeypatch):
    drawn, as_tree = "data-cytoscape", "oi-subtree"
    small = {"id": launch["Design"]["id"]}
    monkeypatch.setattr(neighborhood, "SMALL", 6)

    assert drawn in page(vera, small).text
    assert drawn in graph(vera, small)
    for text in (page(vera, crowd).text, graph(vera, crowd)):
        assert as_tree in text
        assert drawn not in text
    assert as_tree in graph(vera, launch["Launch"], view="tree")
    assert drawn in graph(vera, crowd, view="drawing")


def test_pages_of_very_large_trees_are_rendered_less_often(vera, crowd, monkeypatch):
    def paces():
        texts = [page(vera, crowd).text, graph(vera, crowd, view="tree")]
        return [re.search(r'data-pace="(\d+)"', text)[1] for text in texts]

    assert paces() == ["2", "2"]
    monkeypatch.setattr(tree, "LARGE", 10)
    assert paces() == ["10", "10"]


def test_levels_that_do_not_fit_are_loaded_on_demand(vera, crowd, monkeypatch):
    monkeypatch.setattr("console.intents.graph_page.MAX_ROWS", 20)
    text = graph(vera, crowd, view="tree")
    branch = re.search(r'data-load="([^"]*)"', text)[1].replace("&amp;", "&")

    rows = vera.client.get(branch)

    assert titles(text) == [f"No. {number}" for number in range(7)]
    assert text.count("7 below: 7 draft") == 7
    assert titles(plain(rows)) == [f"No. 0.{number}" for number in range(7)]
    assert "<html" not in rows.text
    assert "no-store" in rows.headers["Cache-Control"]


def test_a_level_that_is_too_large_is_shown_in_parts(vera, crowd, monkeypatch):
    monkeypatch.setattr("console.intents.graph_page.MAX_ROWS", 3)
    text = graph(vera, crowd, view="tree")
    more = re.search(r'id="more-[^"]*" data-load="([^"]*)"', text)[1].replace("&amp;", "&")

    rows = plain(vera.client.get(more))

    assert (titles(text), "4 more" in text) == (["No. 0", "No. 1", "No. 2"], True)
    assert (titles(rows), "1 more" in rows) == (["No. 3", "No. 4", "No. 5"], True)


def test_expand_all_opens_as_many_as_a_page_has_and_says_so(vera, crowd, monkeypatch):
    assert len(titles(graph(vera, crowd, view="tree", open="all"))) == 56

    monkeypatch.setattr("console.intents.graph_page.MAX_OPEN", 21)
    text = graph(vera, crowd, view="tree", open="all")

    assert len(titles(text)) == 21
    assert "The first 21 of 57 intents are expanded" in text


def test_search_finds_titles_agents_and_ids_with_their_path(vera, launch):
    root, contract = launch["Launch"], launch["Contract"]

    assert titles(graph(vera, root, q="TESTS")) == ["Plan of tests"]
    assert "Launch / Test</p>" in graph(vera, root, q="plan of")
    assert titles(graph(vera, root, q="legal")) == ["Contract"]
    assert titles(graph(vera, root, q=contract["id"])) == ["Contract"]
    assert "No intents in this tree match" in graph(vera, root, q="nowhere")


def test_a_leaf_says_so_and_leads_to_the_whole_tree(vera, launch):
    text = graph(vera, launch["Plan of tests"], view="tree")

    assert "Nothing below it" in text
    assert f'/admin/intents/intent/{launch["Launch"]["id"]}/graph/?view=tree">Tree of Launch' in text


# --- what blocks ------------------------------------------------------------------------------------------------------


def test_blockers_that_wait_for_nothing_come_first_with_their_dependents(vera, launch):
    text = graph(vera, launch["Launch"], view="blocking")

    assert titles(text) == ["Contract", "Build"]
    assert re.search(r"holds up 2, directly: <a [^>]*>Build</a>", text)
    assert re.search(r"holds up 1: <a [^>]*>Test</a>", text)


def test_blockers_include_decisions_holds_and_abandoned_dependencies(api, vera, ask, launch):
    ask("May I?", intent=launch["Plan of tests"], blocking=True)
    set_status(api, launch["Contract"], "abandoned")
    extra = launch["Launch"]
    held = api.post(f"/intents/{extra['id']}/children", {"title": "Held"}).json()
    set_status(api, held, "blocked")

    text = graph(vera, extra, view="blocking")

    assert titles(text) == ["Contract", "Plan of tests", "Held", "Build"]
    assert "It is abandoned: remove the dependency" in text
    assert "May I?" in text
    assert "blocked manually" in text


def test_pages_without_blockers_or_open_intents_say_so(api, vera, make_intent):
    intent = make_intent(title="Alone")
    assert "Nothing is blocked." in graph(vera, intent, view="blocking")

    set_status(api, intent, "completed")

    assert "The intent is completed: nothing is left to do." in graph(vera, intent, view="critical")


# --- the critical path ------------------------------------------------------------------------------------------------


def test_critical_path_is_the_longest_chain_of_open_intents(vera, launch):
    text = graph(vera, launch["Launch"], view="critical")

    assert titles(text) == ["Contract", "Build", "Test", "Launch"]
    assert "4 open intents" in text


def test_critical_path_shows_deadlines_and_prefers_the_earliest(vera, ask, make_intent):
    root = make_intent(title="Root", constraints={"deadline": "2027-02-01"})
    for title, duration in (("Later", "2030-01-01T00:00:00Z"), ("Sooner", "2029-01-01T00:00:00Z"), ("Undated", None)):
        child = make_intent(title=title, parent_intent_id=root["id"])
        ask("When?", intent=child, **({"expires_at": duration} if duration else {}))

    text = graph(vera, root, view="critical")

    assert titles(text) == ["Sooner", "Root"]
    assert "decision due in" in text
    assert "deadline 2027-02-01" in text


# --- the drawing ------------------------------------------------------------------------------------------------------


def test_of_very_many_the_nearest_are_drawn_and_the_page_says_so(vera, make_intent, monkeypatch):
    monkeypatch.setattr(neighborhood, "MAX_NODES", 5)
    above = None
    chain = [
        above := make_intent(title=f"No. {number}", **({"parent_intent_id": above["id"]} if above else {})) for number in range(9)
    ]

    text = graph(vera, chain[4], view="drawing")

    assert set(re.findall(r'data-node="([^"]*)"', text)) == {each["id"] for each in chain[2:7]}
    assert "Showing 5 of 9 related intents" in text


# --- all of them ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", ["tree", "blocking", "critical", "drawing"])
def test_the_page_costs_the_same_queries_whatever_there_is(api, vera, ask, make_intent, view):
    root = make_intent(title="Root")
    path = f"intents/intent/{root['id']}/graph/"
    before = vera.queries(path, {"view": view})

    elder = None
    for number in range(9):
        waits = {"depends_on": [elder["id"]]} if elder else {}
        elder = make_intent(title=f"No. {number}", parent_intent_id=root["id"], **waits)
        ask("Which?", intent=elder)

    assert vera.queries(path, {"view": view}) == before <= 14


@pytest.mark.parametrize("view", ["tree", "blocking", "critical", "drawing"])
def test_markup_in_user_text_is_escaped(vera, ask, make_intent, view):
    root = make_intent(title=NASTY, assign=NASTY, constraints={"deadline": NASTY})
    elder = make_intent(title=NASTY, parent_intent_id=root["id"], assign=NASTY)
    make_intent(title=NASTY, parent_intent_id=root["id"], depends_on=[elder["id"]])
    ask(NASTY, intent=elder)

    text = graph(vera, root, view=view) + graph(vera, root, q="<script>")

    assert NASTY not in text
    assert "&lt;script&gt;alert(1)" in text


def test_people_without_a_role_and_unknown_parameters_are_refused(client, person, vera, make_intent):
    path = f"intents/intent/{make_intent()['id']}/graph/"

    assert client.get(f"/admin/{path}").status_code == 302
    assert person(None, "nora").get(path, {"rows": "1"}).status_code in (302, 403)
    assert vera.get(path, {"vieww": "tree"}).status_code == 400
    assert vera.client.post(f"/admin/{path}").status_code == 405
    assert vera.get("intents/intent/01a22b0f-4318-7971-beb0-cf9a23e829f0/graph/").status_code == 404
    for value in ("zzz", "\0", "9" * 30, "01a22b0f-4318-7971-beb0-cf9a23e829f0"):
        assert vera.get(path, {"of": value, "after": value, "view": value}).status_code == 200


def test_a_chain_longer_than_the_stack_of_python_is_shown(vera, make_intent):
    root = make_intent(title="Root")
    row = Intent.objects.values().get()
    chain = [Intent(**{**row, "id": Intent().pk, "title": f"Link {number}"}) for number in range(1_500)]
    Intent.objects.bulk_create(chain)
    links = [row["id"], *(each.pk for each in chain)]
    Edge.objects.bulk_create(
        Edge(waiter_id=waiter, awaited_id=awaited, kind=EdgeKind.DEPENDENCY) for waiter, awaited in pairwise(links)
    )

    assert "1501 intents: 1,501 draft" in graph(vera, root, view="tree")
    assert "1501 open intents" in graph(vera, root, view="critical")
    assert titles(graph(vera, root, view="blocking"))[0] == "Link 1499"
