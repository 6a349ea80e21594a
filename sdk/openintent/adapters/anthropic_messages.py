"""Anthropic's messages."""

from collections.abc import Mapping
from typing import Any

from .openai_chat import STANDARD
from .parsing import Asked, Dialect, Reading, ToolCall, Usage, count_of, each, get, names_of, number_of


class Messages(Dialect):
    """`messages`: `create`, `parse` and `stream`."""

    def asked(self, arguments: Mapping[str, Any]) -> Asked:
        return Asked(
            model=str(arguments.get("model")),
            messages_count=count_of(arguments.get("messages")),
            tools=names_of(get(tool, "name") for tool in each(arguments.get("tools"))),
            stream=self.stream or arguments.get("stream") is True,
            temperature=number_of(arguments.get("temperature")),
        )

    def read(self, answer: Any, reading: Reading) -> None:
        reading.model = answer.model
        reading.finish_reason = answer.stop_reason
        _count(answer.usage, reading)
        for block in answer.content:
            if block.type == "text":
                reading.say(block.text)
            elif block.type == "tool_use":
                reading.tools.append(ToolCall(block.name, block.id, block.input))

    def reader(self, reading: Reading) -> "MessagesReader":
        return MessagesReader(reading)


class MessagesReader:
    """The events of a streamed message, and those of `messages.stream`, which are the same and more."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._calls: dict[int, tuple[str, str, list[str]]] = {}

    def take(self, event: Any) -> None:
        kind = event.type
        if kind == "content_block_delta":
            delta = event.delta
            if delta.type == "text_delta":
                self._reading.say(delta.text)
            elif delta.type == "input_json_delta" and event.index in self._calls:
                self._calls[event.index][2].append(delta.partial_json)
        elif kind == "content_block_start":
            block = event.content_block
            if block.type == "tool_use":
                self._calls[event.index] = (block.name, block.id, [])
        elif kind == "message_start":
            self._reading.model = event.message.model
            _count(event.message.usage, self._reading)
        elif kind == "message_delta":
            self._reading.finish_reason = event.delta.stop_reason
            _count(event.usage, self._reading)

    def close(self) -> None:
        self._reading.tools += [ToolCall(name, id, "".join(pieces)) for name, id, pieces in self._calls.values()]
        self._calls.clear()


def _count(usage: Any, reading: Reading) -> None:
    """The end of a stream counts what was written; what was read it may leave out, or tell with less detail than the beginning."""
    counted = reading.usage = reading.usage or Usage()
    counted.completion = usage.output_tokens or 0
    if tier := get(usage, "service_tier"):
        reading.standard = tier in STANDARD
    if usage.input_tokens is None:
        return
    written = get(usage, "cache_creation_input_tokens") or 0
    if kept := get(usage, "cache_creation"):
        counted.cache_write_hour = get(kept, "ephemeral_1h_input_tokens") or 0
    counted.cache_write = written - counted.cache_write_hour
    counted.cached = get(usage, "cache_read_input_tokens") or 0
    counted.prompt = usage.input_tokens + counted.cached + written
