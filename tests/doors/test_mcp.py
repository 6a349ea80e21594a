"""/mcp: its tools, resources, limits and refusals on both wires (protocol §11)."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from mcp.shared.exceptions import MCPError

from doors.results import MAX_RESULT, bounded
from doors.tools import TOOLS
from tests.doors.conftest import JSON, KEY, call, connected, post

LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


def make_key(rest, role, **fields):
    return rest.post("/keys", {"name": f"a {role}", "role": role, **fields})["key"]


async def test_tools_are_those_of_the_role_in_a_fixed_order(server, rest, wire):
    async with connected(server.url, wire) as client:
        listed = (await client.list_tools()).tools
        again = (await client.list_tools()).tools

    assert [each.name for each in listed] == [*TOOLS] == [each.name for each in again]
    assert all(each.output_schema["type"] == each.input_schema["type"] == "object" and each.description for each in listed)
    assert [each.name for each in listed if each.annotations.read_only_hint] == [
        "find_work",
        "get_brief",
        "get_intent",
        "wait_for_decision",
        "events_since",
    ]


async def test_agent_works_from_finding_to_handing_over(server, rest, wire):
    made = rest.intent(title=f"Report over {wire}")
    async with connected(server.url, wire, agent="eve") as client:
        found = await call(client, "find_work", q=f"Report over {wire}")
        taken = await call(client, "take_work", intent_id=found["intents"][0]["id"], version=1)
        await call(client, "lease_scope", intent_id=made["id"], scope="content")
        written = await call(client, "update_state", intent_id=made["id"], version=taken["version"], state={"content": "Good"})
        await call(client, "release_scope", intent_id=made["id"], scope="content")
        done = await call(client, "set_status", intent_id=made["id"], version=written["version"], status="completed")
        brief = await call(client, "get_brief", intent_id=made["id"])
        events = await call(client, "events_since", intent_id=made["id"], after=1, limit=2)

    assert (taken["status"], taken["agents"]) == ("active", [{"agent_id": "eve", "role": "worker"}])
    assert (done["status"], done["state"]) == ("completed", {"content": "Good"})
    assert "status: completed" in brief["text"]
    assert ([each["sequence"] for each in events["events"]], events["next_after"], events["more"]) == ([2, 3], 3, True)


async def test_work_that_another_agent_took_first_is_refused(server, rest):
    made = rest.intent()
    async with connected(server.url, agent="eve") as eve, connected(server.url, agent="bob") as bob:
        await call(eve, "take_work", intent_id=made["id"], version=1)
        late = await call(bob, "take_work", intent_id=made["id"], version=1)

    assert late["code"] == "version_conflict"
    assert [each["agent_id"] for each in rest.get(f"/intents/{made['id']}")["agents"]] == ["eve"]


async def test_resources_are_an_intent_and_its_brief(server, rest, wire):
    made = rest.intent(assign="ada")
    async with connected(server.url, wire) as client:
        listed = [str(each.uri) for each in (await client.list_resources()).resources]
        [intent] = (await client.read_resource(f"openintent://intents/{made['id']}")).contents
        [brief] = (await client.read_resource(f"openintent://intents/{made['id']}/brief")).contents
        templates = (await client.list_resource_templates()).resource_templates
        with pytest.raises(MCPError):
            await client.read_resource("openintent://intents/0199f3a2-7c41-7d52-9d1e-3f6a5b0c8e21")
        with pytest.raises(MCPError):
            await client.read_resource("file:///etc/passwd")

    assert f"openintent://intents/{made['id']}/brief" in listed
    assert json.loads(intent.text) == rest.get(f"/intents/{made['id']}")
    assert brief.text == rest.get(f"/intents/{made['id']}/brief")["text"]
    assert [each.uri_template for each in templates] == ["openintent://intents/{id}", "openintent://intents/{id}/brief"]


# --- tokens --------------------------------------------------------------------------------------------------------


@pytest.mark.rule("M-3")
async def test_model_never_sees_or_repeats_a_token(server, rest, wire):
    made = rest.intent()
    async with connected(server.url, wire, agent="eve") as eve, connected(server.url, wire, agent="bob") as bob:
        lease = await call(eve, "lease_scope", intent_id=made["id"], scope="content")
        refused = await call(bob, "lease_scope", intent_id=made["id"], scope="content")
        written = await call(eve, "update_state", intent_id=made["id"], version=1, state={"content": 1})

    assert "fencing_token" not in json.dumps([lease, refused])
    assert refused["existing_lease"]["agent_id"] == "eve"
    assert written["version"] == 2
    assert "fencing" not in json.dumps([tool.input_schema for tool in TOOLS.values()])


@pytest.mark.rule("M-3")
async def test_write_after_the_loss_of_a_lease_is_refused(server, rest, wire):
    made = rest.intent()
    async with connected(server.url, wire, agent="eve") as eve:
        lease = await call(eve, "lease_scope", intent_id=made["id"], scope="content")
        rest.post(f"/intents/{made['id']}/leases/{lease['id']}/revoke", {})
        lost = await call(eve, "update_state", intent_id=made["id"], version=1, state={"other": 1})
        await call(eve, "lease_scope", intent_id=made["id"], scope="content")
        written = await call(eve, "update_state", intent_id=made["id"], version=1, state={"content": 1})
        await call(eve, "release_scope", intent_id=made["id"], scope="content")
        after = await call(eve, "update_state", intent_id=made["id"], version=2, state={"content": 2})

    assert (lost["code"], written["version"], after["version"]) == ("lease_lost", 2, 3)


# --- who and from where ----------------------------------------------------------------------------------------------


@pytest.mark.rule("M-7")
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"X-API-Key": "wrong"}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"X-API-Key": KEY, "Origin": "https://evil.example"}, 403),
        ({"X-API-Key": KEY, "Origin": "null"}, 403),
        ({"X-API-Key": KEY, "Host": "evil.example"}, 401),
        ({"X-API-Key": KEY}, 200),
        ({"Authorization": f"Bearer {KEY}"}, 200),
    ],
    ids=["no key", "wrong key", "wrong token", "origin", "null origin", "rebound host", "key", "token"],
)
def test_key_and_origin_are_checked_before_anything_else(server, headers, status):
    answer = requests.post(f"{server.url}/mcp", json=LIST, headers={**JSON, **headers}, timeout=60)

    assert answer.status_code == status
    assert KEY not in answer.text
    if status == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.rule("M-1", "M-7")
async def test_key_of_an_observer_reads_only(server, rest, wire):
    made = rest.intent()
    async with connected(server.url, wire, key=make_key(rest, "observer"), agent="") as client:
        names = [each.name for each in (await client.list_tools()).tools]
        refused = await call(client, "set_status", intent_id=made["id"], version=1, status="active")

    assert names == [name for name, tool in TOOLS.items() if tool.reads]
    assert refused["code"] == "forbidden"


async def test_bound_key_acts_as_its_agent_alone(server, rest, wire):
    key, made = make_key(rest, "agent", agent_id=f"agent:{wire}"), rest.intent()
    async with connected(server.url, wire, key=key, agent="") as client:
        taken = await call(client, "take_work", intent_id=made["id"], version=1)
    async with connected(server.url, wire, key=key, agent="eve") as client:
        refused = await call(client, "get_intent", intent_id=made["id"])

    assert taken["agents"] == [{"agent_id": f"agent:{wire}", "role": "worker"}]
    assert refused["code"] == "agent_mismatch"


@pytest.mark.rule("M-7")
async def test_large_result_is_cut_and_says_where_the_rest_is(server, rest, wire):
    made = rest.intent(state={"é" * 10: "漢" * 90_000, "small": 1})
    payload = {"text": "\\" * 60_000}
    for _ in range(4):
        rest.post(f"/intents/{made['id']}/events", {"event_type": "comment", "payload": payload})
    async with connected(server.url, wire) as client:
        found = await client.call_tool("get_intent", {"intent_id": made["id"]})
        events = await client.call_tool("events_since", {"intent_id": made["id"], "after": 1})
        [resource] = (await client.read_resource(f"openintent://intents/{made['id']}")).contents

    for each in (found, events, resource):
        assert len(each.model_dump_json()) <= MAX_RESULT
    assert found.structured_content["version"] == 1
    assert f"{server.url}/api/v1/intents/{made['id']}" in found.structured_content["rest"]
    assert "first 1 of 4" in events.structured_content["rest"]
    assert events.structured_content["next_after"] == 2


@pytest.mark.rule("M-7")
@pytest.mark.parametrize("items", [1, 3, 1_000])
def test_any_list_is_cut_to_its_limit(items):
    result = bounded(
        {"events": [{"id": str(number), "payload": {"a": "é" * 300_000}} for number in range(items)], "more": False}, "there"
    )

    assert len(json.dumps({"content": json.dumps(result), "structured": result})) <= MAX_RESULT
    assert result["events"]
    assert "there" in result["rest"]


BAD = {
    "no JSON": b"{",
    "a batch": b"[]",
    "no object": b"7",
    "no version": b'{"id":1,"method":"tools/list"}',
    "null id": b'{"jsonrpc":"2.0","id":null,"method":"tools/list"}',
    "an object as id": b'{"jsonrpc":"2.0","id":{},"method":"tools/list"}',
    "method is a number": b'{"jsonrpc":"2.0","id":1,"method":3}',
    "unknown method": b'{"jsonrpc":"2.0","id":1,"method":"tools/destroy"}',
    "no params": b'{"jsonrpc":"2.0","id":1,"method":"tools/call"}',
    "params are a list": b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[1]}',
    "arguments are text": b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_intent","arguments":"x"}}',
    "unknown tool": b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"rm","arguments":{}}}',
    "deep nesting": b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001,
    "a huge number": b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":' + b"9" * 6_000 + b"}}",
    "invalid UTF-8": b'{"jsonrpc":"2.0","id":1,"method":"\xff"}',
}


@pytest.mark.rule("M-7")
@pytest.mark.parametrize("name", BAD)
def test_bad_message_is_a_protocol_error_of_its_wire(server, wire, name):
    headers = {**JSON, "X-API-Key": KEY, "MCP-Protocol-Version": wire}

    answer = requests.post(f"{server.url}/mcp", data=BAD[name], headers=headers, timeout=60)

    if wire == "2025-11-25" and name in ("null id", "an object as id"):  # Taken for a notification, which has no answer.
        assert (answer.status_code, answer.content) == (202, b"")
        return
    assert answer.status_code in (200, 400, 404), answer.text
    assert answer.json()["jsonrpc"] == "2.0"
    assert answer.json()["error"]["code"] < 0
    assert "Traceback" not in answer.text


@pytest.mark.rule("M-7")
@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {}, 405),
        ("DELETE", {}, 405),
        ("PUT", {}, 405),
        ("POST", {"Content-Type": "text/plain"}, 400),
        ("POST", {"Accept": "text/html"}, 406),
        ("POST", {"MCP-Protocol-Version": "1999-01-01"}, 400),
    ],
)
def test_bad_request_is_refused_by_http(server, method, headers, status):
    answer = requests.request(method, f"{server.url}/mcp", json=LIST, headers={**JSON, "X-API-Key": KEY, **headers}, timeout=60)

    assert answer.status_code == status


def test_too_large_a_body_is_refused(server):
    answer = requests.post(f"{server.url}/mcp", data=b"x" * (11 * 2**20), headers={**JSON, "X-API-Key": KEY}, timeout=60)

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.rule("M-2")
def test_requests_of_a_wire_need_no_session(server, wire):
    """Each message stands alone: no id is given out, and none is asked for."""
    if wire == "2026-07-28":
        meta = {"io.modelcontextprotocol/protocolVersion": wire, "io.modelcontextprotocol/clientCapabilities": {}}
        message, headers = {**LIST, "params": {"_meta": meta}}, {"MCP_Protocol_Version": wire, "Mcp_Method": "tools/list"}
    else:
        message, headers = LIST, {"MCP_Protocol_Version": wire}

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(server.url, message, **headers), range(16)))

    assert {answer.status_code for answer in answers} == {200}
    assert not any("Mcp-Session-Id" in answer.headers for answer in answers)
    assert len({answer.text for answer in answers}) == 1
