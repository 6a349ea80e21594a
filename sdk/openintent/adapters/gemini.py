"""Gemini's content generation."""

from collections.abc import Mapping
from typing import Any

from .parsing import (
    ChunkParser,
    Dialect,
    RequestInfo,
    ResponseInfo,
    ToolCall,
    Usage,
    count_messages,
    get,
    items_of,
    number_or_none,
    text_or_none,
    tool_names,
    whole,
)

LIST_PRICE_TIERS = {"", "standard", "traffic_type_unspecified", "unspecified"}
LIST_PRICE_MODALITIES = {"", "text", "image", "video", "document", "modality_unspecified"}
"""Kinds of input and output that are billed as text."""


class ContentsParser(ChunkParser):
    """Parser of partial responses."""

    _last: Any = None
    """The last answer with its usage so far: each has one."""

    def feed(self, answer: Any) -> None:
        response = self._response
        if response.model is None and answer.model_version:
            response.model = answer.model_version.rpartition("/")[2]  # Without `models/`.
        for candidate in answer.candidates or ():
            if candidate.content:
                _parse_parts(candidate.content, response, with_text=not candidate.index)
            if candidate.finish_reason and not candidate.index:
                response.finish_reason = str(getattr(candidate.finish_reason, "value", candidate.finish_reason))
        if answer.usage_metadata:
            self._last = answer

    def close(self) -> None:
        if self._last is None:
            return
        usage = self._last.usage_metadata
        self._response.usage = Usage(
            prompt=whole(usage.prompt_token_count) + whole(get(usage, "tool_use_prompt_token_count")),
            completion=whole(usage.candidates_token_count) + whole(get(usage, "thoughts_token_count")),
            cached=whole(usage.cached_content_token_count),
            modifiers=_modifiers(self._last, usage),
        )


class ContentsDialect(Dialect):
    """`models.generate_content` and, with `stream`, `models.generate_content_stream`."""

    chunk_parser = ContentsParser

    def parse_request(self, arguments: Mapping[str, Any]) -> RequestInfo:
        config = arguments.get("config")
        names: list[Any] = []
        for tool in items_of(get(config, "tools")):
            if callable(tool):
                names.append(get(tool, "__name__"))
            else:  # Declarations of several functions, or a tool of Gemini's own, such as `google_search`, without any.
                names += [get(declared, "name") for declared in items_of(get(tool, "function_declarations"))]
        return RequestInfo(
            model=text_or_none(str(arguments.get("model") or "").rpartition("/")[2]),
            messages_count=count_messages(arguments.get("contents")),
            tools=tool_names(names),
            stream=self.stream,
            temperature=number_or_none(get(config, "temperature")),
        )

    def parse_response(self, answer: Any, response: ResponseInfo) -> None:
        parser = self.chunk_parser(response)
        parser.feed(answer)
        parser.close()


def _modifiers(answer: Any, usage: Any) -> tuple[str, ...]:
    """Return the service tier, by what the Gemini API or Vertex AI says of it, and sound, whose tokens have another price."""
    headers = get(get(answer, "sdk_http_response"), "headers") or {}
    tier = str(headers.get("x-gemini-service-tier") or get(get(usage, "traffic_type"), "value") or "").lower()
    tier = tier.removeprefix("on_demand").lstrip("_")
    found = [] if tier in LIST_PRICE_TIERS else [tier]
    for details in get(usage, "prompt_tokens_details"), get(usage, "candidates_tokens_details"):
        found += [name for each in items_of(details) if (name := _modality(each)) not in LIST_PRICE_MODALITIES]
    return tuple(dict.fromkeys(found))


def _modality(each: Any) -> str:
    return str(get(get(each, "modality"), "value") or "").lower()


def _parse_parts(content: Any, response: ResponseInfo, *, with_text: bool) -> None:
    for part in content.parts or ():
        if part.text and with_text and not get(part, "thought"):
            response.add_text(part.text)
        if call := part.function_call:
            response.tool_calls.append(ToolCall(call.name, call.id or "", call.args or {}))
