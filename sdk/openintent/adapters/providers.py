"""The adapters, and what each of them logs of its provider's client."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from .anthropic_messages import Messages
from .base import Adapter, Resource, Route
from .gemini import Contents
from .openai_chat import Chat, ChatEvents
from .openai_responses import Responses
from .parsing import Dialect
from .wrapped_methods import LazyMethod, ManagerMethod, Method


def _logged(kind: type[Method], dialect: Dialect) -> Route:
    return lambda method, adapter: kind(method, dialect, adapter._log)


def _again(method: Callable[..., Any], adapter: Adapter) -> Callable[..., Adapter]:
    """`with_options` makes another client: its requests are logged, too."""
    return lambda *args, **kwargs: adapter.beside(method(*args, **kwargs))


def _chats(chats: Any, adapter: Adapter) -> Any:
    return _over_models(chats, adapter.models)


def _async_chats(chats: Any, adapter: Adapter) -> Any:
    return _over_models(chats, adapter.aio.models)


def _over_models(chats: Any, models: Resource) -> Any:
    """Gemini's chats send their messages by the `models` that they are made of."""
    with suppress(TypeError):
        return type(chats)(modules=models)
    return chats


AGAIN: dict[str, Route] = {"copy": _again, "with_options": _again}
OPENAI: dict[str, Route] = {
    "chat.completions.create": _logged(Method, Chat()),
    "chat.completions.parse": _logged(Method, Chat()),
    "chat.completions.stream": _logged(ManagerMethod, ChatEvents()),
    "beta.chat.completions.parse": _logged(Method, Chat()),
    "beta.chat.completions.stream": _logged(ManagerMethod, ChatEvents()),
    "responses.create": _logged(Method, Responses()),
    "responses.parse": _logged(Method, Responses()),
    "responses.stream": _logged(ManagerMethod, Responses(stream=True)),
    **AGAIN,
}


class OpenAIAdapter(Adapter):
    """Around `openai.OpenAI` or `openai.AsyncOpenAI` (or their Azure kind): chat completions and responses are logged.

    adapter = OpenAIAdapter(OpenAI(), openintent, intent_id=intent.id)
    adapter.chat.completions.create(model="gpt-4o", messages=[…], stream=True)
    """

    provider = "openai"
    wraps = "openai.OpenAI or openai.AsyncOpenAI"
    needs = "chat.completions"
    routes = OPENAI


class GrokAdapter(OpenAIAdapter):
    """Around an `openai.OpenAI` or `openai.AsyncOpenAI` that speaks to xAI.

    adapter = GrokAdapter(OpenAI(base_url="https://api.x.ai/v1", api_key="…"), openintent, intent_id=intent.id)
    """

    provider = "grok"


class DeepSeekAdapter(OpenAIAdapter):
    """Around an `openai.OpenAI` or `openai.AsyncOpenAI` that speaks to DeepSeek.

    adapter = DeepSeekAdapter(OpenAI(base_url="https://api.deepseek.com", api_key="…"), openintent, intent_id=intent.id)
    """

    provider = "deepseek"


class AnthropicAdapter(Adapter):
    """Around `anthropic.Anthropic` or `anthropic.AsyncAnthropic`: messages are logged, those of `beta` too.

    adapter = AnthropicAdapter(Anthropic(), openintent, intent_id=intent.id)
    with adapter.messages.stream(model="claude-opus-5", max_tokens=1024, messages=[…]) as stream:
        for text in stream.text_stream:
    """

    provider = "anthropic"
    wraps = "anthropic.Anthropic or anthropic.AsyncAnthropic"
    needs = "messages.create"
    routes = {
        "messages.create": _logged(Method, Messages()),
        "messages.parse": _logged(Method, Messages()),
        "messages.stream": _logged(ManagerMethod, Messages(stream=True)),
        "beta.messages.create": _logged(Method, Messages()),
        "beta.messages.parse": _logged(Method, Messages()),
        "beta.messages.stream": _logged(ManagerMethod, Messages(stream=True)),
        **AGAIN,
    }


class GeminiAdapter(Adapter):
    """Around `google.genai.Client`: generated contents are logged, those of `aio` and of chats too.

    adapter = GeminiAdapter(genai.Client(), openintent, intent_id=intent.id)
    adapter.models.generate_content(model="gemini-2.5-flash", contents="…")

    Where `generate_content` calls functions by itself, it sends several requests and tells the tokens of the last one;
    chats tell those of all.
    """

    provider = "gemini"
    wraps = "google.genai.Client"
    needs = "models.generate_content"
    routes = {
        "models.generate_content": _logged(Method, Contents()),
        "models.generate_content_stream": _logged(LazyMethod, Contents(stream=True)),
        "chats": _chats,
        "aio.models.generate_content": _logged(Method, Contents()),
        "aio.models.generate_content_stream": _logged(LazyMethod, Contents(stream=True)),
        "aio.chats": _async_chats,
    }
