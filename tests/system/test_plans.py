"""Plans whose server is killed, and plans beside other writes of the same moment (rule G-8)."""

import http.client
import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.databases import migrated_database
from tests.servers import Server
from tests.system.concurrent_clients import Action, Answer, Crowd, Http, rounds, statuses
from tests.system.conftest import verified

pytestmark = pytest.mark.full

SIZE = 300
"""Intents of the plans of a crash."""

MakeCrowd = Callable[[int], Crowd]


def plan(*intents: dict[str, Any], **fields: Any) -> Action:
    """Return the action that creates a plan of these intents."""
    body = {"intents": [{"title": "Planned", **each} for each in intents], **fields}
    return lambda client: client.post("/intents/batch", body)


def chain(mark: str, size: int = SIZE) -> dict[str, Any]:
    """Return a plan of intents, each with an edge, an assignment and a membership."""
    intents = [{"title": mark, "ref": f"r{n}", "assign": "ada", "depends_on": [f"r{n - 1}"] if n else []} for n in range(size)]
    return {"intents": intents, "portfolio": {"name": mark}}


@pytest.mark.rule("G-8", "I-1", "E-6")
def test_crash_during_plans_leaves_each_of_them_whole_or_none(vendor: str, tmp_path: Path) -> None:
    database_url, numbers = migrated_database(vendor, tmp_path), count()
    sent: set[str] = set()
    acknowledged: set[str] = set()

    def send_plans(server: Server, number: int) -> None:
        with Http(server, may_fail=True) as client, suppress(OSError, http.client.HTTPException):
            while True:
                mark = f"plan {number} {next(numbers)}"
                sent.add(mark)
                if client.post("/intents/batch", chain(mark), key=mark).status == 201:
                    acknowledged.add(mark)

    for _ in range(rounds(20, 4)):
        with Server(database_url) as server, ThreadPoolExecutor(2) as pool:
            writers = [pool.submit(send_plans, server, number) for number in range(2)]
            time.sleep(random.uniform(0.2, 1.5))
            server.kill()
            for each in writers:
                each.result()

    with Server(database_url) as server, Http(server) as client:
        found, cursor = {}, ""
        while cursor is not None:
            page = client.get(f"/portfolios?limit=1000&cursor={cursor}").body
            found |= {each["name"]: each["aggregate_status"]["total"] for each in page["portfolios"]}
            cursor = page["next"]
        assert acknowledged <= found.keys() <= sent
        assert set(found.values()) <= {SIZE}
        lost = next(iter(sent - acknowledged), "plan of its own")  # Sent again, as clients do: it exists once.
        assert client.post("/intents/batch", chain(lost), key=lost).status == 201
        names = {*found, lost}
    assert verified(database_url)["intents"] == SIZE * len(names)


@pytest.mark.rule("G-8")
def test_plans_with_crossing_links_do_not_deadlock(http: Http, crowd: MakeCrowd) -> None:
    """The fixture of the servers asserts that PostgreSQL has seen no deadlock."""
    together = crowd(6)
    for _ in range(rounds(100, 10)):
        intents = [http.create()["id"] for _ in range(6)]

        def crossing(turn: int, intents: list[str] = intents) -> Action:
            turned = [*intents[turn:], *intents[:turn]]
            parts = [{"depends_on": turned[n : n + 2] or [turned[0]]} for n in range(5)]
            return plan(*parts, *[{"parent": each} for each in turned[::-1]])

        completions = [
            lambda client, pk=pk: client.post(f"/intents/{pk}/status", {"status": "active"}, version=1) for pk in intents[:2]
        ]
        answers = together.at_once(*[crossing(turn) for turn in range(4)], *completions)

        assert statuses(answers) == [200] * 2 + [201] * 4


@pytest.mark.rule("G-8", "I-4", "G-2")
def test_planned_intent_whose_dependency_completes_is_not_blocked(http: Http, crowd: MakeCrowd) -> None:
    together = crowd(2)
    for _ in range(rounds(100, 10)):
        dependency = http.create()

        created, completed = together.at_once(plan({"depends_on": [dependency["id"]]}), lambda c, d=dependency: c.complete(d))

        assert (created.status, completed.status) == (201, 200)
        assert http.intent(created.body["intents"][0]["id"])["status"] == "pending"


@pytest.mark.rule("G-8", "G-4")
def test_completed_parent_never_has_an_open_planned_child(http: Http, crowd: MakeCrowd) -> None:
    together = crowd(2)
    for _ in range(rounds(100, 10)):
        parent = http.create()

        created, completed = together.at_once(plan({}, {"parent": parent["id"]}), lambda c, p=parent: c.complete(p))

        assert (created.status, completed.status) in ((201, 409), (409, 200))
        assert (created if created.status != 201 else completed).code in ("intent_closed", "completion_gate")


@pytest.mark.rule("G-8", "G-1")
def test_plan_and_dependency_that_close_a_cycle_are_not_both_granted(http: Http, crowd: MakeCrowd) -> None:
    together = crowd(2)
    for _ in range(rounds(100, 10)):
        parent, other = http.create(), http.create()
        path, body = f"/intents/{other['id']}/dependencies", {"depends_on": [parent["id"]]}

        answers: list[Answer] = together.at_once(
            plan({"ref": "a", "parent": parent["id"], "depends_on": ["b"]}, {"ref": "b", "depends_on": [other["id"]]}),
            lambda client, path=path, body=body: client.post(path, body, version=1),
        )

        assert statuses(answers) == [201, 400]
        assert [answer.code for answer in answers if answer.status == 400] == ["dependency_cycle"]
