"""/mcp: who is calling, from where, and how much (rule M-7); then the MCP server, which is loaded by the first request that has a key."""

import asyncio
import importlib
import logging
from typing import Any

from django.conf import settings
from django.db import connection

from access import origins
from access.authentication import key_from_headers, verify_key
from access.identity import Caller
from access.models import Way
from core.api.exception_handler import to_protocol_error
from core.errors import Forbidden, ProtocolError, Unauthenticated, Unavailable
from core.serving.wsgi_bridge import ClientDisconnected, WSGIBridge, problem_response, request_meta
from doors.operations import App

PATH = "/mcp"

log = logging.getLogger("openintent.mcp")


class McpEndpoint:
    """ASGI application of /mcp. `api` serves the operations of the tools, as it serves REST."""

    def __init__(self, *, api: App, bridge: WSGIBridge) -> None:
        self.api = api
        self.bridge = bridge
        self._manager: asyncio.Task[Any] | None = None
        self._running: asyncio.Task[None] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            meta = request_meta(scope)
            if not origins.is_allowed(meta.get("HTTP_ORIGIN"), meta.get("HTTP_HOST", "")):
                raise Forbidden("This origin may not connect. Add it to OPENINTENT_CORS_ORIGINS.")
            caller = await self.bridge.threads.run(_verified, meta, expires=True)
            if scope["method"] != "POST":  # No stream of the server's own, no session to delete: both wires allow that.
                return await _send_empty(send, 405, (b"allow", b"POST"))
            with await self.bridge.read(scope, receive) as body:
                content = body.read()
            manager = await self._loaded()
        except ClientDisconnected:
            return
        except ProtocolError as refusal:
            refusal.headers["Connection"] = "close"
            if isinstance(refusal, Unauthenticated):
                refusal.headers["WWW-Authenticate"] = 'Bearer realm="openintent"'
            return await self.bridge.send(problem_response(refusal, scope), send)
        agent = meta.get("HTTP_X_AGENT_ID", "").encode("latin-1").decode(errors="replace").strip()
        inner = {
            **scope,
            # The HTTP parser leaves the blanks behind a value, which are no part of it (RFC 9110 section 5.5).
            "headers": [(name, value.strip(b" \t")) for name, value in scope["headers"]],
            "doors.api": self.api,
            "doors.role": caller.role,
            "doors.agent": caller.bound_to or agent or caller.name,
            "doors.disconnected": receive,
        }
        await manager.handle_request(inner, _replay(content, receive), send)

    async def _loaded(self) -> Any:
        """Return the session manager. Raise Unavailable where the extra is not installed."""
        if self._manager is None:
            self._manager = asyncio.ensure_future(self._load())
        try:
            return await asyncio.shield(self._manager)
        except Exception as error:
            self._manager = None
            if isinstance(error, ImportError):
                raise Unavailable("This server has no MCP: install openintent[mcp] beside it.") from None
            raise

    async def _load(self) -> Any:
        module = await asyncio.to_thread(importlib.import_module, "doors.mcp_server")
        manager = module.session_manager(settings.MAX_BODY)
        is_running = asyncio.Event()
        self._running = asyncio.create_task(self._run(manager, is_running))
        await is_running.wait()
        return manager

    async def _run(self, manager: Any, is_running: asyncio.Event) -> None:
        """Run until the event loop ends: after the server has answered what is still waiting."""
        async with manager.run():
            is_running.set()
            await asyncio.get_running_loop().create_future()


def _verified(meta: dict[str, Any]) -> Caller:
    try:
        return verify_key(key_from_headers(meta), meta, Way.MCP)
    except ProtocolError:
        raise
    except Exception as error:
        connection.close()  # It may be broken; Django checks it at the end of a request only.
        raise to_protocol_error(error) from None


def _replay(content: bytes, receive: Any) -> Any:
    parts = iter([content])

    async def replayed() -> Any:
        part = next(parts, None)
        return await receive() if part is None else {"type": "http.request", "body": part, "more_body": False}

    return replayed


async def _send_empty(send: Any, status: int, *headers: tuple[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [(b"content-length", b"0"), *headers]})
    await send({"type": "http.response.body", "body": b""})
