"""MCP clients at three processes in turn, one of which is killed (rules M-2, M-4)."""

import asyncio
import json
import os
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path

import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from tests.clients.packages import BIN
from tests.doors.conftest import KEY, WIRES, Rest, call
from tests.servers import Server

pytestmark = [pytest.mark.full, pytest.mark.database("postgresql")]

PROCESSES = 3


class RoundRobin:
    """A proxy that gives each connection to the next process that accepts it."""

    def __init__(self, servers):
        self.ports = [int(server.url.rpartition(":")[2]) for server in servers]
        self.turn = count()
        self.served = dict.fromkeys(self.ports, 0)
        self.open = dict.fromkeys(self.ports, 0)

    async def __aenter__(self):
        self.listener = await asyncio.start_server(self.pass_on, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self.listener.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_):
        self.listener.close()

    async def pass_on(self, reader, writer):
        for _ in self.ports:
            port = self.ports[next(self.turn) % len(self.ports)]
            try:
                its_reader, its_writer = await asyncio.open_connection("127.0.0.1", port)
                break
            except OSError:
                continue
        self.served[port] += 1
        self.open[port] += 1
        await asyncio.gather(self.copy(reader, its_writer), self.copy(its_reader, writer), return_exceptions=True)
        self.open[port] -= 1

    @staticmethod
    async def copy(reader, writer):
        try:
            while part := await reader.read(65_536):
                writer.write(part)
                await writer.drain()
        finally:
            writer.close()


@asynccontextmanager
async def at(url, wire):
    """A client that makes a connection for each message."""
    headers = {"X-API-Key": KEY, "X-Agent-ID": "ada"}
    limits = httpx2.Limits(max_keepalive_connections=0)
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60, limits=limits) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http), mode=WIRES[wire]) as client,
    ):
        yield client


class Agent:
    """Calls tools as a host does whose client ends with a connection that fails: by the next one, with the same call."""

    def __init__(self, url, wire):
        self.url, self.wire = url, wire

    async def __call__(self, name, **arguments):
        for _ in range(PROCESSES):
            try:
                async with at(self.url, self.wire) as client:
                    return await call(client, name, **arguments)
            except* (httpx2.TransportError, MCPError) as group:
                failed = group
        raise failed


@pytest.mark.rule("M-2", "M-3", "M-4", "M-6")
async def test_agents_work_on_while_a_process_is_killed(database_url):
    servers = [Server(database_url).start() for _ in range(PROCESSES)]
    try:
        async with RoundRobin(servers) as proxy:
            await asyncio.gather(*(work(proxy, servers, wire) for wire in WIRES))
        assert all(proxy.served.values())
    finally:
        for server in servers[1:]:
            server.stop()


async def work(proxy, servers, wire):
    rest, agent = Rest(servers[1].url), Agent(proxy.url, wire)
    made = await agent("create_intents", intents=[{"title": f"Over {wire}"}])
    intent = made["intents"][0]["id"]
    await agent("take_work", intent_id=intent, version=1)
    lease = await agent("lease_scope", intent_id=intent, scope="content", duration_seconds=600)
    asked = await agent("ask", intent_id=intent, question="Go on?")
    waiting = [
        asyncio.ensure_future(agent("wait_for_decision", arbitration_id=asked["arbitration_id"])) for _ in range(2 * PROCESSES)
    ]
    while sum(proxy.served.values()) < 8 * PROCESSES:
        await asyncio.sleep(0.05)
    if servers[0].process.poll() is None:
        servers[0].kill()
    same = [await agent("ask", intent_id=intent, question="Go on?") for _ in range(PROCESSES)]
    await asyncio.to_thread(
        rest.post, f"/intents/{intent}/decisions", {"decision": "yes", "arbitration_id": asked["arbitration_id"]}
    )
    decided = await asyncio.gather(*waiting)
    for version in range(2, 2 + PROCESSES):
        written = await agent("update_state", intent_id=intent, version=version, state={"content": version})
        assert written["version"] == version + 1, written
    await asyncio.to_thread(rest.post, f"/intents/{intent}/leases/{lease['id']}/revoke", {})
    lost = [await agent("update_state", intent_id=intent, version=version + 1, state={"a": 1}) for _ in range(PROCESSES)]

    assert {each["arbitration_id"] for each in same} == {asked["arbitration_id"]}
    assert {each["decision"]["decision"] for each in decided} == {"yes"}
    assert {each["code"] for each in lost} == {"lease_lost"}


@pytest.mark.rule("M-2", "M-4")
async def test_typescript_agents_work_on_while_a_process_is_killed(database_url, node_modules, tmp_path):
    (tmp_path / "node_modules").symlink_to(node_modules)
    program = tmp_path / "mcp_client.mjs"
    program.write_text((Path(__file__).parent / "mcp_client.mjs").read_text())
    servers = [Server(database_url).start() for _ in range(PROCESSES)]
    try:
        async with RoundRobin(servers) as proxy:
            running = [await typescript_agent(program, proxy, wire) for wire in WIRES]
            asked = [json.loads(await each.stdout.readline()) for each in running]
            while proxy.open[proxy.ports[0]] < 2:
                await asyncio.sleep(0.05)
            servers[0].kill()
            rest = Rest(servers[1].url)
            for each in asked:
                decision = {"decision": "yes", "arbitration_id": each["arbitration_id"]}
                await asyncio.to_thread(rest.post, f"/intents/{each['intent_id']}/decisions", decision)
            done = [json.loads(await each.stdout.readline()) for each in running]
            assert [await each.wait() for each in running] == [0] * len(running)
        assert all(proxy.served.values())
    finally:
        for server in servers[1:]:
            server.stop()

    assert {each["kind"] for each in asked} == {"asked"}
    assert all("ask" in each["tools"] for each in asked)
    assert [each["decisions"] for each in done] == [["yes"] * 2 * PROCESSES] * len(running)
    assert [each["written"] for each in done] == [[3, 4, 5]] * len(running)


async def typescript_agent(program, proxy, wire):
    environment = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    return await asyncio.create_subprocess_exec(
        "node", str(program), proxy.url, wire, env=environment, stdout=asyncio.subprocess.PIPE
    )
