"""Questions to people at /mcp, on both wires (rules M-4 to M-6)."""

import asyncio
import json
import time

import pytest
import requests

from doors.mcp_server import CALL_SECONDS
from doors.operations import Door
from doors.tools import TOOLS, WAIT_SECONDS
from tests.databases import migrated_database
from tests.doors.conftest import Rest, call, connected, post
from tests.servers import Server


@pytest.mark.rule("M-5")
async def test_question_is_answered_with_a_link_where_a_person_decides(server, rest, wire):
    made = rest.intent()
    async with connected(server.url, wire) as client:
        asked = await call(client, "ask", intent_id=made["id"], question="Publish?", options=[{"label": "yes"}, {"label": "no"}])

    assert asked["status"] == "pending"
    page = requests.get(asked["url"], timeout=60)
    assert "/admin/login" in page.url  # The link carries no right.
    assert asked["url"].startswith(f"{server.url}/admin/governance/arbitration/{asked['arbitration_id']}/")
    assert rest.get(f"/arbitrations/{asked['arbitration_id']}")["status"] == "pending"


@pytest.mark.rule("M-5")
@pytest.mark.parametrize(
    "message",
    [
        {"jsonrpc": "2.0", "id": 1, "result": {"action": "accept", "content": {"decision": "yes"}}},
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tasks/update",
            "params": {"taskId": "{id}", "inputResponses": {"a": {"action": "accept"}}},
        },
        {"jsonrpc": "2.0", "id": 1, "method": "tasks/result", "params": {"taskId": "{id}"}},
        {"jsonrpc": "2.0", "id": 1, "method": "elicitation/create", "params": {"message": "yes"}},
        {"jsonrpc": "2.0", "method": "notifications/elicitation/complete", "params": {"elicitationId": "{id}"}},
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {"name": "decide", "arguments": {"arbitration_id": "{id}"}},
        },
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {"name": "wait_for_decision", "arguments": {"arbitration_id": "{id}", "seconds": 0, "decision": "yes"}},
        },
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {
                "name": "wait_for_decision",
                "arguments": {"arbitration_id": "{id}", "seconds": 0},
                "inputResponses": {"a": {"action": "accept", "content": {"decision": "yes"}}},
            },
        },
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "tools/call",
            "params": {"name": "log_event", "arguments": {"intent_id": "{intent}", "event_type": "decision_recorded"}},
        },
    ],
    ids=["elicitation", "task update", "task result", "request", "notification", "no tool", "argument", "input", "event"],
)
async def test_messages_of_agents_are_no_decisions(server, rest, wire, message):
    made = rest.intent()
    asked = rest.post(f"/intents/{made['id']}/arbitrate", {"reason": "Publish?"})
    text = json.dumps(message).replace("{id}", asked["id"]).replace("{intent}", made["id"])
    headers = {"MCP_Protocol_Version": wire, "Mcp_Method": str(message.get("method"))}
    forged = json.loads(text)
    if wire == "2026-07-28" and "params" in forged:
        forged["params"]["_meta"] = {
            "io.modelcontextprotocol/protocolVersion": wire,
            "io.modelcontextprotocol/clientCapabilities": {},
        }
        headers |= {"Mcp_Name": forged["params"].get("name", "")} if "name" in forged["params"] else {}

    answer = post(server.url, forged, **headers)

    assert answer.status_code < 500
    assert rest.get(f"/arbitrations/{asked['id']}")["status"] == "pending"
    assert rest.get(f"/intents/{made['id']}/decisions")["decisions"] == []


@pytest.mark.rule("M-6")
async def test_same_question_while_it_is_pending_is_the_same(server, rest, wire):
    made = rest.intent()
    question = {
        "intent_id": made["id"],
        "question": "Publish?",
        "options": [{"label": "yes"}, {"label": "no"}],
        "context": {"a": 1},
    }
    async with connected(server.url, wire) as client:
        first, *same = await asyncio.gather(*(call(client, "ask", **question) for _ in range(5)))
        other = await call(client, "ask", **{**question, "context": {"a": 2}})
        rest.post(f"/intents/{made['id']}/decisions", {"decision": "no", "arbitration_id": first["arbitration_id"]})
        decided = await call(client, "wait_for_decision", arbitration_id=first["arbitration_id"])
        later = await call(client, "ask", **question)

    assert {each["arbitration_id"] for each in same} == {first["arbitration_id"]}
    assert decided["decision"]["decision"] == "no"
    assert len({first["arbitration_id"], other["arbitration_id"], later["arbitration_id"]}) == 3
    assert len(rest.get(f"/intents/{made['id']}/arbitrations")["arbitrations"]) == 3


@pytest.mark.rule("M-6")
async def test_typed_question_has_its_answer(server, rest, wire):
    made = rest.intent()
    schema = {"type": "object", "properties": {"days": {"type": "integer"}}, "required": ["days"]}
    question = {"intent_id": made["id"], "question": "How long?", "response_schema": schema, "urgency": "high"}
    async with connected(server.url, wire) as client:
        asked = await call(client, "ask", **question)
        same = await call(client, "ask", **question)
        other = await call(client, "ask", **{**question, "urgency": "low"})
        body = {"decision": "answered", "answer": {"days": 3}, "arbitration_id": asked["arbitration_id"]}
        rest.post(f"/intents/{made['id']}/decisions", body)
        decided = await call(client, "wait_for_decision", arbitration_id=asked["arbitration_id"])

    assert same["arbitration_id"] == asked["arbitration_id"] != other["arbitration_id"]
    assert decided["decision"]["answer"] == {"days": 3}


@pytest.mark.rule("M-4")
async def test_wait_answers_pending_and_is_called_again(server, rest, wire):
    made = rest.intent()
    async with connected(server.url, wire) as client:
        asked = await call(client, "ask", intent_id=made["id"], question="Publish?")
        pending = await call(client, "wait_for_decision", arbitration_id=asked["arbitration_id"], seconds=0)
        began = time.monotonic()
        waiting = asyncio.ensure_future(call(client, "wait_for_decision", arbitration_id=asked["arbitration_id"]))
        while "wait=45" not in "".join(server.log) and time.monotonic() - began < 0.5:
            await asyncio.sleep(0.05)
        rest.post(f"/intents/{made['id']}/decisions", {"decision": "yes", "arbitration_id": asked["arbitration_id"]})
        decided = await waiting

    assert (pending["status"], pending["decision"]) == ("pending", None)
    assert (decided["status"], decided["decision"]["decision"]) == ("resolved", "yes")
    assert time.monotonic() - began < 20


@pytest.mark.full
@pytest.mark.rule("M-4")
async def test_server_that_stops_answers_what_waits(vendor, tmp_path, wire):
    with Server(migrated_database(vendor, tmp_path)) as server:
        rest = Rest(server.url)
        made = rest.intent()
        async with connected(server.url, wire) as client:
            asked = await call(client, "ask", intent_id=made["id"], question="Publish?")
            waiting = asyncio.ensure_future(call(client, "wait_for_decision", arbitration_id=asked["arbitration_id"]))
            while "/arbitrations/" not in "".join(server.log):
                await asyncio.sleep(0.05)
            server.process.terminate()
            pending = await waiting

    assert pending["status"] == "pending"


@pytest.mark.rule("M-4")
def test_no_wait_is_longer_than_its_limit():
    assert WAIT_SECONDS < CALL_SECONDS <= 50
    assert TOOLS["wait_for_decision"].input_schema["properties"]["seconds"]["maximum"] == WAIT_SECONDS


@pytest.mark.rule("M-5")
def test_link_has_the_public_address_of_the_server(settings):
    scope = {"scheme": "http", "headers": [(b"host", b"evil.example")]}
    door = Door(None, scope, "ada")
    assert door.page("/admin/") == "http://evil.example/admin/"

    settings.PUBLIC_URL = "https://oi.example/team"

    assert door.page("/admin/") == "https://oi.example/team/admin/"
