"""Replay of the log (rule E-6)."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from intents.log_verification import verify
from intents.replay import CannotReplay, replay
from tests.conftest import Caller

pytestmark = [pytest.mark.rule("E-6"), pytest.mark.database("sqlite", "postgresql")]


# --- replaying -----------------------------------------------------------------------------------------------------

CREATED = {
    "title": "Book flights",
    "description": None,
    "status": "draft",
    "state": {"tries": []},
    "constraints": {},
    "confidence": None,
    "parent_intent_id": None,
    "depends_on": [],
    "version": 1,
}


@dataclass(frozen=True)
class Told:
    sequence: int
    event_type: str
    payload: dict[str, Any]
    actor: str = "ada"


def tell(*events: tuple[str, dict[str, Any]]) -> list[Told]:
    told = [("intent_created", CREATED), *events]
    return [Told(number, event_type, payload) for number, (event_type, payload) in enumerate(told, start=1)]


def test_replay_reconstructs_an_intent():
    intent = replay(
        tell(
            ("state_patched", {"patches": [{"op": "append", "path": "tries", "value": 1}], "version": 2}),
            ("comment", {"status": "completed", "version": 70}),
            ("intent_updated", {"changes": {"title": "Book trains", "confidence": 80}, "version": 3}),
            ("dependency_added", {"dependency_id": "x", "version": 4}),
            ("dependency_added", {"dependency_id": "y", "version": 4}),
            ("status_changed", {"from": "draft", "to": "blocked", "version": 4, "reason": "dependency_added"}),
            ("dependency_removed", {"dependency_id": "x", "version": 5}),
            ("agent_assigned", {"agent_id": "bob", "role": "worker"}),
            ("agent_assigned", {"agent_id": "eve", "role": "worker"}),
            ("agent_assigned", {"agent_id": "bob", "role": "reviewer"}),
            ("agent_unassigned", {"agent_id": "eve"}),
        )
    )

    assert intent.state == {"tries": [1]}
    assert (intent.title, intent.confidence, intent.status) == ("Book trains", 80, "blocked")
    assert (intent.depends_on, intent.agents) == (["y"], [{"agent_id": "bob", "role": "reviewer"}])
    assert (intent.version, intent.last_sequence, intent.created_by) == (5, 12, "ada")


def test_replay_does_not_modify_the_events():
    events = tell(("state_patched", {"patches": [{"op": "append", "path": "tries", "value": 1}], "version": 2}))

    assert replay(events) == replay(events)


@pytest.mark.parametrize(
    ("events", "reason"),
    [
        ([], "the log is empty"),
        (tell()[1:] + tell(("comment", {}))[1:], "event 1 is missing: 2 follows instead"),
        ([*tell(), *tell()], "event 2 is missing: 1 follows instead"),
        (tell(("intent_created", CREATED)), "already exists"),
        (tell(("state_patched", {"patches": [], "version": 3})), "version is 3"),
        (tell(("state_patched", {"patches": [], "version": 1})), "version is 1"),
        (tell(("state_patched", {"patches": [{"op": "remove", "path": "none"}], "version": 2})), "does not exist"),
        (tell(("status_changed", {"from": "active", "to": "pending", "version": 2, "reason": None})), "from is 'active'"),
        (tell(("status_changed", {"to": "pending", "version": 2})), "KeyError"),
        (tell(("dependency_removed", {"dependency_id": "x", "version": 2})), "not in list"),
        (tell(*[("dependency_added", {"dependency_id": "x", "version": 2})] * 2), "is already a dependency"),
        (tell(("agent_unassigned", {"agent_id": "bob"})), "number of agents"),
        (tell(("intent_updated", {"changes": {"colour": "red"}, "version": 2})), "colour"),
        (
            tell(
                ("dependency_added", {"dependency_id": "x", "version": 2}),
                ("status_changed", {"from": "draft", "to": "pending", "version": 2, "reason": "bored"}),
            ),
            "version is 2",
        ),
    ],
)
def test_inconsistent_events_are_not_replayed(events, reason):
    with pytest.raises(CannotReplay, match=reason):
        replay(events)


# --- any history ---------------------------------------------------------------------------------------------------


class World:
    """Random operations on numbered intents. Refused ones must leave no trace."""

    def __init__(self, api: Caller) -> None:
        self.api = api
        self.ids: list[str] = []
        self.create([], None, [])

    def create(self, depends_on: list[int], parent: int | None, assign: list[str]) -> None:
        fields = {"title": "One of many", "depends_on": [self._id(each) for each in depends_on], "assign": assign}
        if parent is not None:
            fields["parent_intent_id"] = self._id(parent)
        answer = self._did(self.api.post("/intents", fields))
        if "id" in answer:
            self.ids.append(answer["id"])

    def state(self, number: int, patches: list[dict[str, Any]]) -> None:
        self._write(number, "state", {"patches": patches})

    def details(self, number: int, changes: dict[str, Any]) -> None:
        path = f"/intents/{self._id(number)}"
        self._did(self.api.patch(path, changes, version=self._version(number)))

    def status(self, number: int, status: str, cascade: bool) -> None:
        self._write(number, "status", {"status": status, "cascade": cascade and status == "abandoned"})

    def depend(self, number: int, others: list[int]) -> None:
        self._write(number, "dependencies", {"depends_on": [self._id(each) for each in others]})

    def undepend(self, number: int, other: int) -> None:
        path = f"/intents/{self._id(number)}/dependencies/{self._id(other)}"
        self.api.delete(path, version=self._version(number))

    def assign(self, number: int, agent: str, role: str) -> None:
        self._did(self.api.post(f"/intents/{self._id(number)}/agents", {"agent_id": agent, "role": role}))

    def unassign(self, number: int, agent: str) -> None:
        self.api.delete(f"/intents/{self._id(number)}/agents/{agent}")

    def log(self, number: int, types: list[str]) -> None:
        events = [{"event_type": each, "payload": {"status": "abandoned"}} for each in types]
        self._did(self.api.post(f"/intents/{self._id(number)}/events/batch", {"events": events}))

    def _write(self, number: int, what: str, body: dict[str, Any]) -> None:
        self._did(self.api.post(f"/intents/{self._id(number)}/{what}", body, version=self._version(number)))

    def _did(self, response: Any) -> dict[str, Any]:
        assert response.status_code < 500, response.json()
        return response.json()

    def _id(self, number: int) -> str:
        return self.ids[number % len(self.ids)]

    def _version(self, number: int) -> int:
        return self.api.get(f"/intents/{self._id(number)}").json()["version"]


number = st.integers(0, 7)
agent = st.sampled_from(["ada", "bob", "eve/1"])
path = st.sampled_from(["a", "b", "/a/b", "/a/0", "/a/-", "/b/c/d", "~/x"])
plain = st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3)
patch = st.fixed_dictionaries({"op": st.just("remove"), "path": path}) | st.fixed_dictionaries(
    {"op": st.sampled_from(["set", "append"]), "path": path, "value": st.recursive(plain, st.lists, max_leaves=3)}
)
changes = st.fixed_dictionaries(
    {},
    optional={
        "title": st.sampled_from(["Other", "words"]),
        "description": st.none() | st.just("Ω"),
        "constraints": st.sampled_from([{}, {"max_cost": 0.1}, ["polite"]]),
        "confidence": st.none() | st.integers(0, 101),
    },
)
statuses = st.sampled_from(["draft", "pending", "active", "blocked", "completed", "abandoned"])
operations = st.one_of(
    st.tuples(st.just("create"), st.lists(number, max_size=2), st.none() | number, st.lists(agent, max_size=2)),
    st.tuples(st.just("state"), number, st.lists(patch, max_size=3)),
    st.tuples(st.just("details"), number, changes),
    st.tuples(st.just("status"), number, statuses, st.booleans()),
    st.tuples(st.just("depend"), number, st.lists(number, min_size=1, max_size=3)),
    st.tuples(st.just("undepend"), number, number),
    st.tuples(st.just("assign"), number, agent, st.sampled_from(["worker", "reviewer"])),
    st.tuples(st.just("unassign"), number, agent),
    st.tuples(st.just("log"), number, st.lists(st.sampled_from(["comment", "status_changed"]), min_size=1, max_size=3)),
)


@given(st.lists(operations, min_size=10, max_size=60))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_log_agrees_with_the_tables_after_any_history(api, history):
    with transaction.atomic():
        world = World(api)
        for name, *arguments in history:
            getattr(world, name)(*arguments)

        assert list(verify()) == []
        transaction.set_rollback(True)
