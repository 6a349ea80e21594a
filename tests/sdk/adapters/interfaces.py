"""The interfaces of the providers, each used by its provider's own package in the same few ways."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import anthropic
import httpx2
import openai
from google import genai
from openintent.adapters import Adapter, AnthropicAdapter, DeepSeekAdapter, GeminiAdapter, GrokAdapter, OpenAIAdapter

QUESTION = "How are you today?"
ANSWER = f"You said: {QUESTION}"
TOKENS = (4, 6)  # Of these, since each word is one.
ARGUMENTS = {"city": QUESTION}
CALL_TOKENS = 5
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}
MESSAGES = [{"role": "user", "content": QUESTION}]


@dataclass(frozen=True)
class Interface:
    """`plain` and `stream` are called with an adapter, or a bare client, and arguments; `tools` are arguments, too."""

    name: str
    adapter: type[Adapter]
    model: str
    usd: tuple[str, str] | None
    """Per million tokens in and out, where there is a price."""
    connect: Callable[[str, bool], Any]
    """By the fake provider's address, and whether it is to be asynchronous."""
    plain: Callable[..., Any]
    stream: Callable[..., Any]
    text: Callable[[Any], str]
    """Of a whole answer."""
    piece: Callable[[Any], str | None]
    """Of a chunk."""
    tools: dict[str, Any]
    error: type[Exception]
    """What the package raises on a status that is an error."""
    broken: type[Exception]
    finish: str = "stop"
    finish_of_call: str = "tool_calls"
    owner: Callable[[Any, bool], Any] = field(default=lambda adapter, is_async: adapter)
    """What of the client has the methods of that kind."""


def _openai(path: str = "/v1") -> Callable[[str, bool], Any]:
    def connect(url: str, is_async: bool) -> Any:
        kind = openai.AsyncOpenAI if is_async else openai.OpenAI
        return kind(base_url=url + path, api_key="fake", max_retries=0)

    return connect


def _anthropic(url: str, is_async: bool) -> Any:
    kind = anthropic.AsyncAnthropic if is_async else anthropic.Anthropic
    return kind(base_url=url, api_key="fake", max_retries=0)


def _chat(name: str, adapter: type[Adapter], model: str, usd: tuple[str, str] | None, path: str = "/v1") -> Interface:
    return Interface(
        name,
        adapter,
        model,
        usd,
        _openai(path),
        plain=lambda client, **asked: client.chat.completions.create(messages=MESSAGES, **asked),
        stream=lambda client, **asked: client.chat.completions.create(messages=MESSAGES, stream=True, **asked),
        text=lambda answer: answer.choices[0].message.content,
        piece=lambda chunk: chunk.choices[0].delta.content,
        tools={"tools": [{"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}]},
        error=openai.APIStatusError,
        broken=openai.APIConnectionError,
    )


def _gemini_tools() -> dict[str, Any]:
    return {"config": {"tools": [{"function_declarations": [{"name": "get_weather", "parameters_json_schema": SCHEMA}]}]}}


CHAT = _chat("chat", OpenAIAdapter, "gpt-4o", ("2.50", "10"))
RESPONSES = Interface(
    "responses",
    OpenAIAdapter,
    "gpt-4o",
    ("2.50", "10"),
    _openai(),
    plain=lambda client, **asked: client.responses.create(input=QUESTION, **asked),
    stream=lambda client, **asked: client.responses.create(input=QUESTION, stream=True, **asked),
    text=lambda answer: answer.output_text,
    piece=lambda event: event.delta if event.type == "response.output_text.delta" else None,
    tools={"tools": [{"type": "function", "name": "get_weather", "parameters": SCHEMA}]},
    error=openai.APIStatusError,
    broken=openai.APIConnectionError,
    finish="completed",
    finish_of_call="completed",
)
MESSAGES_OF_ANTHROPIC = Interface(
    "messages",
    AnthropicAdapter,
    "claude-opus-5",
    ("5", "25"),
    _anthropic,
    plain=lambda client, **asked: client.messages.create(messages=MESSAGES, max_tokens=99, **asked),
    stream=lambda client, **asked: client.messages.create(messages=MESSAGES, max_tokens=99, stream=True, **asked),
    text=lambda answer: answer.content[0].text,
    piece=lambda event: event.delta.text if event.type == "content_block_delta" else None,
    tools={"tools": [{"name": "get_weather", "input_schema": SCHEMA}]},
    error=anthropic.APIStatusError,
    broken=httpx2.RemoteProtocolError,
    finish="end_turn",
    finish_of_call="tool_use",
)
GEMINI = Interface(
    "gemini",
    GeminiAdapter,
    "gemini-2.5-flash",
    ("0.30", "2.50"),
    lambda url, is_async: genai.Client(api_key="fake", http_options={"base_url": url}),
    plain=lambda client, **asked: client.models.generate_content(contents=QUESTION, **asked),
    stream=lambda client, **asked: client.models.generate_content_stream(contents=QUESTION, **asked),
    text=lambda answer: answer.text,
    piece=lambda chunk: chunk.text,
    tools=_gemini_tools(),
    error=genai.errors.APIError,
    broken=Exception,
    finish="STOP",
    finish_of_call="STOP",
    owner=lambda client, is_async: client.aio if is_async else client,
)
INTERFACES = [
    CHAT,
    _chat("grok", GrokAdapter, "grok-4", ("3", "15")),
    _chat("deepseek", DeepSeekAdapter, "deepseek-chat", None, path=""),
    RESPONSES,
    MESSAGES_OF_ANTHROPIC,
    GEMINI,
]
