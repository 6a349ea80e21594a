"""Tasks extension of MCP: for a client that declares it, a question is a task, whose id is the arbitration's (rule M-5).

Nothing is kept here: a task is read from its arbitration, by any process. What a client sends as input has no effect.
"""

import json
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.shared.exceptions import MCPError
from pydantic import ConfigDict, Field

from doors.mcp_context import door_of, protocol_error
from doors.operations import Door, Refused, segment
from doors.question_results import question_result

EXTENSION = "io.modelcontextprotocol/tasks"
WIRE = "2026-07-28"
"""The revision that has the extension."""
POLL_MS = 5_000
WORKING, COMPLETED, CANCELLED = "working", "completed", "cancelled"
WITHDRAWN = "withdrawn"

Context = ServerRequestContext[Any, Any]


class TaskParams(types.RequestParams):
    model_config = ConfigDict(extra="allow")

    task_id: str = Field(alias="taskId", max_length=200)


def register(server: Server[Any]) -> None:
    """Add the extension to the server."""
    server.extensions[EXTENSION] = {}
    for name, handler in {"get": get_task, "update": update_task, "cancel": cancel_task}.items():
        server.add_request_handler(f"tasks/{name}", TaskParams, handler)


async def get_task(context: Context, params: TaskParams) -> dict[str, Any]:
    """Return the state of a task."""
    return task_of(*await _question(context, params))


async def update_task(context: Context, params: TaskParams) -> dict[str, Any]:
    """Acknowledge input, which no question wants: a person decides, on the page (rule M-5)."""
    await _question(context, params)
    return {}


async def cancel_task(context: Context, params: TaskParams) -> dict[str, Any]:
    """Withdraw the question. One that has ended stays as it is."""
    door, asked = await _question(context, params)
    if asked["status"] == "pending":
        try:
            await door.post(f"/arbitrations/{asked['id']}/withdraw", {})
        except Refused as refusal:
            if refusal.problem.get("code") != "arbitration_resolved":
                raise protocol_error(refusal) from None
    return {}


def is_declared(context: Context) -> bool:
    """Return whether the client of the request takes tasks."""
    declared = context.session.client_capabilities
    return context.protocol_version >= WIRE and EXTENSION in ((declared and declared.extensions) or {})


def created_task(door: Door, arbitration: dict[str, Any]) -> dict[str, Any]:
    """Return the result of a call that has asked: a handle instead of the answer."""
    return {**_members(door, arbitration), "resultType": "task"}


def task_of(door: Door, arbitration: dict[str, Any]) -> dict[str, Any]:
    """Return the state of the task; of one that has ended, with the result of the tool."""
    members = _members(door, arbitration)
    if members["status"] != COMPLETED:
        return members
    result = question_result(door, arbitration)
    content = [{"type": "text", "text": json.dumps(result, ensure_ascii=False)}]
    return {**members, "result": {"content": content, "structuredContent": result, "isError": False, "resultType": "complete"}}


def _members(door: Door, arbitration: dict[str, Any]) -> dict[str, Any]:
    status = {"pending": WORKING, WITHDRAWN: CANCELLED}.get(arbitration["status"], COMPLETED)
    decision = arbitration["decision"]
    return {
        "taskId": arbitration["id"],
        "status": status,
        "statusMessage": f"A person decides at {question_result(door, arbitration)['url']}",
        "createdAt": arbitration["created_at"],
        "lastUpdatedAt": (decision or arbitration)["created_at"],
        "ttlMs": None,
        "pollIntervalMs": POLL_MS,
    }


async def _question(context: Context, params: TaskParams) -> tuple[Door, dict[str, Any]]:
    if context.protocol_version < WIRE:
        raise MCPError(code=types.METHOD_NOT_FOUND, message="Method not found")
    if not is_declared(context):
        needed: dict[str, Any] = {"requiredCapabilities": {"extensions": {EXTENSION: {}}}}
        raise MCPError(code=types.MISSING_REQUIRED_CLIENT_CAPABILITY, message="Missing required client capability", data=needed)
    door = door_of(context)
    try:
        return door, await door.get(f"/arbitrations/{segment(params.task_id)}")
    except Refused as refusal:
        raise protocol_error(refusal) from None
