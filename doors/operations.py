"""Requests of the door to the API of this process, with the caller's key: through the same handler that serves REST (rule M-1)."""

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

import orjson
from django.conf import settings

from core.root_path import public_path

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]

PASSED_ON = frozenset(
    [
        b"authorization",
        b"forwarded",
        b"host",
        b"origin",
        b"traceparent",
        b"user-agent",
        b"x-agent-id",
        b"x-api-key",
        b"x-real-ip",
        b"x-request-id",
    ]
)
"""Headers that decide who is calling and from where. Those of the MCP request are about that request alone."""


class Refused(Exception):
    """The operation was refused, with a problem document."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(problem.get("detail", ""))
        self.problem = problem


@dataclass(frozen=True)
class Door:
    """One caller's way to the API, for the time of one MCP request."""

    api: App
    scope: Scope
    """The MCP request."""
    agent: str
    """Agent id as which the caller acts."""

    def page(self, path: str) -> str:
        """Return the public address of a path, or without a setting that under which the caller sees the server."""
        if settings.PUBLIC_URL:
            return f"{settings.PUBLIC_URL}{path}"
        host = dict(self.scope["headers"]).get(b"host", b"localhost").decode("latin-1")
        return f"{self.scope.get('scheme', 'http')}://{host}{public_path(path)}"

    async def get(self, path: str, **query: Any) -> Any:
        return await self.send("GET", path, query=query)

    async def post(self, path: str, body: Mapping[str, Any], **headers: str) -> Any:
        return await self.send("POST", path, body=body, headers=headers)

    async def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        """Return the body of the response, None if it has none. Raise Refused for a problem.

        Where a gate wants a permit and the agent has one for exactly this request, it is spent: no model has to know it (rule M-3).
        """
        try:
            return await self._request(method, path, query or {}, body, headers or {})
        except Refused as refusal:
            permit = await self._permit_for(refusal.problem)
            if permit is None:
                raise
            return await self._request(method, path, query or {}, body, {**(headers or {}), "x_permit": permit})

    async def _permit_for(self, problem: Mapping[str, Any]) -> str | None:
        """Return the id of the agent's live permit for the act that was refused for want of one."""
        action = (problem.get("remedy") or {}).get("action")
        if problem.get("code") != "permit_required" or not action or not is_id(action["target"]):
            return None
        found = await self._request("GET", f"/intents/{action['target']}/permits", {"status": "live", "limit": 1000}, None, {})
        for permit in found["permits"]:
            if (permit["agent_id"], permit["verb"]) == (self.agent, action["verb"]):
                asked = await self._request("GET", f"/arbitrations/{permit['arbitration_id']}", {}, None, {})
                if asked["action"] == action:
                    return str(permit["id"])
        return None

    async def _request(
        self, method: str, path: str, query: Mapping[str, Any], body: Mapping[str, Any] | None, headers: Mapping[str, str]
    ) -> Any:
        raw = b"" if body is None else json.dumps(body).encode()
        sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        if body is not None:
            sent += [(b"content-type", b"application/json"), (b"content-length", str(len(raw)).encode())]
        status, content = await self._fetch(self._scope(method, path, query, sent), raw)
        found = orjson.loads(content) if content else None
        if status >= 400:
            raise Refused(
                found if isinstance(found, dict) else {"status": status, "code": "internal", "detail": "No problem document."}
            )
        return found

    def _scope(self, method: str, path: str, query: Mapping[str, Any], headers: list[tuple[bytes, bytes]]) -> Scope:
        given = [(name, _parameter(value)) for name, value in query.items() if value is not None]
        kept = [each for each in self.scope["headers"] if each[0] in PASSED_ON or each[0].startswith(b"x-forwarded-")]
        return {
            **self.scope,
            "method": method,
            "path": f"/api/v1{path}",
            "raw_path": quote(f"/api/v1{path}").encode(),
            "query_string": urlencode(given).encode(),
            "headers": [*kept, *headers],
            "state": {},
        }

    async def _fetch(self, scope: Scope, body: bytes) -> tuple[int, bytes]:
        status, parts, is_sent = 500, [], False

        async def receive() -> dict[str, Any]:
            nonlocal is_sent
            if is_sent:
                return await self.scope["doors.disconnected"]()
            is_sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                parts.append(message.get("body", b""))

        await self.api(scope, receive, send)
        return status, b"".join(parts)


def is_id(text: Any) -> bool:
    try:
        return str(UUID(text)) == text
    except (AttributeError, TypeError, ValueError):
        return False


def segment(text: Any) -> str:
    """Return an id as one segment of a path: it cannot name another operation."""
    return quote(str(text), safe="")


def _parameter(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
