"""OpenAI's chat completions, which Grok and DeepSeek offer as well."""

from collections.abc import Mapping
from typing import Any

from .parsing import ChunkParser, Dialect, IsHidden, ResponseInfo, ToolCall, Usage, get

LIST_PRICE_TIERS = {None, "auto", "default", "standard"}
"""Service tiers that are billed at the list price."""


class ChatParser(ChunkParser):
    """Parser of plain chunks."""

    def __init__(self, response: ResponseInfo) -> None:
        super().__init__(response)
        self._calls: dict[tuple[int, int], list[Any]] = {}

    def feed(self, chunk: Any) -> None:
        response = self._response
        if response.model is None:
            response.model = chunk.model
        for choice in chunk.choices:
            delta = choice.delta
            if choice.index == 0:
                if text := delta.content:
                    response.add_text(text)
                if choice.finish_reason:
                    response.finish_reason = choice.finish_reason
            for piece in delta.tool_calls or ():  # A call's name and id come with its first piece, its arguments in pieces.
                call = self._calls.setdefault((choice.index, piece.index), ["", "", []])
                call[0] = call[0] or piece.id or ""
                if function := piece.function:
                    call[1] = call[1] or function.name or ""
                    call[2].append(function.arguments or "")
        if chunk.usage:
            _parse_metadata(chunk, response)

    def close(self) -> None:
        self._response.tool_calls += [ToolCall(name, id, "".join(pieces)) for id, name, pieces in self._calls.values()]
        self._calls.clear()


class ChatEventsParser(ChatParser):
    """Chunks in events, beside others that say the same in other words."""

    def feed(self, chunk: Any) -> None:
        if chunk.type == "chunk":
            super().feed(chunk.chunk)


class ChatDialect(Dialect):
    """`chat.completions`: `create`, `parse` and `stream`."""

    chunk_parser = ChatParser

    def tool_name(self, tool: Any) -> Any:
        return get(get(tool, "function") or get(tool, "custom") or tool, "name")

    def parse_response(self, answer: Any, response: ResponseInfo) -> None:
        _parse_metadata(answer, response)
        for choice in answer.choices or ():
            message = choice.message
            if choice.index == 0:
                response.add_text(message.content or message.refusal or "")
                response.finish_reason = choice.finish_reason
            for call in message.tool_calls or ():
                custom = get(call, "custom")
                name, arguments = (custom.name, custom.input) if custom else (call.function.name, call.function.arguments)
                response.tool_calls.append(ToolCall(name, call.id, arguments))

    def with_usage(self, arguments: dict[str, Any]) -> tuple[dict[str, Any], IsHidden | None]:
        """Request the usage: it then arrives in a chunk of its own, after the last one of the response."""
        options = arguments.get("stream_options")
        given = options if isinstance(options, Mapping) else {}
        if "include_usage" in given:
            return arguments, None
        return {**arguments, "stream_options": {**given, "include_usage": True}}, self.is_only_usage

    def is_only_usage(self, chunk: Any) -> bool:
        return not chunk.choices and chunk.usage is not None


class ChatEventsDialect(ChatDialect):
    """`chat.completions.stream`, whose events contain the chunks."""

    chunk_parser = ChatEventsParser

    def is_only_usage(self, chunk: Any) -> bool:
        return chunk.type == "chunk" and super().is_only_usage(chunk.chunk)


def _parse_metadata(answer: Any, response: ResponseInfo) -> None:
    response.model = answer.model
    response.has_list_price = get(answer, "service_tier") in LIST_PRICE_TIERS
    if usage := answer.usage:
        details = get(usage, "prompt_tokens_details")
        cached = get(usage, "prompt_cache_hit_tokens") if details is None else get(details, "cached_tokens")
        response.usage = Usage(
            prompt=usage.prompt_tokens,
            # Grok counts reasoning in the total only.
            completion=max(usage.completion_tokens, (usage.total_tokens or 0) - usage.prompt_tokens),
            cached=cached or 0,
        )
