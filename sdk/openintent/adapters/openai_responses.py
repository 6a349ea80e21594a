"""OpenAI's Responses API."""

from collections import Counter
from typing import Any

from .openai_chat import modifiers_of_tier
from .parsing import ChunkParser, Dialect, ResponseInfo, ToolCall, Usage, get, whole

CALL_ARGUMENTS = {"function_call": "arguments", "custom_tool_call": "input"}
"""Types of output items that are tool calls, with the member that has their arguments."""
TEXT_EVENTS = {"response.output_text.delta", "response.refusal.delta"}
END_EVENTS = {"response.completed", "response.incomplete", "response.failed", "response.cancelled"}
UNFINISHED = {"queued", "in_progress"}
BILLED_TOOLS = {
    "web_search_call": "web_search",
    "file_search_call": "file_search",
    "code_interpreter_call": "code_interpreter",
    "image_generation_call": "image_generation",
}
"""Types of output items that are calls of OpenAI's own tools, which cost something by themselves."""


class ResponsesParser(ChunkParser):
    """Parser of the events of a streamed response."""

    def feed(self, event: Any) -> None:
        kind = event.type
        if kind in TEXT_EVENTS:
            self._response.add_text(event.delta)
        elif kind == "response.output_item.done":
            _parse_tool_call(event.item, self._response)
        elif kind in END_EVENTS:
            _parse_end(event.response, self._response)
        elif kind == "response.created":
            if get(event.response, "background"):
                self._response.unfinished = event.response.id
        elif kind == "error":
            self._response.error = event.message


class ResponsesDialect(Dialect):
    """`responses`: `create`, `parse`, `stream` and `compact`."""

    chunk_parser = ResponsesParser
    messages = "input"

    def tool_name(self, tool: Any) -> Any:
        return get(tool, "name") or get(tool, "type")

    def parse_response(self, answer: Any, response: ResponseInfo) -> None:
        _parse_end(answer, response)
        for item in answer.output or ():
            if item.type == "message":
                for part in item.content or ():
                    response.add_text(get(part, "text") or get(part, "refusal"))
            else:
                _parse_tool_call(item, response)


def _parse_end(answer: Any, response: ResponseInfo) -> None:
    response.model = get(answer, "model") or response.model
    status = get(answer, "status")
    response.unfinished = answer.id if status in UNFINISHED else None
    response.finish_reason = None if response.unfinished else get(get(answer, "incomplete_details"), "reason") or status
    if error := get(answer, "error"):
        response.error = error.message
    usage = get(answer, "usage")
    if get(usage, "input_tokens") is None:
        return
    details = get(usage, "input_tokens_details")
    written = whole(get(details, "cache_write_tokens"))
    hours = whole(get(get(details, "cache_write_tokens_details"), "ttl_12h_tokens"))
    response.usage = Usage(
        whole(usage.input_tokens),
        whole(get(usage, "output_tokens")),
        whole(get(details, "cached_tokens")),
        max(written - hours, 0),
        hours,
        modifiers=modifiers_of_tier(get(answer, "service_tier")),
        tools=dict(Counter(tool for item in get(answer, "output") or () if (tool := _billed_tool(item)))),
    )


def _billed_tool(item: Any) -> str | None:
    """Return the tool of OpenAI that a call is billed as. Of the calls of the web search only searches are."""
    action = get(get(item, "action"), "type")
    return None if item.type == "web_search_call" and action not in {None, "search"} else BILLED_TOOLS.get(item.type)


def _parse_tool_call(item: Any, response: ResponseInfo) -> None:
    if arguments := CALL_ARGUMENTS.get(get(item, "type")):
        response.tool_calls.append(ToolCall(item.name, item.call_id, get(item, arguments) or ""))
