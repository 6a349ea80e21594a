"""MCP server on the official SDK: its messages on one side, tools and resources on the other.

Imported when /mcp is first asked for: the SDK takes seconds and tens of megabytes (D-247).
"""

import asyncio
import json
import logging
from typing import Any

import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError

from access.models import Role
from core.errors import Internal, Unavailable
from core.version import installed_version
from doors import tasks
from doors.mcp_context import door_of, protocol_error, scope_of
from doors.operations import Refused, segment
from doors.results import bounded, problem_text
from doors.tools import TOOLS, Tool

CALL_SECONDS = 50
"""No call takes longer (rule M-4)."""
PREFIX = "openintent://intents/"
INSTRUCTIONS = (
    "Coordinate work on shared intents with other agents and people. find_work, then take_work and get_brief; lease_scope before you "
    "write to a part of the state or edit files (file:path); update_state with the version that you read; ask when a person must "
    "decide, also with the remedy of a refusal permit_required; set_status completed when the goal is reached. A refusal names its code "
    "and says what to do."
)

log = logging.getLogger("openintent.mcp")


def session_manager(max_body: int) -> StreamableHTTPSessionManager:
    """Return a stateless handler of HTTP requests for both wires."""
    server: Server[Any] = Server(
        "openintent",
        version=installed_version(),
        title="OpenIntent",
        instructions=INSTRUCTIONS,
        get_tool_input_schema=lambda name: TOOLS[name].input_schema if name in TOOLS else None,
        on_list_tools=list_tools,
        on_call_tool=call_tool,  # type: ignore[arg-type]  # It passes the results of extensions on.
        on_list_resources=list_resources,
        on_list_resource_templates=list_resource_templates,
        on_read_resource=read_resource,
    )
    tasks.register(server)
    return StreamableHTTPSessionManager(server, stateless=True, json_response=True, max_request_body_size=max_body)


async def list_tools(context: ServerRequestContext[Any, Any], params: Any) -> types.ListToolsResult:
    """Return the tools that the key's role may use."""
    may_write = scope_of(context)["doors.role"].includes(Role.AGENT)
    return types.ListToolsResult(tools=[_describe(each) for each in TOOLS.values() if each.reads or may_write])


async def call_tool(
    context: ServerRequestContext[Any, Any], params: types.CallToolRequestParams
) -> types.CallToolResult | dict[str, Any]:
    """Run a tool. A refusal of its operation is its result, so that the model can read it."""
    tool = TOOLS.get(params.name)
    if tool is None:
        raise MCPError(code=types.INVALID_PARAMS, message=f"There is no tool {params.name[:100]!r}.")
    door = door_of(context)
    arguments = dict(params.arguments or {})
    try:
        async with asyncio.timeout(CALL_SECONDS):
            found = await tool.run(door, dict(arguments))
    except Refused as refusal:
        return _refusal(refusal.problem)
    except TimeoutError:
        return _refusal(Unavailable("The call took too long. It may have been done: read before you repeat it.").body())
    except Exception:
        log.exception("tool failed", extra={"fields": {"tool": tool.name}})
        return _refusal(Internal().body())
    if tool.name == "ask" and tasks.is_declared(context):
        return tasks.created_task(door, await door.get(f"/arbitrations/{found['arbitration_id']}"))
    result = await asyncio.to_thread(bounded, found, door.page(f"/api/v1{_pointer(arguments)}"))
    return types.CallToolResult(content=[_text(json.dumps(result, ensure_ascii=False))], structured_content=result)


async def list_resources(context: ServerRequestContext[Any, Any], params: Any) -> types.ListResourcesResult:
    """Return the open intents that are assigned to the agent, and their briefs."""
    door = door_of(context)
    try:
        found = await door.get("/intents", agent_id=door.agent, status="draft,pending,active,blocked", limit=50)
    except Refused as refusal:
        raise protocol_error(refusal) from None
    resources = [
        types.Resource(uri=f"{PREFIX}{each['id']}{suffix}", name=f"{each['title']}{name}"[:200], mime_type=mime_type)
        for each in found["intents"]
        for suffix, name, mime_type in (("", "", "application/json"), ("/brief", " (brief)", "text/plain"))
    ]
    return types.ListResourcesResult(resources=resources)


async def list_resource_templates(context: ServerRequestContext[Any, Any], params: Any) -> types.ListResourceTemplatesResult:
    templates = [
        types.ResourceTemplate(uri_template=f"{PREFIX}{{id}}", name="Intent", mime_type="application/json"),
        types.ResourceTemplate(uri_template=f"{PREFIX}{{id}}/brief", name="Brief of an intent", mime_type="text/plain"),
    ]
    return types.ListResourceTemplatesResult(resource_templates=templates)


async def read_resource(
    context: ServerRequestContext[Any, Any], params: types.ReadResourceRequestParams
) -> types.ReadResourceResult:
    """Return an intent as JSON, or its brief as text."""
    uri = str(params.uri)
    intent_id, slash, part = uri.removeprefix(PREFIX).partition("/")
    if not uri.startswith(PREFIX) or (slash and part != "brief"):
        raise MCPError(code=types.INVALID_PARAMS, message="Resource not found", data={"uri": uri[:500]})
    door, path = door_of(context), f"/intents/{segment(intent_id)}"
    try:
        found = await door.get(f"{path}/brief" if slash else path)
    except Refused as refusal:
        raise protocol_error(refusal, uri) from None
    content = found["text"] if slash else json.dumps(bounded(found, door.page(f"/api/v1{path}")), ensure_ascii=False)
    mime_type = "text/plain" if slash else "application/json"
    return types.ReadResourceResult(contents=[types.TextResourceContents(uri=uri, mime_type=mime_type, text=content)])


def _describe(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.input_schema,
        output_schema=tool.output_schema,
        annotations=types.ToolAnnotations(
            read_only_hint=tool.reads,
            destructive_hint=tool.is_destructive,
            idempotent_hint=tool.reads or tool.is_idempotent,
            open_world_hint=False,
        ),
    )


def _pointer(arguments: dict[str, Any]) -> str:
    return f"/intents/{segment(arguments['intent_id'])}" if arguments.get("intent_id") else ""


def _refusal(problem: dict[str, Any]) -> types.CallToolResult:
    return types.CallToolResult(content=[_text(problem_text(problem))], is_error=True)


def _text(text: str) -> types.TextContent:
    return types.TextContent(type="text", text=text)
