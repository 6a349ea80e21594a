"""The adapters of each provider, and the methods that they log."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from .anthropic_messages import MessagesDialect
from .base import Adapter, NestedProxy, Route
from .gemini import ContentsDialect
from .openai_chat import ChatDialect, ChatEventsDialect
from .openai_responses import ResponsesDialect
from .parsing import Dialect
from .wrapped_methods import WrappedGeneratorMethod, WrappedManagerMethod, WrappedMethod


def _wrapped(kind: type[WrappedMethod], dialect: Dialect) -> Route:
    return lambda method, adapter: kind(method, dialect, adapter._sink)


def _rewrapped(method: Callable[..., Any], adapter: Adapter) -> Callable[..., Adapter]:
    """Wrap the client that `with_options` or `copy` returns."""
    return lambda *args, **kwargs: adapter.beside(method(*args, **kwargs))


def _chats_with_models(chats: Any, models: NestedProxy) -> Any:
    """Return chats that send by the adapter's `models`, so that their messages are logged."""
    with suppress(TypeError):
        return type(chats)(modules=models)
    return chats


COPY_ROUTES: dict[str, Route] = {"copy": _rewrapped, "with_options": _rewrapped}
OPENAI: dict[str, Route] = {
    "chat.completions.create": _wrapped(WrappedMethod, ChatDialect()),
    "chat.completions.parse": _wrapped(WrappedMethod, ChatDialect()),
    "chat.completions.stream": _wrapped(WrappedManagerMethod, ChatEventsDialect(stream=True)),
    "beta.chat.completions.parse": _wrapped(WrappedMethod, ChatDialect()),
    "beta.chat.completions.stream": _wrapped(WrappedManagerMethod, ChatEventsDialect(stream=True)),
    "responses.create": _wrapped(WrappedMethod, ResponsesDialect()),
    "responses.parse": _wrapped(WrappedMethod, ResponsesDialect()),
    "responses.stream": _wrapped(WrappedManagerMethod, ResponsesDialect(stream=True)),
    **COPY_ROUTES,
}


class OpenAIAdapter(Adapter):
    """Adapter for `openai.OpenAI` and `openai.AsyncOpenAI` (or their Azure variants): logs chat completions and responses.

    adapter = OpenAIAdapter(OpenAI(), openintent, intent_id=intent.id)
    adapter.chat.completions.create(model="gpt-4o", messages=[…], stream=True)
    """

    provider = "openai"
    wraps = "openai.OpenAI or openai.AsyncOpenAI"
    needs = "chat.completions"
    routes = OPENAI


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
    """Adapter for `anthropic.Anthropic` and `anthropic.AsyncAnthropic`: logs messages, also those of `beta`.

    adapter = AnthropicAdapter(Anthropic(), openintent, intent_id=intent.id)
    with adapter.messages.stream(model="claude-opus-5", max_tokens=1024, messages=[…]) as stream:
        for text in stream.text_stream:
    """

    provider = "anthropic"
    wraps = "anthropic.Anthropic or anthropic.AsyncAnthropic"
    needs = "messages.create"
    routes = {
        "messages.create": _wrapped(WrappedMethod, MessagesDialect()),
        "messages.parse": _wrapped(WrappedMethod, MessagesDialect()),
        "messages.stream": _wrapped(WrappedManagerMethod, MessagesDialect(stream=True)),
        "beta.messages.create": _wrapped(WrappedMethod, MessagesDialect()),
        "beta.messages.parse": _wrapped(WrappedMethod, MessagesDialect()),
        "beta.messages.stream": _wrapped(WrappedManagerMethod, MessagesDialect(stream=True)),
        **COPY_ROUTES,
    }


class GeminiAdapter(Adapter):
    """Adapter for `google.genai.Client`: logs content generation, also that of `aio` and of chats.

    adapter = GeminiAdapter(genai.Client(), openintent, intent_id=intent.id)
    adapter.models.generate_content(model="gemini-2.5-flash", contents="…")

    If `generate_content` calls functions automatically, it sends several requests and reports the tokens of the last one;
    chats report those of all.
    """

    provider = "gemini"
    wraps = "google.genai.Client"
    needs = "models.generate_content"
    routes = {
        "models.generate_content": _wrapped(WrappedMethod, ContentsDialect()),
        "models.generate_content_stream": _wrapped(WrappedGeneratorMethod, ContentsDialect(stream=True)),
        "chats": lambda chats, adapter: _chats_with_models(chats, adapter.models),
        "aio.models.generate_content": _wrapped(WrappedMethod, ContentsDialect()),
        "aio.models.generate_content_stream": _wrapped(WrappedGeneratorMethod, ContentsDialect(stream=True)),
        "aio.chats": lambda chats, adapter: _chats_with_models(chats, adapter.aio.models),
    }
