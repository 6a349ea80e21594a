"""OpenAI's Responses API."""

from typing import Any

from .openai_chat import LIST_PRICE_TIERS
from .parsing import ChunkParser, Dialect, ResponseInfo, ToolCall, Usage, get

CALL_ARGUMENTS = {"function_call": "arguments", "custom_tool_call": "input"}
"""Types of output items that are tool calls, with the member that has their arguments."""
END_EVENTS = {"response.completed", "response.incomplete", "response.failed"}


class ResponsesParser(ChunkParser):
    """Parser of the events of a streamed response, and those of `responses.stream`, a superset."""

    def feed(self, event: Any) -> None:
        kind = event.type
        if kind == "response.output_text.delta":
            self._response.add_text(event.delta)
        elif kind == "response.output_item.done":
            _parse_tool_call(event.item, self._response)
        elif kind in END_EVENTS:
            _parse_end(event.response, self._response)
        elif kind == "error":
            self._response.error = event.message


class ResponsesDialect(Dialect):
    """`responses`: `create`, `parse` and `stream`."""

    chunk_parser = ResponsesParser
    messages = "input"

    def tool_name(self, tool: Any) -> Any:
        return get(tool, "name") or get(tool, "type")

    def parse_response(self, answer: Any, response: ResponseInfo) -> None:
        _parse_end(answer, response)
        for item in answer.output:
            if item.type == "message":
                for part in item.content:
                    response.add_text(get(part, "text") or get(part, "refusal") or "")
            else:
                _parse_tool_call(item, response)


def _parse_end(answer: Any, response: ResponseInfo) -> None:
    response.model = answer.model
    response.has_list_price = get(answer, "service_tier") in LIST_PRICE_TIERS
    response.finish_reason = get(answer.incomplete_details, "reason") or answer.status
    if answer.error:
        response.error = answer.error.message
    if usage := answer.usage:
        cached = get(get(usage, "input_tokens_details"), "cached_tokens")
        response.usage = Usage(usage.input_tokens, usage.output_tokens, cached or 0)


def _parse_tool_call(item: Any, response: ResponseInfo) -> None:
    if arguments := CALL_ARGUMENTS.get(item.type):
        response.tool_calls.append(ToolCall(item.name, item.call_id, get(item, arguments) or ""))
