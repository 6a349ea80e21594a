"""Anthropic's Messages API."""

from typing import Any

from .parsing import ChunkParser, Dialect, ResponseInfo, ToolCall, Usage, get, whole

MODIFYING = {"service_tier": {"standard"}, "speed": {"standard"}, "inference_geo": {"global", "not_available"}}
"""Members of the usage whose value makes the price another, unless it is one of these or missing."""
BILLED_TOOLS = {"web_search": "web_search_requests", "web_fetch": "web_fetch_requests"}
BILLED_APART = {"compaction", "advisor_message"}
"""Types of iterations that the usage as a whole leaves out."""


class MessagesParser(ChunkParser):
    """Parser of the events of a streamed message."""

    def __init__(self, response: ResponseInfo) -> None:
        super().__init__(response)
        self._calls: list[tuple[str, str, Any, list[str]]] = []
        self._open_calls: dict[int, list[str]] = {}

    def feed(self, event: Any) -> None:
        kind = event.type
        if kind == "content_block_delta":
            delta = event.delta
            if delta.type == "text_delta":
                self._response.add_text(delta.text)
            elif delta.type == "input_json_delta" and event.index in self._open_calls:
                self._open_calls[event.index].append(delta.partial_json or "")
        elif kind == "content_block_start":
            block = event.content_block
            if block.type == "tool_use":
                pieces = self._open_calls[event.index] = []
                self._calls.append((block.name, block.id, get(block, "input") or {}, pieces))
            else:
                self._open_calls.pop(event.index, None)
                self._response.add_text(get(block, "text"))
        elif kind == "message_start":
            self._response.model = event.message.model
            _parse_usage(get(event.message, "usage"), self._response)
        elif kind == "message_delta":
            self._response.finish_reason = get(event.delta, "stop_reason") or self._response.finish_reason
            _parse_usage(get(event, "usage"), self._response)

    def close(self) -> None:
        self._response.tool_calls += [ToolCall(name, id, "".join(pieces) or begun) for name, id, begun, pieces in self._calls]
        self._calls.clear()


class MessagesDialect(Dialect):
    """`messages`: `create`, `parse` and `stream`."""

    chunk_parser = MessagesParser

    def parse_response(self, answer: Any, response: ResponseInfo) -> None:
        response.model = answer.model
        response.finish_reason = answer.stop_reason
        _parse_usage(answer.usage, response)
        for block in answer.content or ():
            if block.type == "text":
                response.add_text(block.text)
            elif block.type == "tool_use":
                response.tool_calls.append(ToolCall(block.name, block.id, block.input))


def _parse_usage(usage: Any, response: ResponseInfo) -> None:
    """Update the usage: the end of a stream has the output tokens, and may omit what its start has."""
    if get(usage, "input_tokens") is None and get(usage, "output_tokens") is None:
        return
    counted = response.usage = response.usage or Usage()
    _count(usage, counted)
    modifiers = [get(usage, name) for name, usual in MODIFYING.items() if get(usage, name) not in {None, *usual}]
    if modifiers:
        counted.modifiers = tuple(map(str, modifiers))
    used = get(usage, "server_tool_use")
    counted.tools |= {tool: number for tool, name in BILLED_TOOLS.items() if (number := whole(get(used, name)))}
    apart = [each for each in get(usage, "iterations") or () if get(each, "type") in BILLED_APART]
    if apart:
        response.extra_usage = [(get(each, "model"), _count(each, Usage(modifiers=counted.modifiers))) for each in apart]


def _count(usage: Any, counted: Usage) -> Usage:
    """Update the tokens with those that this usage has."""
    fresh = counted.prompt - counted.cached - counted.cache_write - counted.cache_write_hour
    if (tokens := get(usage, "input_tokens")) is not None:
        fresh = whole(tokens)
    if (tokens := get(usage, "cache_read_input_tokens")) is not None:
        counted.cached = whole(tokens)
    if kept := get(usage, "cache_creation"):
        counted.cache_write_hour = whole(get(kept, "ephemeral_1h_input_tokens"))
    if (tokens := get(usage, "cache_creation_input_tokens")) is not None:
        counted.cache_write = max(whole(tokens) - counted.cache_write_hour, 0)
    counted.completion = whole(get(usage, "output_tokens")) or counted.completion
    counted.prompt = fresh + counted.cached + counted.cache_write + counted.cache_write_hour
    return counted
