"""Anthropic's Messages API."""

from typing import Any

from .openai_chat import LIST_PRICE_TIERS
from .parsing import ChunkParser, Dialect, ResponseInfo, ToolCall, Usage, get


class MessagesParser(ChunkParser):
    """Parser of the events of a streamed message, and those of `messages.stream`, a superset."""

    def __init__(self, response: ResponseInfo) -> None:
        super().__init__(response)
        self._calls: dict[int, tuple[str, str, list[str]]] = {}

    def feed(self, event: Any) -> None:
        kind = event.type
        if kind == "content_block_delta":
            delta = event.delta
            if delta.type == "text_delta":
                self._response.add_text(delta.text)
            elif delta.type == "input_json_delta" and event.index in self._calls:
                self._calls[event.index][2].append(delta.partial_json)
        elif kind == "content_block_start":
            block = event.content_block
            if block.type == "tool_use":
                self._calls[event.index] = (block.name, block.id, [])
        elif kind == "message_start":
            self._response.model = event.message.model
            _parse_usage(event.message.usage, self._response)
        elif kind == "message_delta":
            self._response.finish_reason = event.delta.stop_reason
            _parse_usage(event.usage, self._response)

    def close(self) -> None:
        self._response.tool_calls += [ToolCall(name, id, "".join(pieces)) for name, id, pieces in self._calls.values()]
        self._calls.clear()


class MessagesDialect(Dialect):
    """`messages`: `create`, `parse` and `stream`."""

    chunk_parser = MessagesParser

    def parse_response(self, answer: Any, response: ResponseInfo) -> None:
        response.model = answer.model
        response.finish_reason = answer.stop_reason
        _parse_usage(answer.usage, response)
        for block in answer.content:
            if block.type == "text":
                response.add_text(block.text)
            elif block.type == "tool_use":
                response.tool_calls.append(ToolCall(block.name, block.id, block.input))


def _parse_usage(usage: Any, response: ResponseInfo) -> None:
    """Update the usage: the end of a stream has the output tokens, and may omit input tokens or have fewer details than its start."""
    counted = response.usage = response.usage or Usage()
    counted.completion = usage.output_tokens or 0
    if tier := get(usage, "service_tier"):
        response.has_list_price = tier in LIST_PRICE_TIERS
    if usage.input_tokens is None:
        return
    written = get(usage, "cache_creation_input_tokens") or 0
    if kept := get(usage, "cache_creation"):
        counted.cache_write_hour = get(kept, "ephemeral_1h_input_tokens") or 0
    counted.cache_write = written - counted.cache_write_hour
    counted.cached = get(usage, "cache_read_input_tokens") or 0
    counted.prompt = usage.input_tokens + counted.cached + written
