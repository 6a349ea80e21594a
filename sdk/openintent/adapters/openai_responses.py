"""OpenAI's responses."""

from collections.abc import Mapping
from typing import Any

from .openai_chat import STANDARD
from .parsing import Asked, Dialect, Reading, ToolCall, Usage, count_of, each, get, names_of, number_of

CALLS = {"function_call": "arguments", "custom_tool_call": "input"}
"""Kinds of output that the caller has to act upon, and what holds their arguments."""
ENDS = {"response.completed", "response.incomplete", "response.failed"}


class Responses(Dialect):
    """`responses`: `create`, `parse` and `stream`."""

    def asked(self, arguments: Mapping[str, Any]) -> Asked:
        return Asked(
            model=str(arguments.get("model")),
            messages_count=count_of(arguments.get("input")),
            tools=names_of(get(tool, "name") or get(tool, "type") for tool in each(arguments.get("tools"))),
            stream=self.stream or arguments.get("stream") is True,
            temperature=number_of(arguments.get("temperature")),
        )

    def read(self, answer: Any, reading: Reading) -> None:
        _end(answer, reading)
        for item in answer.output:
            if item.type == "message":
                for part in item.content:
                    reading.say(get(part, "text") or get(part, "refusal") or "")
            else:
                _tool_call(item, reading)

    def reader(self, reading: Reading) -> "ResponsesReader":
        return ResponsesReader(reading)


class ResponsesReader:
    """The events of a streamed response, and those of `responses.stream`, which are the same and more."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def take(self, event: Any) -> None:
        kind = event.type
        if kind == "response.output_text.delta":
            self._reading.say(event.delta)
        elif kind == "response.output_item.done":
            _tool_call(event.item, self._reading)
        elif kind in ENDS:
            _end(event.response, self._reading)
        elif kind == "error":
            self._reading.error = event.message

    def close(self) -> None:
        pass


def _end(answer: Any, reading: Reading) -> None:
    reading.model = answer.model
    reading.standard = get(answer, "service_tier") in STANDARD
    reading.finish_reason = get(answer.incomplete_details, "reason") or answer.status
    if answer.error:
        reading.error = answer.error.message
    if usage := answer.usage:
        cached = get(get(usage, "input_tokens_details"), "cached_tokens")
        reading.usage = Usage(usage.input_tokens, usage.output_tokens, cached or 0)


def _tool_call(item: Any, reading: Reading) -> None:
    if arguments := CALLS.get(item.type):
        reading.tools.append(ToolCall(item.name, item.call_id, get(item, arguments) or ""))
