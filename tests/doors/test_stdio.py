"""`openintent mcp`: the same door on stdin and stdout, towards any server."""

import json
import os
import sys
from contextlib import asynccontextmanager
from io import BytesIO

import pytest
from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from openintent import InputValidationError
from openintent._stdio_relay import StdioRelay

from doors.tools import TOOLS
from tests.doors.conftest import KEY, WIRES, call
from tests.processes import ROOT


@asynccontextmanager
async def started(url, wire, **environment):
    """A client that has started `openintent mcp` as its server."""
    program = StdioServerParameters(
        command=sys.executable,
        args=["-m", "openintent.cli", "mcp"],
        cwd=ROOT,
        env={**os.environ, "OPENINTENT_URL": url, "OPENINTENT_API_KEY": KEY, "OPENINTENT_AGENT_ID": "agent:ä", **environment},
    )
    async with Client(stdio_client(program), mode=WIRES[wire]) as client:
        yield client


def relayed(url, *messages, key=KEY):
    """Return what the relay writes for these lines."""
    target = BytesIO()
    lines = b"\n".join(each if isinstance(each, bytes) else json.dumps(each).encode() for each in messages)
    StdioRelay(url, key, None, source=BytesIO(lines), target=target).run()
    return [json.loads(line) for line in target.getvalue().splitlines()]


async def test_client_that_starts_the_program_has_the_same_door(server, rest, wire):
    made = rest.intent()
    async with started(server.url, wire) as client:
        names = [each.name for each in (await client.list_tools()).tools]
        taken = await call(client, "take_work", intent_id=made["id"], version=1)
        refused = await call(client, "set_status", intent_id=made["id"], version=1, status="completed")
        [brief] = (await client.read_resource(f"openintent://intents/{made['id']}/brief")).contents

    assert names == [*TOOLS]
    assert taken["agents"] == [{"agent_id": "agent:ä", "role": "worker"}]
    assert refused["code"] == "version_conflict"
    assert brief.text == rest.get(f"/intents/{made['id']}/brief")["text"]


LIST = {"jsonrpc": "2.0", "id": "a", "method": "tools/list"}


@pytest.mark.rule("M-7")
def test_failures_are_answers_and_name_no_key(server):
    [wrong] = relayed(server.url, LIST, key="a-wrong-key")
    [away] = relayed("http://127.0.0.1:9", LIST)
    [no_door] = relayed(f"{server.url}/docs", LIST)
    [no_json] = relayed(server.url, b"{")
    [batch] = relayed(server.url, b"[]")

    assert (wrong["id"], wrong["error"]["data"]["code"]) == ("a", "unauthenticated")
    assert (away["id"], "does not answer" in away["error"]["message"]) == ("a", True)
    assert (no_door["id"], "has no MCP" in no_door["error"]["message"] or no_door["error"]["data"]["code"]) == ("a", "not_found")
    assert (no_json["error"]["code"], batch["error"]["code"]) == (-32700, -32600)
    assert "a-wrong-key" not in json.dumps([wrong, away, no_door])


def test_notification_has_no_answer(server):
    assert relayed(server.url, {"jsonrpc": "2.0", "method": "notifications/initialized"}, b"", b" ") == []


def test_address_that_is_none_is_refused():
    with pytest.raises(InputValidationError):
        StdioRelay("ftp://server", None, None)
