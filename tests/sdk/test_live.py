"""Both clients against the live server: each operation once, as an agent would use it."""

import time
from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
import requests
from openintent import (
    AuthenticationError,
    ConflictError,
    EventType,
    IntentAgent,
    IntentStatus,
    KeyRole,
    NotFoundError,
    OpenIntentClient,
    PermissionDeniedError,
    ValidationError,
)

pytestmark = [pytest.mark.full, pytest.mark.database("sqlite")]


@pytest.fixture
def client(connect, server):
    return connect(server.url, "dev-user-key", "ada")


@pytest.fixture
def intent(client):
    return client.create_intent(title="Book flights", state={"legs": []})


def ids(intents):
    return [intent.id for intent in intents]


def test_intent_is_created_with_its_arguments(client):
    intent = client.create_intent(
        "Book flights",
        "To Paris",
        state={"legs": [1, 2.5, None, "ü 𝄞"]},
        constraints=["no night flights"],
        confidence=80,
        assign=["agent:dev", "team/bot"],
    )

    assert intent == client.get_intent(intent.id)
    assert (intent.title, intent.description, intent.confidence) == ("Book flights", "To Paris", 80)
    assert intent.state == {"legs": [1, 2.5, None, "ü 𝄞"]}
    assert intent.constraints == {"rules": ["no night flights"]}
    assert {agent.agent_id for agent in intent.agents} == {"agent:dev", "team/bot"}
    assert (intent.status, intent.version, intent.created_by) == (IntentStatus.DRAFT, 1, "ada")
    assert abs(datetime.now(UTC) - intent.created_at) < timedelta(minutes=1)
    assert intent.extra == {}


def test_same_idempotency_key_returns_the_same_intent(client):
    key = f"once {datetime.now(UTC)}"

    first = client.create_intent("Book", idempotency_key=key)
    again = client.create_intent("Book", idempotency_key=key)

    assert again.id == first.id
    with pytest.raises(ValidationError) as caught:
        client.create_intent("Another", idempotency_key=key)
    assert caught.value.code == "idempotency_key_reused"


def test_details_are_updated_and_null_clears_them(client, intent):
    changed = client.update_intent(intent.id, 1, title="Book trains", confidence=5, description="x")
    emptied = client.update_intent(intent.id, 2, confidence=None, description=None)

    assert (changed.title, changed.confidence, changed.description) == ("Book trains", 5, "x")
    assert (emptied.title, emptied.confidence, emptied.description) == ("Book trains", None, None)
    assert emptied.version == 3


def test_state_changes_by_keys_and_by_patches(client, intent):
    client.update_state(intent.id, 1, {"budget": {"max": 500}})
    patched = client.update_state(
        intent.id,
        2,
        patches=[
            {"op": "append", "path": "legs", "value": "CDG"},
            {"op": "set", "path": "/budget/max", "value": 600},
        ],
    )

    assert patched.state == {"legs": ["CDG"], "budget": {"max": 600}}
    with pytest.raises(ValidationError) as caught:
        client.update_state(intent.id, 3, patches=[{"op": "remove", "path": "none"}])
    assert caught.value.code == "invalid_patch"
    assert caught.value.response["index"] == 0


def test_a_stale_version_is_a_conflict_that_names_the_current_one(client, intent):
    client.update_state(intent.id, 1, {"a": 1})

    with pytest.raises(ConflictError) as caught:
        client.update_state(intent.id, 1, {"a": 2})

    assert (caught.value.code, caught.value.current_version) == ("version_conflict", 2)


def test_the_status_moves_along_its_transitions(client, intent):
    active = client.set_status(intent.id, 1, IntentStatus.ACTIVE, reason="go")
    done = client.set_status(intent.id, active.version, "completed")

    assert done.status is IntentStatus.COMPLETED
    with pytest.raises(ValidationError) as caught:
        client.set_status(intent.id, done.version, "active")
    assert caught.value.code == "illegal_transition"


def test_intents_are_listed_by_filters_and_limit(client, connect, server):
    other = connect(server.url, "dev-user-key", f"eve {datetime.now(UTC).timestamp()}")
    made = [other.create_intent(f"Number {n}", assign="team/bot") for n in range(3)]
    name = made[0].created_by

    assert set(ids(client.list_intents(created_by=name))) == set(ids(made))
    assert len(client.list_intents(created_by=name, limit=2)) == 2
    assert client.list_intents(created_by=name, status="active") == []
    assert len(client.list_intents(created_by=name, updated_since=made[0].created_at)) == 3
    assert set(ids(made)) <= set(ids(client.list_intents(agent_id="team/bot")))
    assert ids(client.list_intents(created_by=name, q="number 1")) == [made[1].id]


def test_a_graph_is_built_and_read(client):
    parent = client.create_intent("Parent")
    first = client.create_child_intent(parent.id, "First")
    second = client.create_child_intent(parent.id, "Second", depends_on=first.id)
    grandchild = client.create_child_intent(second.id, "Grandchild")

    assert set(ids(client.get_children(parent.id))) == {first.id, second.id}
    assert set(ids(client.get_descendants(parent.id))) == {first.id, second.id, grandchild.id}
    assert ids(client.get_ancestors(grandchild.id)) == [second.id, parent.id]
    assert ids(client.get_dependencies(second.id)) == [first.id]
    assert ids(client.get_dependents(first.id)) == [second.id]
    assert ids(client.get_ready(parent.id)) == [first.id]
    (blocked,) = client.get_blocked(parent.id)
    assert (blocked.id, blocked.waiting_for[0]) == (second.id, first.id)
    assert blocked.status is IntentStatus.BLOCKED


def test_the_graph_has_nodes_edges_and_a_summary(client):
    parent = client.create_intent("Parent", assign="ada")
    first = client.create_child_intent(parent.id, "First")
    second = client.create_child_intent(parent.id, "Second", depends_on=[first.id])

    graph = client.get_graph(parent.id)

    nodes = {node.id: node for node in graph.nodes}
    assert graph.root == parent.id
    assert set(nodes) == {parent.id, first.id, second.id}
    assert nodes[parent.id].agents[0].agent_id == "ada"
    assert nodes[second.id].status is IntentStatus.BLOCKED
    assert {(edge.source, edge.target, edge.type) for edge in graph.edges} == {
        (parent.id, first.id, "parent"),
        (parent.id, second.id, "parent"),
        (second.id, first.id, "dependency"),
    }
    assert graph.aggregate_status.total >= 2
    assert graph.extra == {}


def test_dependencies_are_added_and_removed(client, intent):
    other = client.create_intent("Other")

    blocked = client.add_dependency(intent.id, 1, other.id)
    assert (blocked.status, blocked.depends_on) == (IntentStatus.BLOCKED, [other.id])
    assert client.remove_dependency(intent.id, blocked.version, other.id) is None
    free = client.get_intent(intent.id)
    assert (free.status, free.depends_on) == (IntentStatus.PENDING, [])

    client.remove_dependency(intent.id, blocked.version, other.id)  # As a retry would, with the old version.

    assert client.get_intent(intent.id).version == free.version


def test_dependency_cycle_is_rejected_and_reported(client, intent):
    other = client.create_intent("Other", depends_on=intent.id)

    with pytest.raises(ValidationError) as caught:
        client.add_dependency(intent.id, 1, other.id)

    assert caught.value.code == "dependency_cycle"
    assert {intent.id, other.id} <= set(caught.value.response["cycle"])


def test_a_parent_waits_for_its_children(client, intent):
    child = client.create_child_intent(intent.id, "Child")

    with pytest.raises(ConflictError) as caught:
        client.set_status(intent.id, 1, "completed")

    assert caught.value.code == "completion_gate"
    assert caught.value.waiting_for == [child.id]


def test_abandoning_may_cascade(client, intent):
    child = client.create_child_intent(intent.id, "Child")

    client.set_status(intent.id, 1, "abandoned", cascade=True)

    assert client.get_intent(child.id).status is IntentStatus.ABANDONED


def test_events_are_logged_and_read(client, intent):
    comment = client.log_event(intent.id, "comment", {"a": 1}, trace_id="t")
    client.log_event(intent.id, "my.own", parent_event_id=comment.id)

    created, first, second = client.get_events(intent.id)
    assert [event.sequence for event in (created, first, second)] == [1, 2, 3]
    assert created.event_type is EventType.INTENT_CREATED
    assert (first.id, first.payload, first.trace_id, first.actor) == (comment.id, {"a": 1}, "t", "ada")
    assert (second.event_type, second.parent_event_id) == ("my.own", comment.id)
    assert client.get_events(intent.id, after=1, limit=1) == [first]
    assert client.get_events(intent.id, order="desc") == [second, first, created]
    assert client.get_events(intent.id, event_type=EventType.COMMENT) == [first]
    assert client.get_events(intent.id, actor="nobody") == []
    assert len(client.get_events(intent.id, since=intent.created_at)) == 3


def test_a_batch_keeps_its_order_over_many_pages(client, intent):
    batch = [{"event_type": "step", "payload": {"n": n}} for n in range(1000)]

    events = client.log_events(intent.id, batch) + client.log_events(intent.id, batch)

    assert [event.sequence for event in events] == list(range(2, 2002))
    read = client.get_events(intent.id, event_type="step")
    assert [event.payload["n"] for event in read] == [*range(1000), *range(1000)]


def follow(client, count, **filters):
    """The first `count` events of the server's log that match. They are in it a moment after they were logged."""
    deadline = time.monotonic() + 10
    events = []
    while len(events) < count:
        assert time.monotonic() < deadline
        after = events[-1].position if events else None
        events += client.list_events(after=after, **filters)
    return events


def test_the_servers_log_is_followed_by_position(client, intent):
    trace = f"trace {intent.id}"
    client.log_event(intent.id, "one", trace_id=trace)
    client.log_event(intent.id, "two", trace_id=trace)

    one, two = follow(client, 2, trace_id=trace)

    assert one.position < two.position
    assert client.list_events(after=one.position, trace_id=trace) == [two]
    assert client.list_events(after=two.position, trace_id=trace) == []


def test_a_servers_event_type_is_refused_by_the_server_too(client, intent, server):
    answer = requests.post(
        f"{server.url}/api/v1/intents/{intent.id}/events",
        json={"event_type": "state_patched"},
        headers={"X-API-Key": "dev-user-key"},
        timeout=10,
    )

    assert (answer.status_code, answer.json()["code"]) == (403, "reserved_event_type")


@pytest.mark.parametrize("agent_id", ["agent:dev", "team/bot", "größe ~100%", "a.b"])
def test_agents_are_assigned_whatever_their_name(client, intent, agent_id):
    assignment = client.assign_agent(intent.id, agent_id)
    client.assign_agent(intent.id, agent_id)

    assert (assignment.intent_id, assignment.agent_id) == (intent.id, agent_id)
    assert (assignment.role, assignment.assigned_by) == ("worker", "ada")
    assert client.get_agents(intent.id) == [IntentAgent(agent_id=agent_id, role="worker")]
    assert intent.id in ids(client.get_agent_intents(agent_id))

    client.unassign_agent(intent.id, agent_id)
    client.unassign_agent(intent.id, agent_id)

    assert client.get_agents(intent.id) == []
    assert intent.id not in ids(client.get_agent_intents(agent_id))


def test_keys_are_created_listed_and_revoked(client, connect, server):
    soon = datetime.now(UTC) + timedelta(hours=1)
    key = client.create_key("ci", role=KeyRole.OBSERVER, agent_id="robot", expires_at=soon)
    reader = connect(server.url, key.key)

    assert (key.name, key.role, key.agent_id, key.expires_at) == ("ci", "observer", "robot", soon)
    assert key.key.startswith(key.prefix)
    assert isinstance(reader.list_intents(limit=1), list)
    with pytest.raises(PermissionDeniedError):
        reader.create_intent("Not mine to make")

    client.revoke_key(key.id)
    client.revoke_key(key.id)

    (row,) = [row for row in client.list_keys() if row.id == key.id]
    assert row.revoked_at is not None
    assert row.key is None
    with pytest.raises(AuthenticationError):
        reader.list_intents()


def test_a_wrong_key_is_refused_and_not_repeated_in_the_error(connect, server):
    with pytest.raises(AuthenticationError) as caught:
        connect(server.url, "wrong-key").list_intents()

    assert "wrong-key" not in str(caught.value)


@pytest.mark.parametrize("intent_id", ["nonexistent-id", "11111111-1111-4111-8111-111111111111", "a/b"])
def test_unknown_ids_are_not_found(client, intent_id):
    with pytest.raises(NotFoundError):
        client.get_intent(intent_id)


def test_discovery_needs_no_key(connect, server):
    client = connect(server.url)

    assert client.discover()
    assert client.discover_compatibility()


def test_of_writers_with_the_same_version_one_wins(client, intent, connect, server):
    outcomes = []

    def write(name):
        try:
            outcomes.append(writers[name].update_state(intent.id, 1, {"by": name}))
        except ConflictError as error:
            outcomes.append(error)

    writers = {name: OpenIntentClient(server.url, "dev-user-key", name) for name in "abcdef"}
    threads = [Thread(target=write, args=[name]) for name in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(not isinstance(outcome, ConflictError) for outcome in outcomes) == 1
    assert len(outcomes) == 6
    assert client.get_intent(intent.id).version == 2
