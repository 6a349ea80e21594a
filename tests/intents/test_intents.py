"""Intents and their state (RFC-0001, rules I-*)."""

from typing import Any

import pytest

from intents.models import Event
from tests.conftest import fresh, log, set_status

TRANSITIONS = {
    "draft": {"pending", "active", "blocked", "completed", "abandoned"},
    "pending": {"active", "blocked", "completed", "abandoned"},
    "active": {"pending", "blocked", "completed", "abandoned"},
    "blocked": {"pending", "active", "abandoned"},
    "completed": set(),
    "abandoned": set(),
}


def patch(api: Any, intent: dict[str, Any], *patches: dict[str, Any], version: int | None = None) -> Any:
    version = version or fresh(api, intent)["version"]
    return api.post(f"/intents/{intent['id']}/state", {"patches": list(patches)}, version=version)


def test_new_intent_has_every_field(api):
    response = api.post("/intents", {"title": "Hello World", "created_by": "me"})

    assert response.status_code == 201
    intent = response.json()
    assert response.headers["ETag"] == '"1"'
    assert response.headers["Location"] == f"/api/v1/intents/{intent['id']}"
    assert intent == {
        "id": intent["id"], "title": "Hello World", "description": None, "status": "draft", "state": {}, "constraints": {},
        "confidence": None, "version": 1, "parent_intent_id": None, "depends_on": [], "agents": [], "created_by": "me",
        "created_at": intent["created_at"], "updated_at": intent["created_at"], "last_sequence": 1,
    }  # fmt: skip
    assert fresh(api, intent) == intent
    assert log(api, intent) == [("intent_created", "me")]


def test_every_field_of_a_creation_is_stored(api):
    given = {
        "description": "", "constraints": {"max_cost": 50.0}, "confidence": 80, "initial_state": {"a": {"b": [1, 2.5, None]}},
    }  # fmt: skip

    intent = api.post("/intents", {"title": "  Padded ", **given, "assign": ["ada", {"agent_id": "bob", "role": "lead"}]}).json()

    assert intent["title"] == "Padded"
    assert (intent["description"], intent["confidence"], intent["constraints"]) == ("", 80, {"max_cost": 50.0})
    assert intent["state"] == {"a": {"b": [1, 2.5, None]}}
    assert intent["agents"] == [{"agent_id": "ada", "role": "worker"}, {"agent_id": "bob", "role": "lead"}]
    assert [kind for kind, _ in log(api, intent)] == ["intent_created", "agent_assigned", "agent_assigned"]


def test_list_of_constraints_becomes_rules(make_intent):
    assert make_intent(constraints=["be kind"])["constraints"] == {"rules": ["be kind"]}


@pytest.mark.rule("I-1")
def test_failed_event_rolls_back_its_write(api, make_intent, monkeypatch):
    intent = make_intent()
    monkeypatch.setattr("core.db.sql_rows.record", lambda *_: (_ for _ in ()).throw(RuntimeError("the disk is full")))

    response = api.post(f"/intents/{intent['id']}/state", {"state": {"x": 1}}, version=1)

    assert (response.status_code, response.json()["code"]) == (500, "internal")
    monkeypatch.undo()
    assert fresh(api, intent) == intent
    assert log(api, intent) == [("intent_created", "dev-user")]


@pytest.mark.rule("I-2")
def test_only_versioned_writes_increment_the_version(api, make_intent):
    other, intent = make_intent(), make_intent()
    path = f"/intents/{intent['id']}"
    version = 1
    for method, where, body in [
        (api.post, "/state", {"state": {"a": 1, "b": 2}}),
        (api.post, "/status", {"status": "active"}),
        (api.patch, "", {"title": "Another"}),
        (api.post, "/dependencies", {"depends_on": other["id"]}),
        (api.delete, f"/dependencies/{other['id']}", None),
    ]:
        response = method(path + where, body, version=version) if body else method(path + where, version=version)
        version += 1
        assert response.status_code in (200, 201, 204), response.content
        assert response.headers["ETag"] == f'"{version}"'
        assert fresh(api, intent)["version"] == version

    api.post(f"{path}/events", {"event_type": "comment"})
    api.post(f"{path}/agents", {"agent_id": "ada"})
    api.delete(f"{path}/agents/ada")
    assert fresh(api, intent)["version"] == version


@pytest.mark.rule("I-2")
@pytest.mark.parametrize("stale", [1, 3])
def test_stale_version_shows_conflict_and_changes_nothing(api, make_intent, stale):
    intent = make_intent()
    api.post(f"/intents/{intent['id']}/state", {"state": {"x": 1}}, version=1)
    before, events = fresh(api, intent), Event.objects.count()

    for method, where, body in [
        (api.post, "/state", {"state": {"x": 2}}),
        (api.post, "/status", {"status": "active"}),
        (api.post, "/status", {"status": "draft"}),
        (api.patch, "", {"title": "Another"}),
        (api.post, "/dependencies", {"depends_on": [make_intent()["id"]]}),
    ]:
        response = method(f"/intents/{intent['id']}{where}", body, version=stale)
        assert (response.status_code, response.json()["code"]) == (409, "version_conflict")
        assert response.json()["current_version"] == 2

    assert fresh(api, intent) == before
    assert Event.objects.count() == events + 1  # The dependency that was made for the last request.


@pytest.mark.rule("I-3")
def test_patches_set_append_and_remove(api, make_intent):
    intent = make_intent(state={"list": [1], "gone": True, "deep": {"a/b": {"~": 0}}})

    response = patch(
        api, intent,
        {"op": "set", "path": "plain.key", "value": 1},
        {"op": "append", "path": "list", "value": [2]},
        {"op": "append", "path": "new", "value": "x"},
        {"op": "remove", "path": "gone"},
        {"op": "set", "path": "/deep/a~1b/~0", "value": {"y": None}},
        {"op": "set", "path": "/made/on/the/way", "value": []},
        {"op": "append", "path": "/made/on/the/way", "value": 1},
        {"op": "set", "path": "/list/0", "value": "first"},
        {"op": "set", "path": "/list/-", "value": "last"},
        {"op": "remove", "path": "/list/1"},
    )  # fmt: skip

    assert response.status_code == 200
    assert response.json()["state"] == {
        "plain.key": 1, "list": ["first", "last"], "new": ["x"], "deep": {"a/b": {"~": {"y": None}}},
        "made": {"on": {"the": {"way": [1]}}},
    }  # fmt: skip
    event = api.get(f"/intents/{intent['id']}/events", order="desc", limit=1).json()["events"][0]
    assert event["event_type"] == "state_patched"
    assert event["payload"]["version"] == 2
    assert event["payload"]["patches"][5] == {"op": "set", "path": "/made/on/the/way", "value": []}  # As it was sent.


@pytest.mark.rule("I-3")
@pytest.mark.parametrize(
    "bad",
    [
        {"op": "remove", "path": "absent"},
        {"op": "remove", "path": "/list/5"},
        {"op": "remove", "path": "/nowhere/x"},
        {"op": "set", "path": "/scalar/x", "value": 1},
        {"op": "set", "path": "/scalar/x/y", "value": 1},
        {"op": "set", "path": "/list/7", "value": 1},
        {"op": "set", "path": "/list/01", "value": 1},
        {"op": "set", "path": "/list/x/y", "value": 1},
        {"op": "append", "path": "scalar", "value": 1},
        {"op": "append", "path": "/list/0", "value": 1},
        {"op": "set", "path": "/bad~pointer", "value": 1},
        {"op": "set", "path": "/x" * 70, "value": 1},
    ],
)
def test_invalid_patch_rolls_back_all(api, make_intent, bad):
    intent = make_intent(state={"scalar": 1, "list": [1]})

    response = patch(api, intent, {"op": "set", "path": "fine", "value": 1}, bad)

    assert (response.status_code, response.json()["code"]) == (400, "invalid_patch")
    assert response.json()["index"] == 1
    assert fresh(api, intent) == intent


@pytest.mark.rule("I-3")
def test_state_write_sets_each_key_and_keeps_the_others(api, make_intent):
    intent = make_intent(state={"kept": 1, "changed": 1})

    response = api.post(f"/intents/{intent['id']}/state", {"state": {"changed": {"x": 1}, "/slash": 2}}, version=1)

    assert response.status_code == 200
    assert response.json()["state"] == {"kept": 1, "changed": {"x": 1}, "/slash": 2}


@pytest.mark.rule("I-3")
@pytest.mark.parametrize("body", [{"patches": []}, {"state": {}}, {}, {"state": {"a": 1}, "patches": []}])
def test_empty_change_is_refused(api, make_intent, body):
    intent = make_intent()

    response = api.post(f"/intents/{intent['id']}/state", body, version=1)

    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert fresh(api, intent) == intent


@pytest.mark.rule("I-4")
def test_initial_status_depends_on_the_dependencies(api, make_intent):
    done, still_open, given_up = make_intent(status="completed"), make_intent(), make_intent(status="abandoned")

    assert make_intent()["status"] == "draft"
    assert make_intent(depends_on=[done["id"]])["status"] == "pending"
    assert make_intent(depends_on=[done["id"], still_open["id"]])["status"] == "blocked"
    assert make_intent(depends_on=[given_up["id"]])["status"] == "blocked"


@pytest.mark.rule("I-5")
@pytest.mark.parametrize("before", TRANSITIONS)
@pytest.mark.parametrize("after", TRANSITIONS)
def test_illegal_status_transition_is_refused(api, make_intent, before, after):
    intent = make_intent(status=None if before == "draft" else before)

    response = api.post(f"/intents/{intent['id']}/status", {"status": after, "reason": "why"}, version=intent["version"])

    if after == before:
        assert (response.status_code, response.json()) == (200, intent)
        assert fresh(api, intent) == intent
    elif after in TRANSITIONS[before]:
        assert (response.status_code, response.json()["status"]) == (200, after)
        event = api.get(f"/intents/{intent['id']}/events", order="desc", limit=1).json()["events"][0]
        assert event["payload"] == {"from": before, "to": after, "version": intent["version"] + 1, "reason": "why"}
    else:
        problem = response.json()
        assert (response.status_code, problem["code"]) == (400, "illegal_transition")
        assert (problem["from"], problem["to"], set(problem["allowed"])) == (before, after, TRANSITIONS[before])
        assert fresh(api, intent) == intent


@pytest.mark.rule("I-6")
@pytest.mark.parametrize("status", ["pending", "active"])
def test_open_dependency_prevents_manual_unblocking(api, make_intent, status):
    dependency = make_intent()
    intent = make_intent(depends_on=[dependency["id"]])

    response = api.post(f"/intents/{intent['id']}/status", {"status": status}, version=1)

    assert (response.status_code, response.json()["code"]) == (409, "completion_gate")
    assert response.json()["waiting_for"] == [dependency["id"]]
    assert fresh(api, intent) == intent
    assert set_status(api, intent, "abandoned")["status"] == "abandoned"


@pytest.mark.rule("I-7")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""), ("title", "   "), ("title", 5), ("title", None), ("title", "x" * 501), ("description", "x" * 10_001),
        ("description", 1), ("confidence", -1), ("confidence", 101), ("confidence", 50.5), ("confidence", "50"), ("confidence", True),
        ("state", []), ("state", "x"), ("constraints", "x"), ("parent_intent_id", "x"), ("depends_on", "x"), ("depends_on", [1]),
        ("assign", 5), ("assign", [""]), ("assign", "x" * 256),
    ],
)  # fmt: skip
def test_types_and_limits_are_validated_by_the_server(api, field, value):
    response = api.post("/intents", {"title": "Fine", field: value})

    assert (response.status_code, response.json()["code"]) == (400, "invalid")
    assert response.json()["errors"][0]["field"].split(".")[0] == field
    assert api.get("/intents").json()["intents"] == []


@pytest.mark.rule("I-7")
def test_values_at_the_limits_are_accepted(make_intent):
    intent = make_intent(title="x" * 500, description="y" * 10_000, confidence=100)

    assert (len(intent["title"]), len(intent["description"]), intent["confidence"]) == (500, 10_000, 100)


def test_details_change_and_null_clears_them(api, make_intent):
    intent = make_intent(description="old", confidence=10)

    response = api.patch(f"/intents/{intent['id']}", {"description": None, "confidence": 0, "constraints": {"a": 1}}, version=1)

    changed = response.json()
    assert (changed["description"], changed["confidence"], changed["constraints"], changed["version"]) == (None, 0, {"a": 1}, 2)
    event = api.get(f"/intents/{intent['id']}/events", order="desc", limit=1).json()["events"][0]
    assert event["payload"] == {"changes": {"description": None, "confidence": 0, "constraints": {"a": 1}}, "version": 2}


def test_numbers_and_text_round_trip_unchanged(api, make_intent):
    state = {"z": -0.0, "a": 1e300, "whole": 9007199254740991, "text": "𝄞\t\u2028", "": {"": []}, "tiny": 5e-324}

    intent = make_intent(state=state)

    assert list(fresh(api, intent)["state"]) == list(state)
    assert repr(fresh(api, intent)["state"]) == repr(state)
