"""`manage.py verify_log` reports where the log and the tables disagree (rule E-6)."""

import io
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import F, QuerySet, TextField, Value

from intents.log_verification import Finding, verify
from intents.models import Assignment, Edge, EdgeKind, Event, Intent
from intents.positions import assign_positions
from tests.conftest import Caller

pytestmark = [pytest.mark.rule("E-6"), pytest.mark.database("sqlite", "postgresql")]


# --- damage --------------------------------------------------------------------------------------------------------


@dataclass
class Scene:
    """Create a parent, its child, a dependency of the child, and a log of seven events about the child."""

    parent: UUID
    child: UUID
    dependency: UUID

    def intent(self) -> QuerySet[Intent]:
        return Intent.objects.filter(pk=self.child)

    def event(self, sequence: int) -> QuerySet[Event]:
        return Event.objects.filter(intent_id=self.child, sequence=sequence)


@pytest.fixture
def scene(api: Caller) -> Scene:
    parent, dependency = (api.post("/intents", {"title": title}).json()["id"] for title in ("Travel", "Get a passport"))
    child = api.post("/intents", {"title": "Book flights", "parent_intent_id": parent, "assign": "ada"}).json()["id"]
    path = f"/intents/{child}"
    api.post(f"{path}/state", {"state": {"seat": "12A"}}, version=1)
    api.post(f"{path}/dependencies", {"depends_on": dependency}, version=2)
    api.post(f"{path}/events", {"event_type": "comment"})
    api.patch(path, {"confidence": 70}, version=3)
    assign_positions()
    return Scene(UUID(parent), UUID(child), UUID(dependency))


def unguard() -> None:
    """Replace the log by a table without triggers. The end of the test's transaction restores it."""
    connection.check_constraints()  # PostgreSQL alters no table on which checks are outstanding.
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE intents_event RENAME TO intents_event_guarded")
        cursor.execute("CREATE TABLE intents_event AS SELECT * FROM intents_event_guarded")


def test_intact_log_has_no_findings(scene):
    assert [event.event_type for event in Event.objects.filter(intent_id=scene.child).order_by("sequence")] == [
        "intent_created",
        "agent_assigned",
        "state_patched",
        "dependency_added",
        "status_changed",
        "comment",
        "intent_updated",
    ]
    assert list(verify()) == []


Plant = Callable[[Scene], Any]

IN_THE_LOG: dict[str, tuple[Plant, str]] = {
    "a missing event": (lambda scene: scene.event(3).delete(), "event 3 is missing: 4 follows"),
    "a missing end": (lambda scene: scene.event(7).delete(), "last_sequence should be 6, and is 7"),
    "a missing log": (lambda scene: Event.objects.filter(intent_id=scene.child).delete(), "the log is empty"),
    "a repeated sequence": (lambda scene: scene.event(7).update(sequence=6), "event 7 is missing: 6 follows"),
    "no sequence": (lambda scene: scene.event(4).update(sequence=None), "is missing"),
    "another payload": (
        lambda scene: scene.event(3).update(payload={"patches": [{"op": "set", "path": "seat", "value": "1A"}], "version": 2}),
        'state should be .*"1A".* and is .*"12A"',
    ),
    "no JSON": (lambda scene: scene.event(3).update(payload=Value("{seat", TextField())), "event 3 .* JSONDecodeError"),
    "a version that jumps": (lambda scene: scene.event(7).update(payload={"changes": {}, "version": 5}), "version is 5"),
    "a version that stays": (lambda scene: scene.event(7).update(payload={"changes": {}, "version": 3}), "version is 3"),
    "another type": (lambda scene: scene.event(1).update(event_type="comment"), "event 1 .*event_type is 'comment'"),
    "another actor": (lambda scene: scene.event(1).update(actor="eve"), "created_by should be 'eve'"),
    "a repeated position": (lambda scene: scene.event(4).update(position=1), "2 events have the position 1"),
    "a position out of order": (lambda scene: scene.event(4).update(position=F("position") + 100), "event 5 has the position"),
    # Where a sequencer numbers what has no position, it gives it a new one, and that is too late.
    "no position": (lambda scene: scene.event(4).update(position=None), "event 4 has no position|event 5 has the position"),
    "an unknown intent": (
        lambda scene: Event.objects.filter(intent_id=scene.child).update(intent_id=uuid4()),
        "which does not exist",
    ),
    "no triggers": (lambda scene: None, "triggers guard"),
}

IN_THE_TABLES: dict[str, tuple[Plant, str]] = {
    "title": (lambda scene: scene.intent().update(title="Book hotels"), "title should be 'Book flights', and is 'Book hotels'"),
    "description": (lambda scene: scene.intent().update(description=""), "description should be None"),
    "status": (lambda scene: scene.intent().update(status="active"), "status should be 'blocked', and is 'active'"),
    "state": (lambda scene: scene.intent().update(state={"seat": "1A"}), 'state should be .*"12A".* and is .*"1A"'),
    "state that is no JSON": (lambda scene: scene.intent().update(state=Value("{", TextField())), "state should be"),
    "constraints": (lambda scene: scene.intent().update(constraints={"max_cost": 1}), "constraints should be"),
    "confidence": (lambda scene: scene.intent().update(confidence=71), "confidence should be 70, and is 71"),
    "version": (lambda scene: scene.intent().update(version=5), "version should be 4, and is 5"),
    "parent": (lambda scene: scene.intent().update(parent_intent=None), "parent_intent_id should be"),
    "depends_on": (lambda scene: scene.intent().update(depends_on=[]), "depends_on should be"),
    "agents": (lambda scene: scene.intent().update(agents=[]), "agents should be"),
    "created_by": (lambda scene: scene.intent().update(created_by="eve"), "created_by should be 'dev-user'"),
    "last_sequence": (lambda scene: scene.intent().update(last_sequence=8), "last_sequence should be 7, and is 8"),
    "a lost dependency": (lambda scene: Edge.objects.filter(kind=EdgeKind.DEPENDENCY).delete(), "dependencies should be"),
    "a new dependency": (
        lambda scene: Edge.objects.create(waiter_id=scene.parent, awaited_id=scene.dependency, kind=EdgeKind.DEPENDENCY),
        "dependencies should be",
    ),
    "a lost child": (lambda scene: Edge.objects.filter(kind=EdgeKind.CHILD).delete(), "parents should be"),
    "a second parent": (
        lambda scene: Edge.objects.create(waiter_id=scene.dependency, awaited_id=scene.child, kind=EdgeKind.CHILD),
        "parents should be",
    ),
    "a lost agent": (lambda scene: Assignment.objects.all().delete(), "agents should be"),
    "another role": (lambda scene: Assignment.objects.update(role="reviewer"), "agents should be"),
}


@pytest.mark.parametrize("damage", IN_THE_LOG)
def test_damage_in_the_log_is_found(scene, damage):
    plant, expected = IN_THE_LOG[damage]
    with transaction.atomic():
        unguard()
        plant(scene)
        assert find(expected)
        transaction.set_rollback(True)


@pytest.mark.parametrize("damage", IN_THE_TABLES)
def test_damage_in_the_tables_is_found_and_nothing_else(scene, damage):
    plant, expected = IN_THE_TABLES[damage]
    plant(scene)

    [finding] = find(expected)

    assert finding.intent_id in (scene.child, scene.parent)
    assert [finding] == list(verify())


def find(expected: str) -> list[Finding]:
    return [finding for finding in verify() if re.search(expected, str(finding))]


# --- the command ---------------------------------------------------------------------------------------------------


def run(*arguments: str, stderr: io.StringIO | None = None) -> tuple[int, str]:
    """Return the exit code and the output."""
    out = io.StringIO()
    try:
        call_command("verify_log", *arguments, stdout=out, stderr=stderr or io.StringIO())
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_command_reports_an_intact_log(scene):
    code, out = run()

    assert code == 0
    assert out.startswith("3 intents, 9 events in ")
    assert out.endswith(": the log agrees with the tables.\n")


def test_command_lists_findings_and_fails(scene):
    Intent.objects.update(title="Something else")

    code, out = run()

    assert code == 1
    assert f"intent {scene.child}: title should be 'Book flights', and is 'Something else'\n" in out
    assert out.endswith(": 3 findings.\n")


def test_command_stops_at_the_limit_of_findings(scene):
    Intent.objects.update(title="Something else")

    code, out = run("--limit-findings", "2")

    assert code == 1
    assert out.count("Something else") == 2
    assert out.endswith(": 2 findings, stopped at the limit.\n")


def test_command_prints_json(scene):
    scene.intent().update(version=9)

    code, out = run("--json")

    told = json.loads(out)
    assert code == 1
    assert (told["intents"], told["events"], told["complete"]) == (3, 9, True)
    assert told["findings"] == [{"intent_id": str(scene.child), "problem": "version should be 4, and is 9"}]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_bar_is_only_shown_on_a_terminal(scene, monkeypatch):
    monkeypatch.setattr("intents.management.commands.verify_log.REDRAW_SECONDS", 0)
    terminal, pipe = Terminal(), io.StringIO()

    run(stderr=terminal)
    run(stderr=pipe)

    assert "100%  9 of 9 events" in terminal.getvalue()
    assert pipe.getvalue() == ""
