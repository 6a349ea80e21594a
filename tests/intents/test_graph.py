"""Graph of parents, children and dependencies: gates, cascades and reads (RFC-0002, rules G-4 to G-7)."""

from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from governance.models import Arbitration
from governance.services import expire_arbitration
from tests.conftest import fresh, log, set_status
from tests.governance.conftest import make_overdue
from tests.intents.conftest import depend, ids

pytestmark = pytest.mark.database("sqlite", "postgresql")


READS = ["children", "descendants", "ancestors", "dependencies", "dependents", "ready", "blocked", "graph"]


def test_readme_incident_example_works(api, make_intent, make_child):
    parent = make_intent(title="Resolve Production Incident INC-2024-001")
    diagnose = make_child(parent, assign="agent:diagnostics")
    communicate = make_child(parent, assign="agent:comms")
    hotfix = make_child(parent, assign="agent:dev", depends_on=[diagnose["id"]])
    deploy = make_child(parent, assign="agent:deploy", depends_on=[diagnose["id"], hotfix["id"]])
    path = f"/intents/{parent['id']}"

    assert [hotfix["status"], deploy["status"]] == ["blocked", "blocked"]
    assert ids(api.get(f"{path}/children")) == [each["id"] for each in (diagnose, communicate, hotfix, deploy)]
    assert ids(api.get(f"/intents/{deploy['id']}/ancestors")) == [parent["id"]]
    assert ids(api.get(f"/intents/{deploy['id']}/dependencies")) == [diagnose["id"], hotfix["id"]]
    assert ids(api.get(f"/intents/{diagnose['id']}/dependents")) == [hotfix["id"], deploy["id"]]
    assert ids(api.get("/agents/agent%3Adev/intents")) == [hotfix["id"]]

    set_status(api, diagnose, "completed")
    assert [fresh(api, each)["status"] for each in (hotfix, deploy)] == ["pending", "blocked"]
    set_status(api, hotfix, "completed")
    assert fresh(api, deploy)["status"] == "pending"


@pytest.mark.rule("G-4")
def test_intent_completes_after_its_dependencies_and_children(api, make_intent, make_child):
    parent = make_intent()
    children = [make_child(parent), make_child(parent), make_child(parent)]
    set_status(api, children[0], "completed")

    response = api.post(f"/intents/{parent['id']}/status", {"status": "completed"}, version=1)
    assert (response.status_code, response.json()["code"]) == (409, "completion_gate")
    assert response.json()["waiting_for"] == [child["id"] for child in children[1:]]
    assert fresh(api, parent) == parent

    set_status(api, children[1], "abandoned")
    set_status(api, children[2], "completed")
    assert set_status(api, parent, "completed")["status"] == "completed"


@pytest.mark.rule("G-5")
def test_cascade_abandons_the_open_descendants(api, make_intent, make_child):
    top = make_intent()
    child = make_child(top)
    done = make_child(child)
    set_status(api, done, "completed")
    grandchild = make_child(child, depends_on=[done["id"]])
    outside = make_intent(depends_on=[grandchild["id"]])

    set_status(api, top, "abandoned", cascade=True, reason="no longer needed")

    assert [fresh(api, each)["status"] for each in (top, child, done, grandchild)] == [
        "abandoned",
        "abandoned",
        "completed",
        "abandoned",
    ]
    assert fresh(api, outside)["status"] == "blocked"
    assert log(api, outside)[-1] == ("dependency_abandoned", "dev-user")
    event = api.get(f"/intents/{grandchild['id']}/events", order="desc", limit=1).json()["events"][0]
    assert event["payload"]["reason"] == "no longer needed"


@pytest.mark.rule("G-5")
def test_abandoning_without_cascade_keeps_children_and_informs_dependents(api, make_intent, make_child):
    top = make_intent()
    child = make_child(top)
    dependent = make_intent(depends_on=[top["id"]])

    set_status(api, top, "abandoned")

    assert fresh(api, child)["status"] == "draft"
    assert (fresh(api, dependent)["status"], fresh(api, dependent)["version"]) == ("blocked", 1)
    event = api.get(f"/intents/{dependent['id']}/events", order="desc", limit=1).json()["events"][0]
    assert (event["event_type"], event["payload"]) == ("dependency_abandoned", {"dependency_id": top["id"]})


@pytest.mark.rule("G-5")
def test_cascade_is_only_valid_with_abandoned(api, make_intent):
    intent = make_intent()

    response = api.post(f"/intents/{intent['id']}/status", {"status": "completed", "cascade": True}, version=1)

    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "cascade")
    assert fresh(api, intent) == intent


@pytest.mark.rule("G-6")
def test_ready_and_blocked_partition_the_open_children(api, make_intent, make_child):
    parent = make_intent()
    done, free = make_child(parent), make_child(parent)
    set_status(api, done, "completed")
    freed = make_child(parent, depends_on=[done["id"]])
    waits = make_child(parent, depends_on=[free["id"], done["id"]])

    assert ids(api.get(f"/intents/{parent['id']}/ready")) == [free["id"], freed["id"]]
    [blocked] = api.get(f"/intents/{parent['id']}/blocked").json()["intents"]
    assert (blocked["id"], blocked["waiting_for"]) == (waits["id"], [free["id"]])


@pytest.mark.rule("G-6")
@pytest.mark.parametrize("kept_by", ["hand", "a question", "a question that nobody answered"])
def test_blocked_child_is_not_ready(api, make_intent, make_child, kept_by):
    parent = make_intent()
    child, free = make_child(parent), make_child(parent)
    asked = None
    if kept_by == "hand":
        set_status(api, child, "blocked")
    else:
        question = {"reason": "?", "blocking": True, "expires_at": "2999-01-01T00:00:00Z"}
        asked = api.post(f"/intents/{child['id']}/arbitrate", question).json()
    if kept_by == "a question that nobody answered":
        make_overdue(Arbitration, asked)
        assert expire_arbitration(UUID(asked["id"]))

    assert ids(api.get(f"/intents/{parent['id']}/ready")) == [free["id"]]
    [blocked] = api.get(f"/intents/{parent['id']}/blocked").json()["intents"]
    assert (blocked["id"], blocked["waiting_for"]) == (child["id"], [asked["id"]] if kept_by == "a question" else [])
    status = api.get(f"/intents/{parent['id']}/graph").json()["aggregate_status"]
    assert set(status["ready_intents"]) == {parent["id"], free["id"]}


@pytest.mark.rule("G-6")
def test_waiting_for_lists_dependencies_and_arbitrations(api, make_intent, make_child):
    parent, dependency = make_intent(), make_intent()
    child = make_child(parent, depends_on=[dependency["id"]])
    asked = api.post(f"/intents/{child['id']}/arbitrate", {"reason": "?", "blocking": True}).json()

    [blocked] = api.get(f"/intents/{parent['id']}/blocked").json()["intents"]

    assert blocked["waiting_for"] == [dependency["id"], asked["id"]]


@pytest.mark.rule("G-6")
def test_graph_has_only_reachable_nodes(api, make_intent, make_child):
    root, elsewhere = make_intent(), make_intent()
    child = make_child(root, depends_on=[elsewhere["id"]])
    part = make_child(elsewhere)
    make_intent(depends_on=[child["id"]])  # Waits for us; we do not wait for it.

    graph = api.get(f"/intents/{root['id']}/graph").json()

    assert graph["root"] == root["id"]
    assert [node["id"] for node in graph["nodes"]] == sorted(each["id"] for each in (root, elsewhere, child, part))
    assert {(edge["from"], edge["to"], edge["type"]) for edge in graph["edges"]} == {
        (root["id"], child["id"], "parent"),
        (child["id"], elsewhere["id"], "dependency"),
        (elsewhere["id"], part["id"], "parent"),
    }
    status = graph["aggregate_status"]
    assert (status["total"], status["by_status"]["blocked"], status["completion_percentage"]) == (4, 1, 0.0)
    assert status["blocking_intents"] == [elsewhere["id"]]
    assert set(status["ready_intents"]) == {root["id"], elsewhere["id"], part["id"]}


def test_diamonds_are_traversed_once(api, make_intent):
    layer = [make_intent()]
    for _ in range(12):
        above = [intent["id"] for intent in layer]
        layer = [make_intent(depends_on=above), make_intent(depends_on=above)]

    graph = api.get(f"/intents/{layer[0]['id']}/graph").json()

    assert len(graph["nodes"]) == 24
    assert depend(api, layer[0], layer[1]).status_code == 201


def test_descendants_and_ancestors_include_every_level(api, make_intent, make_child):
    chain = [make_intent()]
    for _ in range(5):
        chain.append(make_child(chain[-1]))

    assert ids(api.get(f"/intents/{chain[0]['id']}/descendants")) == [each["id"] for each in chain[1:]]
    assert ids(api.get(f"/intents/{chain[-1]['id']}/ancestors")) == [each["id"] for each in chain[-2::-1]]


@pytest.mark.rule("G-7")
@pytest.mark.parametrize("read", READS)
def test_graph_reads_have_a_fixed_number_of_queries(api, make_intent, make_child, read):
    counts = []
    for size in (2, 30):
        first = make_intent()
        top = make_intent(depends_on=[first["id"]])
        for _ in range(size):
            child = make_child(top, depends_on=[first["id"]])
            make_child(child)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert api.get(f"/intents/{top['id']}/{read}").status_code == 200
        counts.append(len(queries))

    assert counts[0] == counts[1]
