"""Rules that hold between two requests that come at the same moment, from two processes."""

import random
import time
from collections.abc import Callable
from graphlib import TopologicalSorter
from typing import Any

import pytest

from tests.system.concurrent_clients import Action, Answer, Crowd, Http, rounds, statuses

pytestmark = pytest.mark.full


MakeCrowd = Callable[[int], Crowd]


def status(intent: dict[str, Any], status: str, **fields: Any) -> Action:
    path = f"/intents/{intent['id']}/status"
    return lambda client: client.post(path, {"status": status, **fields}, version=intent["version"])


def depend(intent: dict[str, Any], *others: dict[str, Any]) -> Action:
    path, body = f"/intents/{intent['id']}/dependencies", {"depends_on": [other["id"] for other in others]}
    return lambda client: client.post(path, body, version=intent["version"])


def create_child(parent: dict[str, Any], **fields: Any) -> Action:
    return lambda client: client.post(f"/intents/{parent['id']}/children", {"title": "A part of it", **fields})


# --- versions ------------------------------------------------------------------------------------------------------


@pytest.mark.rule("I-2", "I-1")
def test_of_twenty_writers_with_the_same_version_one_wins(http, crowd):
    together, intent = crowd(20), http.create()
    path = f"/intents/{intent['id']}"
    writes: list[Callable[[int, int], Action]] = [
        lambda number, version: lambda client: client.post(f"{path}/state", {"state": {"by": number}}, version=version),
        lambda number, version: lambda client: client.patch(path, {"title": f"By {number}"}, version=version),
    ]
    times = rounds(200, 12)

    for version in range(1, times + 1):
        answers = together.at_once(*[writes[number % 2](number, version) for number in range(20)])

        assert statuses(answers) == [200] + [409] * 19
        assert {answer.body["current_version"] for answer in answers if answer.status == 409} == {version + 1}

    assert http.intent(intent["id"])["version"] == times + 1
    assert len(http.events(intent["id"])) == times + 1


@pytest.mark.rule("I-2")
def test_no_increment_is_lost(http, crowd):
    times = rounds(50, 10)
    intent = http.create(state={"count": 0})

    def count_up(client: Http) -> None:
        done = 0
        while done < times:
            now = client.intent(intent["id"])
            state = {"count": now["state"]["count"] + 1}
            answer = client.post(f"/intents/{intent['id']}/state", {"state": state}, version=now["version"])
            done += answer.status == 200
            if answer.status == 409:
                time.sleep(random.uniform(0, 0.1))  # As clients do that step out of each other's way.

    crowd(20).at_once(*[count_up] * 20)

    assert http.intent(intent["id"])["state"] == {"count": 20 * times}
    assert http.intent(intent["id"])["version"] == 20 * times + 1


# --- cycles --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("G-1")
@pytest.mark.parametrize("length", [2, 3])
def test_requests_that_together_close_a_cycle_are_not_all_granted(http, crowd, length):
    together = crowd(length)
    for _ in range(rounds(200, 12)):
        ring = [http.create() for _ in range(length)]

        answers = together.at_once(*[depend(intent, ring[index - 1]) for index, intent in enumerate(ring)])

        assert_one_closed_the_cycle(answers, length)
        assert_no_cycle(http, ring)


@pytest.mark.rule("G-1")
def test_child_and_dependency_that_close_a_cycle_are_not_both_granted(http, crowd):
    together = crowd(2)
    for _ in range(rounds(200, 12)):
        parent, other = http.create(), http.create()

        answers = together.at_once(create_child(parent, depends_on=[other["id"]]), depend(other, parent))

        assert_one_closed_the_cycle(answers, 2)
        assert_no_cycle(http, [parent, other])


def assert_one_closed_the_cycle(answers: list[Answer], length: int) -> None:
    assert statuses(answers) == [201] * (length - 1) + [400]
    [refused] = [answer for answer in answers if answer.status == 400]
    assert refused.code == "dependency_cycle"
    assert refused.body["cycle"][0] == refused.body["cycle"][-1]


def assert_no_cycle(http: Http, intents: list[dict[str, Any]]) -> None:
    waits = TopologicalSorter[str]()
    for intent in intents:
        for edge in http.get(f"/intents/{intent['id']}/graph").body["edges"]:
            waits.add(edge["from"], edge["to"])
    waits.prepare()  # Raises CycleError.


# --- gates ---------------------------------------------------------------------------------------------------------


@pytest.mark.rule("G-2")
def test_the_last_two_dependencies_completed_at_once_unblock_once(http, crowd):
    together = crowd(2)
    for _ in range(rounds(100, 10)):
        first, second = http.create(), http.create()
        waiter = http.create(depends_on=[first["id"], second["id"]])

        answers = together.at_once(status(first, "completed"), status(second, "completed"))

        assert statuses(answers) == [200, 200]
        assert_unblocked_once(http, waiter)


@pytest.mark.rule("G-2", "G-3")
def test_dependency_removed_and_other_completed_together_unblock_once(http, crowd):
    together = crowd(2)
    for _ in range(rounds(100, 10)):
        first, second = http.create(), http.create()
        waiter = http.create(depends_on=[first["id"], second["id"]])
        path = f"/intents/{waiter['id']}/dependencies/{first['id']}"

        answers = together.at_once(lambda client, path=path: client.delete(path, version=1), status(second, "completed"))

        assert statuses(answers) == [200, 204]
        assert_unblocked_once(http, waiter)


def assert_unblocked_once(http: Http, waiter: dict[str, Any]) -> None:
    assert http.intent(waiter["id"])["status"] == "pending"
    changes = [event for event in http.events(waiter["id"]) if event["event_type"] == "status_changed"]
    assert [(each["actor"], each["payload"]["to"]) for each in changes] == [("system", "pending")]


@pytest.mark.rule("I-4", "G-2")
def test_intent_created_while_its_dependency_completes_is_not_blocked(http, crowd):
    together = crowd(2)
    for _ in range(rounds(100, 10)):
        dependency = http.create()
        fields = {"title": "Next", "depends_on": [dependency["id"]]}

        created, completed = together.at_once(
            lambda client, fields=fields: client.post("/intents", fields), status(dependency, "completed")
        )

        assert (created.status, completed.status) == (201, 200)
        assert http.intent(created.body["id"])["status"] == "pending"


@pytest.mark.rule("G-3", "G-2")
def test_dependency_added_while_it_completes_leaves_no_dependent_blocked(http, crowd):
    together = crowd(2)
    for _ in range(rounds(100, 10)):
        dependency, waiter = http.create(), http.create()

        added, completed = together.at_once(depend(waiter, dependency), status(dependency, "completed"))

        assert (added.status, completed.status) == (201, 200)
        assert http.intent(waiter["id"])["status"] in ("draft", "pending")


@pytest.mark.rule("G-4")
def test_a_completed_parent_never_has_an_open_child(http, crowd):
    together = crowd(2)
    for _ in range(rounds(100, 10)):
        parent = http.create()

        child, completed = together.at_once(create_child(parent), status(parent, "completed"))

        outcome = (child.status, completed.status)
        assert outcome in ((201, 409), (409, 200))
        assert child.code == "intent_closed" if completed.status == 200 else completed.code == "completion_gate"


@pytest.mark.rule("G-5")
def test_an_abandoned_tree_never_has_an_open_branch(http, crowd):
    together = crowd(4)
    for _ in range(rounds(100, 10)):
        root = http.create()
        branch = http.post(f"/intents/{root['id']}/children", {"title": "A branch"}).body

        *children, abandoned = together.at_once(
            create_child(branch), create_child(branch), create_child(root), status(root, "abandoned", cascade=True)
        )

        assert abandoned.status == 200
        assert {child.code for child in children if child.status != 201} <= {"intent_closed"}
        below = http.get(f"/intents/{root['id']}/descendants").body["intents"]
        assert len(below) == 1 + sum(child.status == 201 for child in children)
        assert {intent["status"] for intent in below} == {"abandoned"}


@pytest.mark.rule("G-2", "G-5")
def test_verbs_over_many_intents_neither_deadlock_nor_lose_a_write(http, crowd):
    """Trees whose parts depend on each other across, closed from all sides at once."""
    together = crowd(6)
    for _ in range(rounds(100, 10)):
        roots = [http.create() for _ in range(3)]
        parts = [create_child(root)(http).body for root in roots for _ in range(2)]
        for index in (1, 3, 5):
            assert depend(parts[index], parts[(index + 1) % 6], parts[(index + 3) % 6])(http).status == 201

        answers = together.at_once(
            *[status(root, "abandoned", cascade=True) for root in roots],
            *[status(parts[index], "completed") for index in (0, 2, 4)],
        )

        assert {answer.status for answer in answers} <= {200, 400, 409}
        assert statuses(answers[:3]) == [200] * 3
        assert {http.intent(part["id"])["status"] for part in parts} <= {"abandoned", "completed"}
