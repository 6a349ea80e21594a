"""Models: frozen dataclasses that tolerate unknown keys and values (protocol §3)."""

import json
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta

import pytest
from openintent import (
    AgentAssignment,
    ApiKey,
    BlockedIntent,
    Event,
    EventType,
    Intent,
    IntentAgent,
    IntentGraph,
    IntentStatus,
    KeyRole,
)
from openintent.enums import CLIENT_LOGGED, SERVER_WRITTEN

from .samples import EVENT, INTENT

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)


def test_an_intent_is_read_whole():
    intent = Intent.from_json({**INTENT, "state": {"a": [1]}, "depends_on": ["x"], "confidence": 80})

    assert intent == Intent(
        id=INTENT["id"],
        title="Book flights",
        status=IntentStatus.DRAFT,
        version=1,
        created_by="ada",
        created_at=AT,
        updated_at=AT,
        state={"a": [1]},
        depends_on=["x"],
        confidence=80,
        agents=[IntentAgent(agent_id="ada", role="worker")],
        last_sequence=1,
    )


def test_an_event_is_read_whole():
    event = Event.from_json({**EVENT, "position": 9, "payload": {"message": "hi"}})

    assert event.event_type is EventType.COMMENT
    assert (event.sequence, event.position, event.actor) == (1, 9, "ada")
    assert event.payload == {"message": "hi"}
    assert event.created_at == AT


def test_a_graph_is_read_whole():
    graph = IntentGraph.from_json(
        {
            "root": "a",
            "nodes": [{"id": "a", "title": "A", "status": "active", "version": 2, "agents": []}],
            "edges": [{"from": "a", "to": "b", "type": "parent"}],
            "aggregate_status": {"total": 1, "by_status": {"active": 1}, "completion_percentage": 0},
        }
    )

    assert (graph.root, graph.nodes[0].status) == ("a", IntentStatus.ACTIVE)
    assert (graph.edges[0].source, graph.edges[0].target, graph.edges[0].type) == ("a", "b", "parent")
    assert graph.aggregate_status.by_status == {"active": 1}


def test_assignments_and_blocked_intents_are_read_whole():
    at = "2026-01-02T03:04:05.678901Z"
    assignment = AgentAssignment.from_json(
        {"intent_id": "i", "agent_id": "a", "role": "r", "assigned_by": "b", "assigned_at": at}
    )
    blocked = BlockedIntent.from_json({**INTENT, "status": "blocked", "waiting_for": ["x"]})

    assert (assignment.agent_id, assignment.role, assignment.assigned_at) == ("a", "r", AT)
    assert blocked.waiting_for == ["x"]


def test_key_secret_is_returned_once_and_not_in_repr():
    row = {"id": "k", "name": "ci", "role": "agent", "created_at": "2026-01-02T03:04:05Z"}
    key = ApiKey.from_json({**row, "key": "oi_secret"})

    assert key.role is KeyRole.AGENT
    assert key.key == "oi_secret"
    assert "oi_secret" not in repr(key)
    assert ApiKey.from_json(row).key is None


def test_unknown_enum_values_stay_text():
    assert Intent.from_json({**INTENT, "status": "paused"}).status == "paused"
    assert Event.from_json({**EVENT, "event_type": "my.type"}).event_type == "my.type"


def test_unknown_keys_are_kept_apart():
    intent = Intent.from_json({**INTENT, "mood": {"a": 1}, "extra": 2})

    assert intent.extra == {"mood": {"a": 1}, "extra": 2}


def test_missing_or_null_optional_fields_are_empty():
    needed = ("id", "title", "status", "version", "created_by", "created_at", "updated_at")

    intent = Intent.from_json({name: INTENT[name] for name in needed})

    assert (intent.state, intent.agents, intent.description) == ({}, [], None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-02T03:04:05.678901Z", AT),
        ("2026-01-02T04:04:05.678901+01:00", AT),
        ("2026-01-02T03:04:05.678901", AT),
    ],
)
def test_instants_are_aware_and_in_utc(text, expected):
    at = Intent.from_json({**INTENT, "created_at": text}).created_at

    assert at == expected
    assert at.utcoffset() == timedelta(0)


def test_answers_cannot_be_changed():
    intent = Intent.from_json(INTENT)

    with pytest.raises(FrozenInstanceError):
        intent.version = 2


def test_enum_members_are_text():
    assert EventType.COMMENT == "comment"
    assert f"{EventType.COMMENT}" == str(EventType.COMMENT) == "comment"
    assert json.dumps([IntentStatus.DRAFT]) == '["draft"]'
    assert isinstance(IntentStatus.DRAFT, str)


def test_each_event_type_is_written_by_client_or_server():
    assert len(CLIENT_LOGGED) == 11
    assert len(SERVER_WRITTEN) == 59
    assert set(EventType) == CLIENT_LOGGED | SERVER_WRITTEN
    assert all(member.name == member.value.upper() for member in EventType)
