"""An adapter is mocked, patched and checked like the client that it wraps (K-6)."""

import asyncio
import inspect
from types import SimpleNamespace
from unittest import mock

import openai
import pytest
from openai.resources.chat.completions import Completions
from openintent.adapters import Adapter, AnthropicAdapter, GeminiAdapter, OpenAIAdapter

from .interfaces import CHAT, INTERFACES, MESSAGES

REQUEST = ["llm_request_started", "llm_request_completed"]

pytestmark = [pytest.mark.rule("K-6"), pytest.mark.database("sqlite")]


@pytest.fixture
def client(provider):
    with CHAT.connect(provider.url, False) as client:
        yield client


@pytest.fixture
def adapter(client, api, intent):
    return OpenAIAdapter(client, api, intent.id)


def ask(client, **asked):
    return client.chat.completions.create(model="gpt-4", messages=MESSAGES, **asked)


def kinds(events):
    return [kind for kind, _ in events]


@pytest.mark.case("streams 37")
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("interface", INTERFACES, ids=lambda interface: interface.name)
def test_an_adapter_is_an_instance_of_the_clients_class(interface, is_async, api, intent):
    client = interface.connect("http://127.0.0.1", is_async)

    adapter = interface.adapter(client, api, intent.id)

    assert isinstance(adapter, type(client))
    assert isinstance(adapter, interface.adapter)
    assert isinstance(adapter, Adapter)


def test_methods_look_like_the_clients_own(adapter, client):
    method, own = adapter.chat.completions.create, client.chat.completions.create

    assert inspect.ismethod(method)
    assert inspect.signature(method) == inspect.signature(own)
    assert (method.__name__, method.__doc__, repr(method)) == (own.__name__, own.__doc__, repr(own))
    assert inspect.iscoroutinefunction(method) == inspect.iscoroutinefunction(own)
    assert isinstance(adapter.chat.completions, Completions)
    with pytest.raises(AttributeError):
        adapter.chat.completions.nothing  # noqa: B018


@pytest.mark.parametrize("way", ["of the adapter", "of the client", "of the class"])
def test_a_method_can_be_patched(way, adapter, client, logged_events):
    owner = {"of the adapter": adapter.chat.completions, "of the client": client.chat.completions, "of the class": Completions}[
        way
    ]
    answer = completion()

    with mock.patch.object(owner, "create", return_value=answer) as create:
        assert ask(adapter) is answer

    assert create.call_args.kwargs["model"] == "gpt-4"
    assert kinds(logged_events(adapter)) == REQUEST
    assert ask(adapter).choices[0].message.content.startswith("You said")
    assert kinds(logged_events(adapter)) == REQUEST * 2


def completion():
    message = SimpleNamespace(content="Hello", refusal=None, tool_calls=None)
    return SimpleNamespace(model="gpt-4", choices=[SimpleNamespace(index=0, message=message, finish_reason="stop")], usage=None)


def test_a_resource_can_be_patched(adapter, client):
    with mock.patch.object(adapter, "chat") as chat:
        adapter.chat.completions.create.return_value = "mocked"
        assert ask(adapter) == "mocked"
        adapter.chat.completions.create.assert_called_once()
        assert client.chat is chat

    assert ask(adapter).choices


def test_settings_of_the_client_are_set_through_the_adapter(adapter, client):
    adapter.timeout = 3

    assert (client.timeout, adapter.timeout) == (3, 3)


@pytest.mark.parametrize("mocked", [mock.MagicMock, lambda: mock.create_autospec(openai.OpenAI(api_key="x"), instance=True)])
def test_a_mock_can_be_wrapped(mocked, api, intent, logged_events):
    client = mocked()
    adapter = OpenAIAdapter(client, api, intent.id)

    assert ask(adapter) is client.chat.completions.create.return_value
    client.chat.completions.create.assert_called_once_with(model="gpt-4", messages=MESSAGES)
    assert kinds(logged_events(adapter)) == REQUEST


def test_the_stream_helper_of_a_mock_can_be_used(api, intent, logged_events):
    client = mock.MagicMock()
    adapter = OpenAIAdapter(client, api, intent.id)

    with adapter.chat.completions.stream(model="gpt-4", messages=MESSAGES) as stream:
        assert stream is client.chat.completions.stream.return_value.__enter__.return_value
    adapter.chat.completions.with_raw_response.create(model="gpt-4", messages=MESSAGES)

    assert kinds(logged_events(adapter)) == ["llm_request_started", "stream_started", "stream_cancelled"]


def test_an_asynchronous_mock_can_be_wrapped(api, intent, logged_events):
    client = mock.MagicMock()
    client.chat.completions.create = mock.AsyncMock(return_value=completion())
    adapter = OpenAIAdapter(client, api, intent.id)

    assert asyncio.run(ask(adapter)) is client.chat.completions.create.return_value
    assert kinds(logged_events(adapter)) == REQUEST


@pytest.mark.parametrize(("kind", "path"), [(AnthropicAdapter, "messages.create"), (GeminiAdapter, "models.generate_content")])
def test_mocks_of_other_providers_can_be_wrapped(kind, path, api, intent, logged_events):
    client = mock.MagicMock()
    adapter = kind(client, api, intent.id)
    owner, method = path.split(".")

    assert getattr(getattr(adapter, owner), method)(model="m") is getattr(getattr(client, owner), method).return_value
    assert kinds(logged_events(adapter)) == REQUEST


def test_an_adapter_can_be_the_specification_of_a_mock(adapter):
    double = mock.create_autospec(adapter, instance=True)

    double.chat.completions.create.return_value = "mocked"

    assert ask(double) == "mocked"
