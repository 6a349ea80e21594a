"""Dependencies: cycles, and the status of the intents that wait (RFC-0002, rules G-1 to G-3, I-9)."""

import pytest

from intents.log_verification import verify
from intents.models import Edge, Event
from tests.conftest import fresh, log, set_status
from tests.intents.conftest import depend, ids


@pytest.mark.rule("G-1")
@pytest.mark.parametrize("field", ["parent_intent_id", "depends_on"])
def test_unknown_parent_or_dependency_is_refused(api, field):
    nobody = "0190d5b8-0000-7000-8000-000000000000"

    response = api.post("/intents", {"title": "x", field: [nobody] if field == "depends_on" else nobody})

    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, field)
    assert not Event.objects.exists()


@pytest.mark.rule("G-1")
def test_dependency_on_itself_is_refused(api, make_intent):
    intent = make_intent()

    response = depend(api, intent, intent)

    assert (response.status_code, response.json()["code"]) == (400, "dependency_cycle")
    assert response.json()["cycle"] == [intent["id"], intent["id"]]
    assert fresh(api, intent) == intent


@pytest.mark.rule("G-1")
def test_dependency_cycle_is_refused_with_its_path(api, make_intent):
    first = make_intent()
    second = make_intent(depends_on=[first["id"]])
    third = make_intent(depends_on=[second["id"]])
    edges = Edge.objects.count()

    response = depend(api, first, third)

    assert (response.status_code, response.json()["code"]) == (400, "dependency_cycle")
    assert response.json()["cycle"] == [each["id"] for each in (first, third, second, first)]
    assert fresh(api, first) == first
    assert Edge.objects.count() == edges


@pytest.mark.rule("G-1")
def test_dependency_of_a_descendant_on_its_ancestor_is_refused(api, make_intent, make_child):
    top = make_intent()
    middle = make_child(top)
    bottom = make_child(middle)

    assert depend(api, bottom, top).json()["code"] == "dependency_cycle"
    response = api.post(f"/intents/{middle['id']}/children", {"title": "x", "depends_on": [top["id"]]})
    assert (response.status_code, response.json()["code"]) == (400, "dependency_cycle")
    assert ids(api.get(f"/intents/{middle['id']}/children")) == [bottom["id"]]
    assert depend(api, top, bottom).status_code == 201  # It waits for it anyway.


@pytest.mark.rule("G-1")
def test_cycle_through_parents_and_dependencies_is_refused(api, make_intent, make_child):
    left, right = make_intent(), make_intent()
    part_of_left = make_child(left)
    assert depend(api, part_of_left, right).status_code == 201  # left → part → right

    part_of_right = make_child(right)
    response = depend(api, part_of_right, left)

    assert response.json()["code"] == "dependency_cycle"
    assert response.json()["cycle"] == [each["id"] for each in (part_of_right, left, part_of_left, right, part_of_right)]


@pytest.mark.rule("G-2")
def test_last_completed_dependency_unblocks_the_intent(api, make_intent):
    first, second = make_intent(), make_intent()
    intent = make_intent(depends_on=[first["id"], second["id"]])

    set_status(api, first, "completed")
    assert fresh(api, intent)["status"] == "blocked"
    set_status(api, second, "completed")

    assert fresh(api, intent)["status"] == "pending"
    assert fresh(api, intent)["version"] == 2
    assert log(api, intent)[-1] == ("status_changed", "system")
    event = api.get(f"/intents/{intent['id']}/events", order="desc", limit=1).json()["events"][0]
    assert (event["payload"]["from"], event["payload"]["to"]) == ("blocked", "pending")


@pytest.mark.rule("G-3")
@pytest.mark.parametrize("status", ["draft", "pending", "active"])
def test_open_dependency_blocks_and_its_removal_unblocks(api, make_intent, status):
    done, still_open = make_intent(status="completed"), make_intent()
    intent = make_intent(status=None if status == "draft" else status)

    assert depend(api, intent, done).json()["status"] == status
    blocked = depend(api, intent, still_open).json()
    assert (blocked["status"], blocked["depends_on"]) == ("blocked", [done["id"], still_open["id"]])
    assert [kind for kind, _ in log(api, intent)][-2:] == ["dependency_added", "status_changed"]

    response = api.delete(f"/intents/{intent['id']}/dependencies/{still_open['id']}", version=blocked["version"])

    assert response.status_code == 204
    now = fresh(api, intent)
    assert (now["status"], now["depends_on"], now["version"]) == ("pending", [done["id"]], blocked["version"] + 1)
    again = api.delete(f"/intents/{intent['id']}/dependencies/{still_open['id']}", version=1)
    assert again.status_code == 204
    assert fresh(api, intent) == now


@pytest.mark.rule("G-3")
def test_manually_blocked_intent_stays_blocked(api, make_intent):
    done = make_intent(status="completed")
    intent = make_intent(status="blocked")
    assert depend(api, intent, done).json()["status"] == "blocked"

    api.delete(f"/intents/{intent['id']}/dependencies/{done['id']}", version=fresh(api, intent)["version"])

    assert fresh(api, intent)["status"] == "blocked"


def test_repeated_dependency_changes_nothing(api, make_intent):
    other = make_intent()
    intent = make_intent(depends_on=[other["id"]])

    response = depend(api, intent, other)

    assert (response.status_code, response.json()) == (200, intent)


@pytest.mark.parametrize("final", ["completed", "abandoned"])
def test_final_intent_accepts_no_children_or_dependencies(api, make_intent, final):
    other, intent = make_intent(), make_intent(status=final)

    for response in (depend(api, intent, other), api.post(f"/intents/{intent['id']}/children", {"title": "x"})):
        assert (response.status_code, response.json()["code"]) == (409, "intent_closed")
    assert fresh(api, intent) == intent


@pytest.mark.rule("I-9")
@pytest.mark.parametrize("release", ["completed", "removed"])
@pytest.mark.parametrize("held", ["first", "afterwards"])
def test_manual_block_outlasts_the_dependencies(api, make_intent, release, held):
    dependency = make_intent()
    intent = make_intent(depends_on=[dependency["id"]]) if held == "afterwards" else make_intent()
    set_status(api, intent, "blocked", reason="Wait for me")
    if held == "first":
        path = f"/intents/{intent['id']}/dependencies"
        api.post(path, {"depends_on": [dependency["id"]]}, version=fresh(api, intent)["version"])

    if release == "completed":
        set_status(api, dependency, "completed")
    else:
        path = f"/intents/{intent['id']}/dependencies/{dependency['id']}"
        assert api.delete(path, version=fresh(api, intent)["version"]).status_code == 204

    assert fresh(api, intent)["status"] == "blocked"
    assert set_status(api, intent, "active")["status"] == "active"
    assert list(verify()) == []


@pytest.mark.rule("I-9")
def test_dependencies_block_a_manually_unblocked_intent_again(api, make_intent):
    intent, dependency = make_intent(status="blocked"), make_intent()
    set_status(api, intent, "active")
    path = f"/intents/{intent['id']}/dependencies"
    api.post(path, {"depends_on": [dependency["id"]]}, version=fresh(api, intent)["version"])

    set_status(api, dependency, "completed")

    assert fresh(api, intent)["status"] == "pending"


@pytest.mark.rule("I-9")
def test_blocking_an_intent_on_hold_changes_nothing(api, make_intent):
    intent = make_intent(status="blocked")

    assert set_status(api, intent, "blocked") == intent
    assert fresh(api, intent) == intent
