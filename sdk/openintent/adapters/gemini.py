"""Gemini's contents."""

from collections.abc import Mapping
from typing import Any

from .parsing import Asked, Dialect, Reading, ToolCall, Usage, count_of, each, get, names_of, number_of


class Contents(Dialect):
    """`models.generate_content` and, with `stream`, `models.generate_content_stream`."""

    def asked(self, arguments: Mapping[str, Any]) -> Asked:
        config = arguments.get("config")
        return Asked(
            model=_bare(str(arguments.get("model"))),
            messages_count=count_of(arguments.get("contents")),
            tools=names_of(name for tool in each(get(config, "tools")) for name in _names(tool)),
            stream=self.stream,
            temperature=number_of(get(config, "temperature")),
        )

    def read(self, answer: Any, reading: Reading) -> None:
        for content in _called_already(get(answer, "automatic_function_calling_history") or []):
            _parts(content, reading)
        self.reader(reading).take(answer)

    def reader(self, reading: Reading) -> "ContentsReader":
        return ContentsReader(reading)


class ContentsReader:
    """Answers, each of which is a part of the whole."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def take(self, answer: Any) -> None:
        reading = self._reading
        if reading.model is None and answer.model_version:
            reading.model = _bare(answer.model_version)
        for candidate in answer.candidates or ():
            if candidate.content:
                _parts(candidate.content, reading)
            if candidate.finish_reason:
                reading.finish_reason = str(getattr(candidate.finish_reason, "value", candidate.finish_reason))
        if usage := answer.usage_metadata:
            reading.usage = Usage(
                prompt=(usage.prompt_token_count or 0) + (get(usage, "tool_use_prompt_token_count") or 0),
                completion=(usage.candidates_token_count or 0) + (get(usage, "thoughts_token_count") or 0),
                cached=usage.cached_content_token_count or 0,
            )

    def close(self) -> None:
        pass


def _parts(content: Any, reading: Reading) -> None:
    for part in content.parts or ():
        if part.text and not get(part, "thought"):
            reading.say(part.text)
        if call := part.function_call:
            reading.tools.append(ToolCall(call.name, call.id or "", call.args or {}))


def _called_already(history: list[Any]) -> list[Any]:
    """Where the client has called functions itself, the model's contents that asked for them: they are at the history's end."""
    calls: list[Any] = []
    for content in reversed(history):
        parts = content.parts or []
        if not any(part.function_call or part.function_response for part in parts):
            break
        if content.role == "model":
            calls.insert(0, content)
    return calls


def _names(tool: Any) -> list[Any]:
    """A tool is a function, or declares several, or is one of Gemini's own, as `google_search`."""
    if callable(tool):
        return [get(tool, "__name__")]
    return [get(declared, "name") for declared in each(get(tool, "function_declarations"))]


def _bare(model: str) -> str:
    """`gemini-2.5-flash` of `models/gemini-2.5-flash`."""
    return model.rpartition("/")[2]
