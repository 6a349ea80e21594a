"""The adapters of each provider, and the methods that they log."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from types import MethodType
from typing import Any

from .anthropic_messages import MessagesDialect
from .base import Adapter, NestedProxy, Route
from .gemini import ContentsDialect
from .openai_chat import ChatDialect
from .openai_responses import ResponsesDialect
from .parsing import Dialect
from .wrapped_methods import WrappedGeneratorMethod, WrappedManagerMethod, WrappedMethod, WrappedRetrieval


def _wrapped(kind: type[WrappedMethod], dialect: Dialect) -> Route:
    return lambda method, adapter, _holder: kind(method, dialect, adapter._sink)


def _rewrapped(method: Callable[..., Any], adapter: Adapter, _holder: Any) -> Callable[..., Adapter]:
    """Wrap the client that `with_options` or `copy` returns."""
    return lambda *args, **kwargs: adapter.beside(method(*args, **kwargs))


def _rebound(otherwise: Route = lambda method, _adapter, _holder: method) -> Route:
    """Let a method that sends several requests send them by the methods of the proxy, which are logged."""

    def route(method: Callable[..., Any], adapter: Adapter, holder: Any) -> Any:
        if isinstance(method, MethodType):
            return MethodType(method.__func__, holder)
        return otherwise(method, adapter, holder)  # A mock, for example.

    return route


def _chats_with_models(chats: Any, models: NestedProxy) -> Any:
    """Return chats that send by the adapter's `models`, so that their messages are logged."""
    with suppress(TypeError):
        return type(chats)(modules=models)
    return chats


COPY_ROUTES: dict[str, Route] = {"copy": _rewrapped, "with_options": _rewrapped}
RESPONSES = {
    "create": _wrapped(WrappedMethod, ResponsesDialect()),
    "parse": _wrapped(WrappedMethod, ResponsesDialect()),
    "stream": _wrapped(WrappedManagerMethod, ResponsesDialect(stream=True)),
    "compact": _wrapped(WrappedMethod, ResponsesDialect()),
    "retrieve": _wrapped(WrappedRetrieval, ResponsesDialect()),
    "cancel": _wrapped(WrappedRetrieval, ResponsesDialect()),
}
CHAT_COMPLETIONS = {
    "create": _wrapped(WrappedMethod, ChatDialect()),
    "parse": _wrapped(WrappedMethod, ChatDialect()),
    "stream": _wrapped(WrappedManagerMethod, ChatDialect(stream=True)),
}
MESSAGES = {
    "create": _wrapped(WrappedMethod, MessagesDialect()),
    "parse": _wrapped(WrappedMethod, MessagesDialect()),
    "stream": _wrapped(WrappedManagerMethod, MessagesDialect(stream=True)),
}
CONTENT = _wrapped(WrappedMethod, ContentsDialect())
CONTENT_STREAM = _wrapped(WrappedGeneratorMethod, ContentsDialect(stream=True))
CONTENTS = {
    "generate_content": _rebound(CONTENT),
    "generate_content_stream": _rebound(CONTENT_STREAM),
    "_generate_content_with_continuation": _rebound(),
    "_generate_content_stream_with_continuation": _rebound(),
    "_generate_content": CONTENT,
    "_generate_content_stream": CONTENT_STREAM,
}


def _at(path: str, methods: Mapping[str, Route]) -> dict[str, Route]:
    return {f"{path}.{name}": route for name, route in methods.items()}


class OpenAIAdapter(Adapter):
    """Adapter for `openai.OpenAI` and `openai.AsyncOpenAI` (or their Azure variants): logs chat completions and responses.

    adapter = OpenAIAdapter(OpenAI(), openintent, intent_id=intent.id)
    adapter.chat.completions.create(model="gpt-4o", messages=[…], stream=True)
    """

    provider = "openai"
    wraps = "openai.OpenAI or openai.AsyncOpenAI"
    needs = "chat.completions"
    routes = {
        **_at("chat.completions", CHAT_COMPLETIONS),
        **_at("beta.chat.completions", CHAT_COMPLETIONS),
        **_at("responses", RESPONSES),
        **_at("beta.responses", RESPONSES),
        **COPY_ROUTES,
    }


class GrokAdapter(OpenAIAdapter):
    """Adapter for an `openai.OpenAI` or `openai.AsyncOpenAI` client of xAI.

    adapter = GrokAdapter(OpenAI(base_url="https://api.x.ai/v1", api_key="…"), openintent, intent_id=intent.id)
    """

    provider = "grok"


class DeepSeekAdapter(OpenAIAdapter):
    """Adapter for an `openai.OpenAI` or `openai.AsyncOpenAI` client of DeepSeek.

    adapter = DeepSeekAdapter(OpenAI(base_url="https://api.deepseek.com", api_key="…"), openintent, intent_id=intent.id)
    """

    provider = "deepseek"


class AnthropicAdapter(Adapter):
    """Adapter for `anthropic.Anthropic` and `anthropic.AsyncAnthropic`: logs messages, also those of `beta`, its threads and tool
    runners.

    adapter = AnthropicAdapter(Anthropic(), openintent, intent_id=intent.id)
    with adapter.messages.stream(model="claude-opus-5", max_tokens=1024, messages=[…]) as stream:
        for text in stream.text_stream:
    """

    provider = "anthropic"
    wraps = "anthropic.Anthropic or anthropic.AsyncAnthropic"
    needs = "messages.create"
    routes = {
        **_at("messages", MESSAGES),
        **_at("beta.messages", MESSAGES),
        "beta.messages.tool_runner": _rebound(),
        "beta.messages.thread": _rebound(),
        **COPY_ROUTES,
    }


class GeminiAdapter(Adapter):
    """Adapter for `google.genai.Client`: logs content generation, also that of `aio` and of chats.

    adapter = GeminiAdapter(genai.Client(), openintent, intent_id=intent.id)
    adapter.models.generate_content(model="gemini-2.5-flash", contents="…")

    Where functions are called automatically, each of the requests is logged.
    """

    provider = "gemini"
    wraps = "google.genai.Client"
    needs = "models.generate_content"
    routes = {
        **_at("models", CONTENTS),
        **_at("aio.models", CONTENTS),
        "chats": lambda chats, adapter, _holder: _chats_with_models(chats, adapter.models),
        "aio.chats": lambda chats, adapter, _holder: _chats_with_models(chats, adapter.aio.models),
    }
