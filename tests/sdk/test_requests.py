"""Each method sends exactly the request that the protocol describes (§4)."""

from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from uuid import UUID

import pytest
from openintent import EventType, InputValidationError, IntentStatus, KeyRole

from .samples import EVENT, INTENT

ID = INTENT["id"]
OTHER = "33333333-3333-4333-8333-333333333333"
HERE = f"/api/v1/intents/{ID}"
ASSIGNMENT = {
    "intent_id": ID,
    "agent_id": "team/bot",
    "role": "worker",
    "assigned_by": "ada",
    "assigned_at": "2026-01-02T03:04:05Z",
}
KEY = {"id": OTHER, "name": "ci", "role": "agent", "created_at": "2026-01-02T03:04:05Z"}
GRAPH = {"root": ID, "nodes": [], "edges": [], "aggregate_status": {"total": 0}}
NOTHING = (204, None, {})


def page(name):
    return {name: [], "next": None}


WRITES = [
    (
        lambda c: c.create_intent("Book flights"),
        INTENT,
        ("POST", "/api/v1/intents", {"title": "Book flights"}),
    ),
    (
        lambda c: c.create_intent(
            title="Book flights",
            description="",
            state={"a": None},
            constraints=["no night flights"],
            confidence=80,
            parent_intent_id=UUID(OTHER),
            depends_on=OTHER,
            assign="agent:dev",
            created_by="me",
        ),
        INTENT,
        (
            "POST",
            "/api/v1/intents",
            {
                "title": "Book flights",
                "description": "",
                "state": {"a": None},
                "constraints": ["no night flights"],
                "confidence": 80,
                "parent_intent_id": OTHER,
                "depends_on": [OTHER],
                "assign": "agent:dev",
                "created_by": "me",
            },
        ),
    ),
    (
        lambda c: c.create_intent("Book", initial_state={"a": 1}, parent_id=OTHER),
        INTENT,
        ("POST", "/api/v1/intents", {"title": "Book", "initial_state": {"a": 1}, "parent_id": OTHER}),
    ),
    (
        lambda c: c.create_child_intent(parent_id=ID, title="Book", depends_on=[OTHER, UUID(ID)]),
        INTENT,
        ("POST", f"{HERE}/children", {"title": "Book", "depends_on": [OTHER, ID]}),
    ),
    (
        lambda c: c.update_intent(ID, 3, description=None, confidence=None),
        INTENT,
        ("PATCH", HERE, {"description": None, "confidence": None}),
    ),
    (
        lambda c: c.update_intent(UUID(ID), 3, title="New", constraints={}),
        INTENT,
        ("PATCH", HERE, {"title": "New", "constraints": {}}),
    ),
    (
        lambda c: c.update_state(ID, 3, MappingProxyType({"a": {"b": (1, 2.5, "ü", True, None)}})),
        INTENT,
        ("POST", f"{HERE}/state", {"state": {"a": {"b": [1, 2.5, "ü", True, None]}}}),
    ),
    (
        lambda c: c.update_state(ID, 3, patches=[{"op": "append", "path": "/a/b", "value": 1}]),
        INTENT,
        ("POST", f"{HERE}/state", {"patches": [{"op": "append", "path": "/a/b", "value": 1}]}),
    ),
    (
        lambda c: c.set_status(ID, 3, IntentStatus.ABANDONED, reason="late", cascade=True),
        INTENT,
        ("POST", f"{HERE}/status", {"status": "abandoned", "reason": "late", "cascade": True}),
    ),
    (
        lambda c: c.set_status(ID, 3, "completed"),
        INTENT,
        ("POST", f"{HERE}/status", {"status": "completed"}),
    ),
    (
        lambda c: c.add_dependency(ID, 3, OTHER),
        INTENT,
        ("POST", f"{HERE}/dependencies", {"depends_on": [OTHER]}),
    ),
    (
        lambda c: c.remove_dependency(ID, 3, OTHER),
        NOTHING,
        ("DELETE", f"{HERE}/dependencies/{OTHER}", None),
    ),
    (
        lambda c: c.log_event(ID, EventType.COMMENT, {"a": 1}, trace_id="t", parent_event_id=OTHER),
        EVENT,
        (
            "POST",
            f"{HERE}/events",
            {
                "event_type": "comment",
                "payload": {"a": 1},
                "trace_id": "t",
                "parent_event_id": OTHER,
            },
        ),
    ),
    (
        lambda c: c.log_events(ID, [{"event_type": "a.b", "payload": {}}, {"event_type": "c"}]),
        {"events": [EVENT, EVENT]},
        (
            "POST",
            f"{HERE}/events/batch",
            {"events": [{"event_type": "a.b", "payload": {}}, {"event_type": "c"}]},
        ),
    ),
    (
        lambda c: c.assign_agent(ID, "team/bot"),
        ASSIGNMENT,
        ("POST", f"{HERE}/agents", {"agent_id": "team/bot", "role": "worker"}),
    ),
    (
        lambda c: c.unassign_agent(ID, "team/bot:ü~ 100%"),
        NOTHING,
        ("DELETE", f"{HERE}/agents/team%2Fbot%3A%C3%BC~%20100%25", None),
    ),
    (
        lambda c: c.create_key("ci", role=KeyRole.OBSERVER, agent_id="a", expires_at="2030-01-01"),
        KEY,
        (
            "POST",
            "/api/v1/keys",
            {"name": "ci", "role": "observer", "agent_id": "a", "expires_at": "2030-01-01"},
        ),
    ),
    (lambda c: c.revoke_key(OTHER), NOTHING, ("DELETE", f"/api/v1/keys/{OTHER}", None)),
]

READS = [
    (lambda c: c.get_intent(ID), INTENT, HERE),
    (lambda c: c.get_intent("a/../b?c#d"), INTENT, "/api/v1/intents/a%2F..%2Fb%3Fc%23d"),
    (lambda c: c.list_intents(), page("intents"), "/api/v1/intents?limit=1000"),
    (
        lambda c: c.list_intents(
            status=IntentStatus.DRAFT,
            created_by="a&b",
            agent_id="team/bot",
            parent_intent_id=UUID(OTHER),
            q="größe",
            updated_since=datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=1))),
            ordering="-created_at",
        ),
        page("intents"),
        "/api/v1/intents?status=draft&created_by=a%26b&agent_id=team%2Fbot"
        f"&parent_intent_id={OTHER}&q=gr%C3%B6%C3%9Fe"
        "&updated_since=2025-12-31T23%3A00%3A00Z&ordering=-created_at&limit=1000",
    ),
    (lambda c: c.get_children(ID), page("intents"), f"{HERE}/children?limit=1000"),
    (lambda c: c.get_descendants(ID), page("intents"), f"{HERE}/descendants?limit=1000"),
    (lambda c: c.get_ancestors(ID), page("intents"), f"{HERE}/ancestors?limit=1000"),
    (lambda c: c.get_dependencies(ID), page("intents"), f"{HERE}/dependencies?limit=1000"),
    (lambda c: c.get_dependents(ID), page("intents"), f"{HERE}/dependents?limit=1000"),
    (lambda c: c.get_ready(ID), page("intents"), f"{HERE}/ready?limit=1000"),
    (lambda c: c.get_blocked(ID), page("intents"), f"{HERE}/blocked?limit=1000"),
    (lambda c: c.get_graph(ID), GRAPH, f"{HERE}/graph"),
    (
        lambda c: c.get_events(ID, after=0, event_type=EventType.COMMENT, actor="a", order="desc"),
        page("events"),
        f"{HERE}/events?after=0&event_type=comment&actor=a&order=desc&limit=1000",
    ),
    (
        lambda c: c.list_events(after=7, trace_id="t", since=datetime(2026, 1, 1, tzinfo=UTC)),
        page("events"),
        "/api/v1/events?after=7&trace_id=t&since=2026-01-01T00%3A00%3A00Z&limit=1000",
    ),
    (lambda c: c.get_agents(ID), page("agents"), f"{HERE}/agents?limit=1000"),
    (
        lambda c: c.get_agent_intents("team/bot"),
        page("intents"),
        "/api/v1/agents/team%2Fbot/intents?limit=1000",
    ),
    (lambda c: c.list_keys(), page("keys"), "/api/v1/keys?limit=1000"),
    (lambda c: c.discover(), {}, "/.well-known/openintent.json"),
    (lambda c: c.discover_compatibility(), {}, "/.well-known/openintent-compat.json"),
]

TOOL = {"tool_name": "web_search", "tool_id": "t1", "arguments": {"query": "news"}}
LLM = {"request_id": "r1", "provider": "openai", "model": "gpt-4"}
STREAM = {"stream_id": "s1", "provider": "openai", "model": "gpt-4"}
LOGGED = [
    ("log_tool_call_started", "tool_call_started", TOOL),
    ("log_tool_call_completed", "tool_call_completed", {**TOOL, "result": [1], "duration_ms": 1500}),
    ("log_tool_call_failed", "tool_call_failed", {**TOOL, "error": "Timeout", "duration_ms": 0.5}),
    (
        "log_llm_request_started",
        "llm_request_started",
        {**LLM, "messages_count": 5, "tools_available": ["x"], "stream": False, "temperature": 0.7},
    ),
    (
        "log_llm_request_completed",
        "llm_request_completed",
        {
            **LLM,
            "messages_count": 5,
            "response_content": "Here",
            "finish_reason": "stop",
            "prompt_tokens": 500,
            "completion_tokens": 200,
            "total_tokens": 700,
            "duration_ms": 2500,
        },
    ),
    ("log_llm_request_failed", "llm_request_failed", {**LLM, "error": "Overloaded"}),
    ("start_stream", "stream_started", STREAM),
    ("log_stream_chunk", "stream_chunk", {"stream_id": "s1", "chunk_index": 0}),
    (
        "complete_stream",
        "stream_completed",
        {**STREAM, "chunks_received": 100, "tokens_streamed": 1500},
    ),
    (
        "cancel_stream",
        "stream_cancelled",
        {**STREAM, "reason": "User interrupted", "chunks_received": 50, "tokens_streamed": 750},
    ),
]


@pytest.mark.parametrize(("act", "answer", "expected"), WRITES)
def test_writes_follow_the_protocol(client, script, act, answer, expected):
    script.respond(answer)

    act(client)

    (seen,) = script.seen
    assert (seen.method, seen.target, seen.body) == expected


@pytest.mark.parametrize(("act", "answer", "target"), READS)
def test_reads_follow_the_protocol(client, script, act, answer, target):
    script.respond(answer)

    act(client)

    (seen,) = script.seen
    assert (seen.method, seen.target, seen.body) == ("GET", target, None)


@pytest.mark.parametrize(("method", "event_type", "payload"), LOGGED)
def test_llm_events_have_the_arguments_as_payload(client, script, method, event_type, payload):
    script.respond(EVENT)

    getattr(client, method)(ID, **payload)

    (seen,) = script.seen
    assert (seen.method, seen.target) == ("POST", f"{HERE}/events")
    assert seen.body == {"event_type": event_type, "payload": payload}


@pytest.mark.parametrize(
    "write",
    [
        lambda c: c.update_intent(ID, 3, title="New"),
        lambda c: c.update_state(ID, 3, {"a": 1}),
        lambda c: c.set_status(ID, 3, "active"),
        lambda c: c.add_dependency(ID, 3, OTHER),
        lambda c: c.remove_dependency(ID, 3, OTHER),
    ],
)
def test_writes_that_need_the_version_send_it_as_if_match(client, script, write):
    script.respond(INTENT)

    write(client)

    assert script.seen[0].headers["If-Match"] == '"3"'


def test_every_request_has_identity_and_user_agent(client, script):
    script.respond(INTENT)

    client.create_intent("Book")

    headers = script.seen[0].headers
    assert headers["X-Api-Key"] == "secret-key"
    assert headers["X-Agent-Id"] == "ada"
    assert headers["User-Agent"].startswith("openintent-python/")
    assert headers["Content-Type"] == "application/json"
    assert headers["Accept"] == "application/json"


@pytest.mark.parametrize("ending", ["", "/", "/api/v1", "/api/v1/"])
def test_base_url_may_end_with_slash_or_api_path(connect, script, ending):
    script.respond(INTENT)

    connect(f"{script.url}{ending}").get_intent(ID)

    assert script.seen[0].target == HERE


@pytest.mark.parametrize(
    "base_url",
    ["", "localhost:8000", "ftp://x", "http://", "https://me:pw@x", "http://x?a=b", "http://x#a"],
)
def test_an_address_that_cannot_be_one_is_refused(connect, base_url):
    with pytest.raises(InputValidationError) as caught:
        connect(base_url)

    assert caught.value.field == "base_url"


@pytest.mark.parametrize("value", ["", " ", "agent\n", "größe", "x" * 256, " x"])
@pytest.mark.parametrize("field", ["api_key", "agent_id"])
def test_a_key_or_agent_id_that_no_header_can_carry_is_refused(connect, field, value):
    with pytest.raises(InputValidationError) as caught:
        connect("http://localhost", **{field: value})

    assert caught.value.field == field


@pytest.mark.parametrize("settings", [{"timeout": 0}, {"connect_timeout": -1}, {"max_tries": 0}])
def test_invalid_client_settings_are_rejected(connect, settings):
    with pytest.raises(InputValidationError):
        connect("http://localhost", **settings)


@pytest.mark.parametrize("intent_id", ["", ".", "..", None, 7, "\ud800"])
def test_an_id_that_no_url_can_carry_is_refused(client, script, intent_id):
    with pytest.raises(InputValidationError):
        client.get_intent(intent_id)

    assert script.seen == []
