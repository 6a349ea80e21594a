"""Context of a message at /mcp: its HTTP request, the way to the API, the form of a refusal."""

import json
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError

from doors.operations import Door, Refused
from doors.results import problem_text


def scope_of(context: ServerRequestContext[Any, Any]) -> Any:
    """Return the ASGI scope of the message's HTTP request."""
    assert context.request is not None
    return context.request.scope


def door_of(context: ServerRequestContext[Any, Any]) -> Door:
    scope = scope_of(context)
    return Door(scope["doors.api"], scope, scope["doors.agent"])


def protocol_error(refusal: Refused, uri: str = "") -> MCPError:
    code = types.INVALID_PARAMS if refusal.problem.get("status") == 404 else types.INTERNAL_ERROR
    message = "Resource not found" if refusal.problem.get("status") == 404 else str(refusal)
    return MCPError(code=code, message=message, data={"uri": uri[:500], "problem": json.loads(problem_text(refusal.problem))})
