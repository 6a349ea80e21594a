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
    tool_names,
)


class ContentsParser(ChunkParser):
    """Parser of partial responses."""

    def feed(self, answer: Any) -> None:
        response = self._response
        if response.model is None and answer.model_version:
            response.model = answer.model_version.rpartition("/")[2]  # Without `models/`.
        for candidate in answer.candidates or ():
            if candidate.content:
                _parse_parts(candidate.content, response)
            if candidate.finish_reason:
                response.finish_reason = str(getattr(candidate.finish_reason, "value", candidate.finish_reason))
        if usage := answer.usage_metadata:
            response.usage = Usage(
                prompt=(usage.prompt_token_count or 0) + (get(usage, "tool_use_prompt_token_count") or 0),
                completion=(usage.candidates_token_count or 0) + (get(usage, "thoughts_token_count") or 0),
                cached=usage.cached_content_token_count or 0,
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
            model=str(arguments.get("model")).rpartition("/")[2],
            messages_count=count_messages(arguments.get("contents")),
            tools=tool_names(names),
            stream=self.stream,
            temperature=number_or_none(get(config, "temperature")),
        )

    def parse_response(self, answer: Any, response: ResponseInfo) -> None:
        requests: list[Any] = []
        # The automatic function calls are at the end of the history: the model's requests, and the functions' responses.
        for content in reversed(get(answer, "automatic_function_calling_history") or []):
            if not any(part.function_call or part.function_response for part in content.parts or []):
                break
            if content.role == "model":
                requests.insert(0, content)
        for content in requests:
            _parse_parts(content, response)
        self.chunk_parser(response).feed(answer)


def _parse_parts(content: Any, response: ResponseInfo) -> None:
    for part in content.parts or ():
        if part.text and not get(part, "thought"):
            response.add_text(part.text)
        if call := part.function_call:
            response.tool_calls.append(ToolCall(call.name, call.id or "", call.args or {}))
