"""Plans: intents that are created together (rule G-8)."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from intents.models import Intent
from portfolios.models import Portfolio
from tests.conftest import Caller, fresh, log
from tests.plans.conftest import error_fields, plan, row_counts

UNKNOWN = "0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21"


def refused(api: Any, body: dict[str, Any], status: int = 400) -> Any:
    """Return the refusal of the plan, which has written nothing."""
    before = row_counts()
    response = api.post("/intents/batch", body)
    assert response.status_code == status, response.json()
    assert row_counts() == before
    return response


@pytest.mark.rule("G-8")
def test_plan_creates_intents_edges_assignments_and_memberships(api):
    response = api.post(
        "/intents/batch",
        plan(
            {"ref": "report", "parent": "root", "depends_on": ["data"], "assign": ["ada", {"agent_id": "bob", "role": "lead"}]},
            {"ref": "root", "role": "primary", "priority": 5, "state": {"phase": 1}, "constraints": {"max_cost": 3}},
            {"ref": "data", "parent": "root", "description": "First", "confidence": 80, "created_by": "carla"},
            portfolio={"name": "Quarter", "governance_policy": {"require_all_completed": True}},
        ),
    )

    assert response.status_code == 201, response.json()
    body = response.json()
    report, root, data = body["intents"]
    assert body["refs"] == {"report": report["id"], "root": root["id"], "data": data["id"]}
    assert [each["title"] for each in body["intents"]] == ["report", "root", "data"]
    assert [each["status"] for each in body["intents"]] == ["blocked", "draft", "draft"]
    assert (report["parent_intent_id"], data["parent_intent_id"], root["parent_intent_id"]) == (root["id"], root["id"], None)
    assert report["depends_on"] == [data["id"]]
    assert report["agents"] == [{"agent_id": "ada", "role": "worker"}, {"agent_id": "bob", "role": "lead"}]
    assert (root["state"], root["constraints"], data["description"], data["confidence"]) == (
        {"phase": 1},
        {"max_cost": 3},
        "First",
        80,
    )
    assert [fresh(api, each) for each in body["intents"]] == body["intents"]
    assert api.get(f"/portfolios/{body['portfolio']['id']}").json() == body["portfolio"]
    assert [(each["title"], each["role"], each["priority"]) for each in body["portfolio"]["intents"]] == [
        ("root", "primary", 5), ("data", "member", 0), ("report", "member", 0),
    ]  # fmt: skip
    assert body["portfolio"]["version"] == 4


@pytest.mark.rule("G-8", "E-2", "E-3")
def test_log_of_a_plan_has_the_events_of_single_requests(api):
    body = api.post(
        "/intents/batch",
        plan({"ref": "a", "assign": "ada", "created_by": "carla"}, {"ref": "b", "depends_on": ["a"]}, portfolio={"name": "Both"}),
    ).json()

    a, b = body["intents"]
    assert log(api, a) == [("intent_created", "carla"), ("agent_assigned", "carla"), ("added_to_portfolio", "carla")]
    assert log(api, b) == [("intent_created", "dev-user"), ("added_to_portfolio", "dev-user")]
    events = api.get("/events").json()["events"]
    assert [each["event_type"] for each in events] == [
        "portfolio_created", "intent_created", "agent_assigned", "intent_created", "added_to_portfolio", "added_to_portfolio",
    ]  # fmt: skip
    positions = [each["position"] for each in events]
    assert positions == [*range(positions[0], positions[0] + 6)]


@pytest.mark.rule("G-8", "I-4")
def test_existing_intents_are_parents_and_dependencies(api, make_intent):
    done, still_open, parent = make_intent(status="completed"), make_intent(), make_intent()

    response = api.post(
        "/intents/batch",
        plan(
            {"parent": parent["id"], "depends_on": [done["id"]]},
            {"parent_intent_id": parent["id"].upper(), "depends_on": [done["id"], still_open["id"].upper(), still_open["id"]]},
        ),
    )

    first, second = response.json()["intents"]
    assert (first["status"], second["status"]) == ("pending", "blocked")
    assert second["depends_on"] == [done["id"], still_open["id"]]
    assert [each["id"] for each in api.get(f"/intents/{parent['id']}/children").json()["intents"]] == [first["id"], second["id"]]
    assert response.json()["refs"] == {}
    assert response.json()["portfolio"] is None


@pytest.mark.rule("G-8", "G-2")
def test_completed_dependency_unblocks_its_dependents_of_the_plan(api):
    a, b = api.post("/intents/batch", plan({"ref": "b", "depends_on": ["a"]}, {"ref": "a"})).json()["intents"][::-1]

    api.post(f"/intents/{a['id']}/status", {"status": "completed"}, version=1)

    assert fresh(api, b)["status"] == "pending"


@pytest.mark.rule("G-8")
def test_parent_may_depend_on_its_own_child(api):
    response = api.post("/intents/batch", plan({"ref": "root", "depends_on": ["part"]}, {"ref": "part", "parent": "root"}))

    root, part = response.json()["intents"]
    assert (root["depends_on"], part["parent_intent_id"]) == ([part["id"]], root["id"])
    row_counts()


@pytest.mark.rule("G-8")
@pytest.mark.parametrize(
    ("intents", "errors"),
    [
        ([{"ref": "a", "depends_on": ["b"]}], {"intents.0.depends_on.0": "unknown_ref"}),
        ([{"ref": "a"}, {"parent": "b"}], {"intents.1.parent": "unknown_ref"}),
        ([{"ref": "a", "depends_on": ["A"]}], {"intents.0.depends_on.0": "unknown_ref"}),
        ([{"ref": "a"}, {"depends_on": ["a", UNKNOWN]}], {"intents.1.depends_on.1": "unknown_id"}),
        ([{"parent": UNKNOWN.upper()}], {"intents.0.parent": "unknown_id"}),
        ([{"ref": "a"}, {"ref": "b"}, {"ref": "a"}, {"ref": "a"}], {"intents.2.ref": "duplicate_ref", "intents.3.ref": "duplicate_ref"}),
        ([{"ref": "a"}, {"ref": UNKNOWN}], {"intents.1.ref": "invalid"}),
    ],
)  # fmt: skip
def test_unknown_and_duplicate_refs_are_named(api, intents, errors):
    response = refused(api, plan(*intents, portfolio={"name": "All"}))

    assert error_fields(response) == errors
    assert response.json()["errors"][0]["field"] in response.json()["detail"]


def test_message_names_the_unknown_ref(api):
    response = refused(api, plan({"ref": "a", "depends_on": ["nowhere"]}))

    assert response.json()["detail"] == "intents.0.depends_on.0: no intent of the plan has the ref 'nowhere'"


@pytest.mark.rule("G-8", "G-1")
@pytest.mark.parametrize(
    ("intents", "cycle"),
    [
        ([{"ref": "a", "depends_on": ["a"]}], ["a", "a"]),
        ([{"ref": "a", "parent": "a"}], ["a", "a"]),
        ([{"ref": "a", "depends_on": ["b"]}, {"ref": "b", "depends_on": ["c"]}, {"ref": "c", "depends_on": ["a"]}], "abca"),
        ([{"ref": "a", "parent": "b"}, {"ref": "b", "parent": "a"}], "aba"),
        ([{"ref": "a"}, {"ref": "b", "parent": "a", "depends_on": ["c"]}, {"ref": "c", "depends_on": ["a"]}], "abca"),
    ],
)
def test_cycle_within_a_plan_is_named(api, intents, cycle):
    response = refused(api, plan(*intents))

    problem = response.json()
    assert problem["code"] == "dependency_cycle"
    assert problem["cycle"][0] == problem["cycle"][-1]
    start = problem["cycle"].index(cycle[0])
    assert [*problem["cycle"][start:-1], *problem["cycle"][:start], cycle[0]] == [*cycle]


@pytest.mark.rule("G-8", "G-1")
def test_cycle_through_existing_intents_is_named(api, make_intent):
    parent = make_intent()
    waiter = make_intent(depends_on=[make_intent(depends_on=[parent["id"]])["id"]])

    response = refused(
        api, plan({"ref": "a", "parent": parent["id"], "depends_on": ["b"]}, {"ref": "b", "depends_on": [waiter["id"]]})
    )

    assert response.json()["code"] == "dependency_cycle"
    cycle = response.json()["cycle"][:-1]
    assert {*cycle} == {"a", "b", waiter["id"], *waiter["depends_on"], parent["id"]}
    assert cycle[(cycle.index("a") + 1) % 5] == "b"


@pytest.mark.rule("G-8", "G-1")
def test_parent_and_dependency_on_the_same_intent_are_a_cycle(api, make_intent):
    parent = make_intent()

    response = refused(api, plan({"parent": parent["id"], "depends_on": [parent["id"]]}))

    assert {*response.json()["cycle"]} == {parent["id"], "intents.0"}


@pytest.mark.rule("G-8")
def test_final_parent_refuses_the_plan(api, make_intent):
    closed = make_intent(status="completed")

    response = refused(api, plan({"ref": "a"}, {"parent": closed["id"]}), status=409)

    assert (response.json()["code"], response.json()["intent_id"]) == ("intent_closed", closed["id"])


@pytest.mark.rule("G-8", "L-4")
def test_fencing_token_is_that_of_the_existing_parents(api, agent, make_intent):
    ada, parent, other = agent("ada"), make_intent(), make_intent()
    token = ada.post(f"/intents/{parent['id']}/leases", {"scope": "plan"}).json()["fencing_token"]
    body = plan({"ref": "a", "parent": parent["id"]}, {"parent": "a"})

    assert ada.post("/intents/batch", body, x_fencing_token=str(token)).status_code == 201
    for caller, refused_body in [(agent("bob"), body), (ada, plan({"parent": parent["id"]}, {"parent": other["id"]}))]:
        before = row_counts()
        response = caller.post("/intents/batch", refused_body, x_fencing_token=str(token))
        assert (response.status_code, response.json()["code"]) == (409, "lease_lost")
        assert row_counts() == before


@pytest.mark.rule("G-8", "P-1")
@pytest.mark.parametrize(
    ("intents", "portfolio", "errors"),
    [
        ([{"role": "primary"}, {}, {"role": "primary"}], {"name": "P"}, {"intents.2.role": "duplicate_primary"}),
        ([{}, {"role": "member", "priority": 1}], None, {"intents.1.role": "no_portfolio", "intents.1.priority": "no_portfolio"}),
        ([{}], {"name": ""}, {"portfolio.name": "blank"}),
        ([{}], {"name": "P", "governance_policy": {"require_al": True}}, {"portfolio.governance_policy.require_al": "unknown_field"}),
        ([{}], {"name": "P", "intents": []}, {"portfolio.intents": "unknown_field"}),
    ],
)  # fmt: skip
def test_membership_that_cannot_be_is_refused(api, intents, portfolio, errors):
    assert error_fields(refused(api, plan(*intents, portfolio=portfolio))) == errors


@pytest.mark.rule("G-8", "I-7")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""), ("title", "   "), ("title", 5), ("title", None), ("title", "x" * 501), ("ref", ""), ("ref", "x" * 256),
        ("ref", 1), ("ref", None), ("description", "x" * 10_001), ("description", 1), ("confidence", -1), ("confidence", 101),
        ("confidence", True), ("confidence", "5"), ("state", []), ("state", "x"), ("constraints", "x"), ("constraints", {"budget": 5}),
        ("parent", ""), ("parent", 5), ("depends_on", "a"), ("depends_on", [1]), ("depends_on", [""]), ("depends_on", None),
        ("assign", 5), ("assign", [""]), ("assign", "system"), ("assign", "x" * 256), ("assign", ["a"] * 101), ("assign", [{"agent": "ada"}]),
        ("assign", "a\u200bb"), ("created_by", "user:ada"), ("depends_on", ["a"] * 1001), ("priority", 2**31), ("role", " "), ("titel", "x"),
        ("parent_id", "b"),
    ],
)  # fmt: skip
def test_fields_of_an_intent_are_validated_as_in_a_single_request(api, field, value):
    intent = {"title": "Fine", "parent": "a", "role": "member", field: value}

    response = refused(api, {"intents": [{"title": "First", "ref": "a"}, intent], "portfolio": {"name": "P"}})

    assert response.json()["code"] == "invalid"
    assert all(each["field"].split(".")[:3] == ["intents", "1", field] for each in response.json()["errors"])


@pytest.mark.rule("G-8")
@pytest.mark.parametrize(
    "body", [{}, {"intents": []}, {"intents": "a"}, {"intents": [5]}, {"intents": None}, [], {"intents": [{}], "x": 1}]
)
def test_body_that_is_no_plan_is_refused(api, body):
    refused(api, body)


@pytest.mark.rule("G-8", "I-7")
def test_values_at_the_limits_and_of_any_kind_are_kept(api):
    fields = {
        "title": "  Padded\u3000", "ref": "r" * 255, "description": "", "state": {"a": [1, 2.5, None], "": {}}, "confidence": 80.0,
        "constraints": ["be kind"], "assign": {"agent_id": "ada", "role": "r" * 64}, "role": "x" * 64, "priority": -(2**31) + 1,
    }  # fmt: skip

    body = api.post(
        "/intents/batch", {"intents": [fields, {"title": "x" * 500, "initial_state": {"b": 1}}], "portfolio": {"name": "P"}}
    ).json()

    first, second = body["intents"]
    assert (first["title"], first["description"], first["confidence"]) == ("Padded", "", 80)
    assert (first["state"], first["constraints"]) == ({"a": [1, 2.5, None], "": {}}, {"rules": ["be kind"]})
    assert first["agents"] == [{"agent_id": "ada", "role": "r" * 64}]
    assert second["state"] == {"b": 1}
    assert [fresh(api, each) for each in body["intents"]] == body["intents"]


@pytest.mark.rule("G-8")
def test_equal_values_of_different_kinds_stay_what_they_are(api):
    """For Python 1, true and 1.0 are equal, and so are objects that have them."""
    given = [1, True, 1.0] * 10

    created = api.post("/intents/batch", plan(*[{"ref": str(number), "state": {"x": x}} for number, x in enumerate(given)]))

    kept = [fresh(api, each)["state"]["x"] for each in created.json()["intents"]]
    assert [(type(x), x) for x in kept] == [(type(x), x) for x in given]


@pytest.mark.rule("G-8")
def test_plan_of_more_than_a_thousand_intents_is_refused_unread(api):
    response = refused(api, {"intents": [5] * 1001})

    assert error_fields(response) == {"intents": "max_length"}


@pytest.mark.rule("G-8")
@pytest.mark.parametrize(("field", "value"), [("depends_on", [5] * 1000), ("assign", [5] * 1000)])
def test_links_of_a_plan_are_limited_together_and_unread(api, field, value):
    response = refused(api, plan(*[{field: value}] * 11))

    assert error_fields(response) == {"intents": "links"}
    assert "10000" in response.json()["detail"]


@pytest.mark.rule("G-8")
def test_at_most_fifty_errors_are_named(api):
    response = refused(api, plan(*[{"depends_on": ["x", "y"]}] * 1000))

    assert len(response.json()["errors"]) == 50


@pytest.mark.rule("G-8", "E-3")
def test_bound_key_creates_no_intent_of_another(api):
    botty = Caller(api.post("/keys", {"name": "botty", "role": "agent", "agent_id": "botty"}).json()["key"])

    response = refused(botty, plan({"ref": "a"}, {"created_by": "eve"}), status=403)

    assert response.json()["code"] == "agent_mismatch"
    assert botty.post("/intents/batch", plan({"created_by": "botty"})).json()["intents"][0]["created_by"] == "botty"


@pytest.mark.rule("G-8")
def test_same_idempotency_key_creates_the_plan_once(api):
    body = plan({"ref": "a"}, {"depends_on": ["a"]}, portfolio={"name": "P"})

    first, second = (api.post("/intents/batch", body, idempotency_key="plan-1") for _ in range(2))

    assert (first.json(), second.headers["Idempotency-Replayed"]) == (second.json(), "true")
    assert (Intent.objects.count(), Portfolio.objects.count()) == (2, 1)
    assert api.post("/intents/batch", plan({}), idempotency_key="plan-1").status_code == 422


@pytest.mark.rule("G-8", "C-5")
def test_limits_of_planned_intents_belong_to_their_creator(api):
    ada, bob = Caller("agent-research-key", "ada"), Caller("agent-synth-key", "bob")
    [intent] = ada.post("/intents/batch", plan({"constraints": {"max_cost": 5}})).json()["intents"]

    response = bob.patch(f"/intents/{intent['id']}", {"constraints": {"max_cost": 9}}, version=1)

    assert (response.status_code, response.json()["code"]) == (403, "forbidden")


@pytest.mark.rule("G-8")
def test_statements_of_a_plan_do_not_grow_with_it(api, make_intent):
    def statements(size: int) -> int:
        existing = [make_intent()["id"] for _ in range(2 * size)]
        intents = [
            {
                "ref": f"r{n}",
                "parent": existing[n],
                "depends_on": [existing[-n - 1], f"r{n - 1}" if n else existing[-1]],
                "assign": ["a", f"b{n}"],
            }
            for n in range(size)
        ]
        with CaptureQueriesContext(connection) as captured:
            assert api.post("/intents/batch", plan(*intents, portfolio={"name": "P"})).status_code == 201
        return len(captured)

    assert statements(3) == statements(12)


@pytest.mark.rule("G-8", "I-1")
def test_failure_at_the_end_leaves_nothing(api, monkeypatch):
    def fail(*_: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("plans.services.record_first_limits", fail)

    response = refused(api, plan({"ref": "a", "assign": "ada"}, {"depends_on": ["a"]}, portfolio={"name": "P"}), status=500)

    assert response.json()["code"] == "internal"


@pytest.mark.rule("G-8")
def test_portfolio_of_a_large_plan_ends_with_a_page(api, monkeypatch):
    monkeypatch.setattr("plans.representation.PAGE_BYTES", 2_000)
    monkeypatch.setattr("portfolios.queries.PAGE_BYTES", 2_000)

    body = api.post("/intents/batch", plan(*[{"state": {"text": "x" * 500}}] * 5, portfolio={"name": "P"})).json()

    assert len(body["intents"]) == 5
    assert 0 < len(body["portfolio"]["intents"]) < 5
    assert body["portfolio"] == api.get(f"/portfolios/{body['portfolio']['id']}").json()
    assert body["portfolio"]["intents_next"]
