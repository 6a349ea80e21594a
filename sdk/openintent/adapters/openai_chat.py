"""OpenAI's chat completions, which Grok and DeepSeek offer as well."""

from collections.abc import Mapping
from typing import Any

from .parsing import ChunkParser, Dialect, IsHidden, ResponseInfo, ToolCall, Usage, get, whole

LIST_PRICE_TIERS = {None, "auto", "default", "standard"}
"""Service tiers that are billed at the list price."""
FAST_TIERS = {"priority", "fast"}
"""Names of OpenAI's fast mode: the one in a request may be the other in its response."""


class ChatParser(ChunkParser):
    """Parser of plain chunks."""

    def __init__(self, response: ResponseInfo) -> None:
        super().__init__(response)
        self._calls: list[list[Any]] = []
        self._open_calls: dict[tuple[Any, Any], list[Any]] = {}

    def feed(self, chunk: Any) -> None:
        response = self._response
        if response.model is None:
            response.model = getattr(chunk, "model", None)
        for choice in getattr(chunk, "choices", None) or ():  # Compatible providers leave out, or null, whatever they like.
            index, delta = getattr(choice, "index", 0), getattr(choice, "delta", None)
            if not index:
                if delta and (text := getattr(delta, "content", None) or getattr(delta, "refusal", None)):
                    response.add_text(text)
                if finish := getattr(choice, "finish_reason", None):
                    response.finish_reason = finish
            if delta and (pieces := getattr(delta, "tool_calls", None)):
                for piece in pieces:
                    self._feed_call(index, piece)
        if getattr(chunk, "usage", None):
            _parse_metadata(chunk, response)

    def _feed_call(self, choice: Any, piece: Any) -> None:
        """Parse a piece of a call: its name and id come with the first one. Some providers give all calls the same index."""
        key, call_id = (choice, get(piece, "index")), get(piece, "id")
        call = self._open_calls.get(key)
        if call is None or (call_id and call[0] and call_id != call[0]):
            call = self._open_calls[key] = ["", "", []]
            self._calls.append(call)
        call[0] = call[0] or call_id or ""
        if function := get(piece, "function"):
            call[1] = call[1] or get(function, "name") or ""
            call[2].append(get(function, "arguments") or "")

    def close(self) -> None:
        self._response.tool_calls += [ToolCall(name, id, "".join(pieces)) for id, name, pieces in self._calls]
        self._calls.clear()


class ChatDialect(Dialect):
    """`chat.completions`: `create`, `parse` and `stream`."""

    chunk_parser = ChatParser

    def tool_name(self, tool: Any) -> Any:
        return get(get(tool, "function") or get(tool, "custom") or tool, "name")

    def parse_response(self, answer: Any, response: ResponseInfo) -> None:
        _parse_metadata(answer, response)
        for choice in answer.choices or ():
            message = choice.message
            if not choice.index:
                response.add_text(message.content or message.refusal)
                response.finish_reason = choice.finish_reason
            for call in message.tool_calls or ():
                custom = get(call, "custom")
                name, arguments = (custom.name, custom.input) if custom else (call.function.name, call.function.arguments)
                response.tool_calls.append(ToolCall(name, call.id, arguments))

    def with_usage(self, arguments: dict[str, Any]) -> tuple[dict[str, Any], IsHidden | None]:
        """Request the usage: it then arrives in a chunk of its own, after the last one of the response."""
        body = arguments.get("extra_body")  # It goes before the arguments of the same name.
        place = body if isinstance(body, Mapping) and "stream_options" in body else arguments
        options = place.get("stream_options")
        given = options if isinstance(options, Mapping) else {}
        if "include_usage" in given:
            return arguments, None
        asked = {**place, "stream_options": {**given, "include_usage": True}}
        return asked if place is arguments else {**arguments, "extra_body": asked}, is_only_usage


def is_only_usage(chunk: Any) -> bool:
    """Return whether the chunk has nothing but the usage. Others have a null in its place, which is removed."""
    if getattr(chunk, "usage", None) is not None:
        return not getattr(chunk, "choices", None)
    if fields := getattr(chunk, "__pydantic_fields_set__", None):
        fields.discard("usage")
    return False


def modifiers_of_tier(tier: Any) -> tuple[str, ...]:
    """Return what a service tier of OpenAI makes of the price."""
    return () if tier in LIST_PRICE_TIERS else ("fast",) if tier in FAST_TIERS else (str(tier),)


def _parse_metadata(answer: Any, response: ResponseInfo) -> None:
    response.model = get(answer, "model") or response.model
    usage = get(answer, "usage")
    prompt, completion = get(usage, "prompt_tokens"), get(usage, "completion_tokens")
    if prompt is None and completion is None:
        return
    details, produced = get(usage, "prompt_tokens_details"), get(usage, "completion_tokens_details")
    cached = get(usage, "prompt_cache_hit_tokens") if details is None else get(details, "cached_tokens")
    has_audio = whole(get(details, "audio_tokens")) or whole(get(produced, "audio_tokens"))
    response.usage = Usage(
        whole(prompt),
        # Grok counts reasoning in the total only.
        max(whole(completion), whole(get(usage, "total_tokens")) - whole(prompt)),
        whole(cached),
        whole(get(details, "cache_write_tokens")),
        modifiers=modifiers_of_tier(get(answer, "service_tier")) + (("audio",) if has_audio else ()),
    )
