"""The server's own /mcp with the tools, resources and prompts that the conformance suite calls: `python -m tests.doors.conformance_server`.

All that is around them is the product's: who may call, from where, how much, and the way of each message to the SDK and back. The
suite's tools speak to the client while they run, and on the older wire ask it, so this server keeps sessions and answers in streams;
the product's tools do neither.
"""

import asyncio
import hashlib
import hmac
import secrets
import sys
from types import SimpleNamespace
from typing import Any

import mcp_types as types
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError

from config.server import main

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
WAV = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA="
SECRET = secrets.token_bytes(32)
CHOICES = ["option1", "option2", "option3"]
TITLED = [{"const": f"value{number}", "title": f"Choice {number}"} for number in (1, 2, 3)]


def text(value: str) -> types.TextContent:
    return types.TextContent(type="text", text=value)


IMAGE = types.ImageContent(type="image", data=PNG, mime_type="image/png")
CONTENTS: dict[str, list[Any]] = {
    "test_simple_text": [text("This is a simple text response for testing.")],
    "test_image_content": [IMAGE],
    "test_audio_content": [types.AudioContent(type="audio", data=WAV, mime_type="audio/wav")],
    "test_embedded_resource": [
        types.EmbeddedResource(
            type="resource",
            resource=types.TextResourceContents(
                uri="test://embedded-resource", mime_type="text/plain", text="This is an embedded resource content."
            ),
        )
    ],
    "test_multiple_content_types": [
        text("Multiple content types test:"),
        IMAGE,
        types.EmbeddedResource(
            type="resource",
            resource=types.TextResourceContents(
                uri="test://mixed-content-resource", mime_type="application/json", text='{"test": "data", "value": 123}'
            ),
        ),
    ],
}
"""Results of tools that do nothing else."""


def form(message: str, **properties: Any) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": [*properties]}
    return {"method": "elicitation/create", "params": {"message": message, "requestedSchema": schema}}


def sample(question: str, tokens: int) -> dict[str, Any]:
    messages = [{"role": "user", "content": {"type": "text", "text": question}}]
    return {"method": "sampling/createMessage", "params": {"messages": messages, "maxTokens": tokens}}


ROOTS = {"method": "roots/list", "params": {}}
NAME = form("What is your name?", name={"type": "string"})
INPUTS: dict[str, list[dict[str, Any]]] = {
    "test_input_required_result_elicitation": [{"user_name": NAME}],
    "test_input_required_result_sampling": [{"capital_question": sample("What is the capital of France?", 100)}],
    "test_input_required_result_list_roots": [{"client_roots": ROOTS}],
    "test_input_required_result_request_state": [{"confirm": form("Please confirm", ok={"type": "boolean"})}],
    "test_input_required_result_multiple_inputs": [
        {"user_name": NAME, "greeting": sample("Generate a greeting", 50), "client_roots": ROOTS}
    ],
    "test_input_required_result_capabilities": [{"user_name": NAME, "greeting": sample("Generate a greeting", 50)}],
    "test_input_required_result_multi_round": [
        {"step1": form("Step 1: What is your name?", name={"type": "string"})},
        {"step2": form("Step 2: What is your favorite color?", color={"type": "string"})},
    ],
    "test_input_required_result_tampered_state": [{"confirm": form("Please confirm", ok={"type": "boolean"})}],
    "test_input_required_result_prompt": [
        {"user_context": form("What context should the prompt use?", context={"type": "string"})}
    ],
}
"""What tools and a prompt ask the client for, round by round."""
CAPABILITIES = {"elicitation/create": "elicitation", "sampling/createMessage": "sampling", "roots/list": "roots"}

DEFAULTS = {
    "name": {"type": "string", "default": "John Doe"},
    "age": {"type": "integer", "default": 30},
    "score": {"type": "number", "default": 95.5},
    "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
    "verified": {"type": "boolean", "default": True},
}
ENUMS = {
    "untitledSingle": {"type": "string", "enum": CHOICES},
    "titledSingle": {"type": "string", "oneOf": TITLED},
    "legacyEnum": {"type": "string", "enum": CHOICES, "enumNames": ["One", "Two", "Three"]},
    "untitledMulti": {"type": "array", "items": {"type": "string", "enum": CHOICES}},
    "titledMulti": {"type": "array", "items": {"anyOf": TITLED}},
}
ELICITED = {
    "test_elicitation": {"response": {"type": "string"}},
    "test_elicitation_sep1034_defaults": DEFAULTS,
    "test_elicitation_sep1330_enums": ENUMS,
}
"""Forms for which tools ask the client of the older wire."""

ADDRESS = {
    "$anchor": "addressDef",
    "type": "object",
    "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
}
JSON_SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {"address": ADDRESS},
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}
HEADERS = {
    "type": "object",
    "properties": {
        "region": {"type": "string", "x-mcp-header": "Region"},
        "priority": {"type": "integer", "x-mcp-header": "Priority"},
        "query": {"type": "string"},
    },
}
SCHEMAS = {"json_schema_2020_12_tool": JSON_SCHEMA, "test_custom_headers": HEADERS}
NO_INPUT = {"type": "object", "properties": {}}
OTHERS = [
    "test_error_handling",
    "test_logging_tool",
    "test_missing_capability",
    "test_sampling",
    "test_streaming_elicitation",
    "test_tool_with_logging",
    "test_tool_with_progress",
]
TOOLS = [*CONTENTS, *(name for name in INPUTS if not name.endswith("prompt")), *ELICITED, *SCHEMAS, *OTHERS]


def sealed(state: str) -> str:
    return f"{state}.{hmac.new(SECRET, state.encode(), hashlib.sha256).hexdigest()}"


def asked_for(name: str, context: Any, params: Any) -> types.InputRequiredResult | None:
    """Return what the tool needs from the client, None if it has all."""
    rounds, given = INPUTS[name], params.input_responses or {}
    done = 0
    if params.request_state is not None:
        state = params.request_state.partition(".")[0]
        if not (hmac.compare_digest(sealed(state), params.request_state) and state.isdecimal()):
            raise MCPError(code=types.INVALID_PARAMS, message="The state was changed.")
        done = int(state)
    if done < len(rounds) and rounds[done].keys() <= given.keys() and all(is_answer(each) for each in given.values()):
        done += 1
    if done == len(rounds):
        return None
    declared = context.session.client_capabilities
    wanted = {
        key: each for key, each in rounds[done].items() if getattr(declared, CAPABILITIES[each["method"]], None) is not None
    }
    if not wanted:
        raise missing(*{CAPABILITIES[each["method"]] for each in rounds[done].values()})
    return types.InputRequiredResult.model_validate({"inputRequests": wanted, "requestState": sealed(str(done))})


def is_answer(given: Any) -> bool:
    return not isinstance(given, str | int | float | list) and given is not None


def missing(*capabilities: str) -> MCPError:
    needed = {"requiredCapabilities": {name: {} for name in capabilities}}
    return MCPError(code=types.MISSING_REQUIRED_CLIENT_CAPABILITY, message="Missing required client capability", data=needed)


async def call_tool(context: Any, params: Any) -> Any:
    name, session = params.name, context.session
    if name in CONTENTS:
        return types.CallToolResult(content=CONTENTS[name])
    if name in INPUTS:
        answers = f"{ {key: str(value) for key, value in (params.input_responses or {}).items()} }"
        return asked_for(name, context, params) or types.CallToolResult(content=[text(f"state-ok {answers}")])
    if name in ELICITED:
        schema = {"type": "object", "properties": ELICITED[name], "required": [*ELICITED[name]]}
        message = (params.arguments or {}).get("message", "Please provide information")
        found = await session.elicit_form(message, schema, related_request_id=context.request_id)
        return types.CallToolResult(content=[text(f"Elicitation completed: action={found.action}, content={found.content}")])
    if name == "test_sampling":
        message = types.SamplingMessage(role="user", content=text(params.arguments["prompt"]))
        found = await session.create_message([message], max_tokens=100, related_request_id=context.request_id)
        return types.CallToolResult(content=[text(f"LLM response: {found.content.text}")])
    if name == "test_missing_capability":
        raise missing("sampling")
    if name == "test_error_handling":
        return types.CallToolResult(content=[text("This tool intentionally returns an error for testing")], is_error=True)
    if name == "test_tool_with_logging":
        for step in ("Tool execution started", "Tool processing data", "Tool execution completed"):
            await session.send_log_message("info", step, related_request_id=context.request_id)
            await asyncio.sleep(0.05)
    if name == "test_logging_tool":
        await session.send_log_message("info", "A message", related_request_id=context.request_id)
    if name in ("test_tool_with_progress", "test_streaming_elicitation"):
        for progress in (0, 50, 100):
            await session.report_progress(progress, 100)
            await asyncio.sleep(0.05)
    return types.CallToolResult(content=[text(f"{name} is done.")])


async def list_tools(context: Any, params: Any) -> types.ListToolsResult:
    tools = [types.Tool(name=name, description=f"The suite's {name}", input_schema=SCHEMAS.get(name, NO_INPUT)) for name in TOOLS]
    return types.ListToolsResult(tools=tools)


async def list_resources(context: Any, params: Any) -> types.ListResourcesResult:
    names = ("static-text", "static-binary", "watched-resource")
    return types.ListResourcesResult(resources=[types.Resource(uri=f"test://{name}", name=name) for name in names])


async def list_templates(context: Any, params: Any) -> types.ListResourceTemplatesResult:
    template = types.ResourceTemplate(uri_template="test://template/{id}/data", name="template")
    return types.ListResourceTemplatesResult(resource_templates=[template])


async def read_resource(context: Any, params: Any) -> types.ReadResourceResult:
    uri = str(params.uri)
    if uri == "test://static-binary":
        content: Any = types.BlobResourceContents(uri=uri, mime_type="image/png", blob=PNG)
    elif uri in ("test://static-text", "test://watched-resource"):
        content = types.TextResourceContents(
            uri=uri, mime_type="text/plain", text="This is the content of the static text resource."
        )
    elif uri.startswith("test://template/"):
        id = uri.split("/")[3]
        data = f'{{"id":"{id}","templateTest":true,"data":"Data for ID: {id}"}}'
        content = types.TextResourceContents(uri=uri, mime_type="application/json", text=data)
    else:
        raise MCPError(code=types.INVALID_PARAMS, message="Resource not found", data={"uri": uri})
    return types.ReadResourceResult(contents=[content])


def said(content: Any) -> types.PromptMessage:
    return types.PromptMessage(role="user", content=content)


async def list_prompts(context: Any, params: Any) -> types.ListPromptsResult:
    arguments = {"test_prompt_with_arguments": ["arg1", "arg2"], "test_prompt_with_embedded_resource": ["resourceUri"]}
    names = ["test_simple_prompt", *arguments, "test_prompt_with_image", "test_input_required_result_prompt"]
    return types.ListPromptsResult(
        prompts=[
            types.Prompt(
                name=name,
                description=f"The suite's {name}",
                arguments=[types.PromptArgument(name=each, required=True) for each in arguments.get(name, [])],
            )
            for name in names
        ]
    )


async def get_prompt(context: Any, params: Any) -> Any:
    given, name = params.arguments or {}, params.name
    if name in INPUTS and (wanted := asked_for(name, context, params)):
        return wanted
    messages = [said(text("This is a simple prompt for testing."))]
    if name == "test_prompt_with_arguments":
        messages = [said(text(f"Prompt with arguments: arg1='{given['arg1']}', arg2='{given['arg2']}'"))]
    elif name == "test_prompt_with_embedded_resource":
        resource = types.TextResourceContents(
            uri=given["resourceUri"], mime_type="text/plain", text="Embedded resource content for testing."
        )
        embedded = types.EmbeddedResource(type="resource", resource=resource)
        messages = [said(embedded), said(text("Please process the embedded resource above."))]
    elif name == "test_prompt_with_image":
        messages = [said(IMAGE), said(text("Please analyze the image above."))]
    return types.GetPromptResult(messages=messages)


async def complete(context: Any, params: Any) -> types.CompleteResult:
    return types.CompleteResult(completion=types.Completion(values=["paris", "park"], total=2, has_more=False))


async def acknowledge(context: Any, params: Any) -> types.EmptyResult:
    return types.EmptyResult()


def make_session_manager(max_body: int) -> StreamableHTTPSessionManager:
    server: Server[Any] = Server(
        "conformance",
        version="1",
        get_tool_input_schema=lambda name: SCHEMAS.get(name, NO_INPUT) if name in TOOLS else None,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_list_resource_templates=list_templates,
        on_read_resource=read_resource,
        on_list_prompts=list_prompts,
        on_get_prompt=get_prompt,
        on_completion=complete,
        on_set_logging_level=acknowledge,
        on_subscribe_resource=acknowledge,
        on_unsubscribe_resource=acknowledge,
    )
    return StreamableHTTPSessionManager(server, stateless=False, json_response=False, max_request_body_size=max_body)


if __name__ == "__main__":
    # What doors.endpoint imports when it is first asked.
    sys.modules["doors.mcp_server"] = SimpleNamespace(session_manager=make_session_manager)  # type: ignore[assignment]
    main()
