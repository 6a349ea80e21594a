"""OpenAI's chat completions, which Grok and DeepSeek speak as well."""

from collections.abc import Mapping
from typing import Any

from .parsing import Asked, Dialect, Hides, Reading, ToolCall, Usage, count_of, each, get, names_of, number_of

STANDARD = {None, "auto", "default", "standard"}
"""Service tiers whose tokens are sold at the list's price."""


class Chat(Dialect):
    """`chat.completions`: `create`, `parse` and `stream`."""

    def asked(self, arguments: Mapping[str, Any]) -> Asked:
        tools = (get(tool, "function") or get(tool, "custom") or tool for tool in each(arguments.get("tools")))
        return Asked(
            model=str(arguments.get("model")),
            messages_count=count_of(arguments.get("messages")),
            tools=names_of(get(tool, "name") for tool in tools),
            stream=self.stream or arguments.get("stream") is True,
            temperature=number_of(arguments.get("temperature")),
        )

    def read(self, answer: Any, reading: Reading) -> None:
        _head(answer, reading)
        for choice in answer.choices or ():
            message = choice.message
            if choice.index == 0:
                reading.say(message.content or message.refusal or "")
                reading.finish_reason = choice.finish_reason
            for call in message.tool_calls or ():
                reading.tools.append(_tool_call(call))

    def reader(self, reading: Reading) -> "ChatReader":
        return ChatReader(reading)

    def with_usage(self, arguments: dict[str, Any]) -> tuple[dict[str, Any], Hides | None]:
        """Usage comes in a chunk of its own, after the last one of the answer, if it is asked for."""
        options = arguments.get("stream_options")
        given = options if isinstance(options, Mapping) else {}
        if "include_usage" in given:
            return arguments, None
        return {**arguments, "stream_options": {**given, "include_usage": True}}, self.is_only_usage

    def is_only_usage(self, chunk: Any) -> bool:
        return not chunk.choices and chunk.usage is not None


class ChatEvents(Chat):
    """`chat.completions.stream`, whose events have the chunks in them."""

    def __init__(self) -> None:
        super().__init__(stream=True)

    def reader(self, reading: Reading) -> "ChatReader":
        return ChatEventsReader(reading)

    def is_only_usage(self, chunk: Any) -> bool:
        return chunk.type == "chunk" and super().is_only_usage(chunk.chunk)


class ChatReader:
    """Chunks as they are."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._calls: dict[tuple[int, int], list[Any]] = {}

    def take(self, chunk: Any) -> None:
        reading = self._reading
        if reading.model is None:
            reading.model = chunk.model
        for choice in chunk.choices:
            delta = choice.delta
            if choice.index == 0:
                if text := delta.content:
                    reading.say(text)
                if choice.finish_reason:
                    reading.finish_reason = choice.finish_reason
            if delta.tool_calls:
                self._assemble(choice.index, delta.tool_calls)
        if chunk.usage:
            _head(chunk, reading)

    def _assemble(self, choice: int, deltas: list[Any]) -> None:
        """A call's name and id come with its first piece, its arguments in pieces."""
        for delta in deltas:
            call = self._calls.setdefault((choice, delta.index), ["", "", []])
            call[0] = call[0] or delta.id or ""
            if function := delta.function:
                call[1] = call[1] or function.name or ""
                call[2].append(function.arguments or "")

    def close(self) -> None:
        self._reading.tools += [ToolCall(name, id, "".join(pieces)) for id, name, pieces in self._calls.values()]
        self._calls.clear()


class ChatEventsReader(ChatReader):
    """Chunks in events, beside others that say the same in other words."""

    def take(self, chunk: Any) -> None:
        if chunk.type == "chunk":
            super().take(chunk.chunk)


def _head(answer: Any, reading: Reading) -> None:
    reading.model = answer.model
    reading.standard = get(answer, "service_tier") in STANDARD
    if usage := answer.usage:
        details = get(usage, "prompt_tokens_details")
        cached = get(usage, "prompt_cache_hit_tokens") if details is None else get(details, "cached_tokens")
        reading.usage = Usage(
            prompt=usage.prompt_tokens,
            # What Grok thinks is in the total alone.
            completion=max(usage.completion_tokens, (usage.total_tokens or 0) - usage.prompt_tokens),
            cached=cached or 0,
        )


def _tool_call(call: Any) -> ToolCall:
    if custom := get(call, "custom"):
        return ToolCall(custom.name, call.id, custom.input)
    return ToolCall(call.function.name, call.id, call.function.arguments)
