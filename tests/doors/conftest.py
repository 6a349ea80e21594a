"""Agents at the door: the official client on either wire, beside plain HTTP with the same key."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
import requests
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client

WIRES = {"2025-11-25": "legacy", "2026-07-28": "2026-07-28"}
KEY = "dev-user-key"
JSON = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}


@asynccontextmanager
async def connected(url: str, wire: str = "2025-11-25", *, agent: str = "ada", key: str = KEY) -> AsyncIterator[Client]:
    headers = {"X-API-Key": key, **({"X-Agent-ID": agent} if agent else {})}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=60) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http), mode=WIRES[wire]) as client,
    ):
        yield client


async def call(client: Client, name: str, **arguments: Any) -> Any:
    """Return the structured result; of a refusal, the problem."""
    found = await client.call_tool(name, arguments)
    told = json.loads(found.content[0].text)
    assert found.is_error or told == found.structured_content
    return told


def post(url: str, message: Any, **headers: str) -> requests.Response:
    """Send a message of JSON-RPC without a client."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return requests.post(f"{url}/mcp", json=message, headers={**JSON, "X-API-Key": KEY, **named}, timeout=60)


class Rest:
    """The API over HTTP, as an agent."""

    def __init__(self, url: str, *, agent: str = "ada", key: str = KEY) -> None:
        self.url, self.headers = url, {"X-API-Key": key, "X-Agent-ID": agent}

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.request(method, f"{self.url}/api/v1{path}", json=body, headers={**self.headers, **named}, timeout=60)

    def get(self, path: str) -> Any:
        return self.send("GET", path).json()

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return self.send("POST", path, body, **headers).json()

    def intent(self, **fields: Any) -> Any:
        return self.post("/intents", {"title": "Write a report", "state": {"content": {"draft": ""}}, **fields})


@pytest.fixture
def rest(server):
    return Rest(server.url)


@pytest.fixture(params=WIRES)
def wire(request):
    return request.param
