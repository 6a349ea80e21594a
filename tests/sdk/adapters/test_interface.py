"""The wrapped object keeps the provider's interface, whatever the logging does (K-6)."""

import asyncio
import gc
import subprocess
import sys
from inspect import signature
from types import SimpleNamespace

import anthropic
import openai
import pytest
from google import genai
from openai.resources.chat.completions import Completions
from openintent import AsyncOpenIntentClient, InputValidationError, OpenIntentClient
from openintent.adapters import AdapterConfig, AnthropicAdapter, GeminiAdapter, OpenAIAdapter

from tests.processes import ROOT

from .conftest import KEY
from .interfaces import ANSWER, CHAT, GEMINI, MESSAGES, MESSAGES_OF_ANTHROPIC, QUESTION, RESPONSES

REQUEST = ["llm_request_started", "llm_request_completed"]
STREAM = ["llm_request_started", "stream_started", "stream_completed", "llm_request_completed"]
CANCELLED = ["llm_request_started", "stream_started", "stream_cancelled"]

pytestmark = [pytest.mark.rule("K-6"), pytest.mark.full, pytest.mark.database("sqlite")]


@pytest.fixture
def client(provider):
    with CHAT.connect(provider.url, False) as client:
        yield client


@pytest.fixture
def adapter(client, api, intent):
    return OpenAIAdapter(client, api, intent.id)


def kinds(events):
    return [kind for kind, _ in events]


def test_unlogged_attributes_are_the_clients_own(adapter, client, logged_events):
    assert adapter.embeddings is client.embeddings
    assert adapter.models.list().data[0].id == "gpt-4"
    assert adapter.base_url == client.base_url
    assert isinstance(adapter.chat.completions, Completions)
    assert signature(adapter.chat.completions.create) == signature(client.chat.completions.create)
    assert logged_events(adapter) == []
    with pytest.raises(AttributeError):
        adapter.chat.nothing  # noqa: B018


def test_a_client_with_other_options_is_logged_as_well(adapter, logged_events):
    other = adapter.with_options(timeout=5)

    assert other.timeout == 5
    assert other.chat.completions.create(model="gpt-4", messages=MESSAGES).choices[0].message.content == ANSWER
    assert kinds(logged_events(adapter)) == REQUEST


def test_wrapped_stream_looks_like_the_providers(adapter, logged_events):
    with adapter.chat.completions.create(model="gpt-4", messages=MESSAGES, stream=True) as stream:
        assert isinstance(stream, openai.Stream)
        assert stream.response.status_code == 200
        assert next(stream).choices[0].delta.content == ""
        assert "".join(chunk.choices[0].delta.content or "" for chunk in stream) == ANSWER

    assert stream.response.is_closed
    assert kinds(logged_events(adapter)) == STREAM


def test_usage_chunk_is_hidden_unless_the_caller_requested_it(adapter, client, provider, api, intent):
    def chunks(of, **asked):
        stream = of.chat.completions.create(model="gpt-4", messages=MESSAGES, stream=True, **asked)
        return [(len(chunk.choices), chunk.usage is not None) for chunk in stream]

    wanted = {"stream_options": {"include_usage": True}}

    assert chunks(adapter) == chunks(client)
    assert provider.requests[-2][1]["stream_options"] == {"include_usage": True}
    assert chunks(adapter, **wanted) == chunks(client, **wanted)
    assert adapter.flush(30)
    assert len(api.get_costs(intent.id)) == 2


def test_usage_request_can_be_turned_off(client, api, intent, provider):
    adapter = OpenAIAdapter(client, api, intent.id, AdapterConfig(request_stream_usage=False))

    list(adapter.chat.completions.create(model="gpt-4", messages=MESSAGES, stream=True))

    assert "stream_options" not in provider.requests[-1][1]
    assert adapter.flush(30)
    assert api.get_costs(intent.id) == []


@pytest.mark.parametrize("way", ["iterated", "at once"])
def test_the_stream_helper_of_chat_completions(make_adapter, client_runner, logged_events, way):
    adapter, _ = make_adapter(CHAT)
    manager = adapter.chat.completions.stream(model="gpt-4", messages=MESSAGES)

    if way == "iterated":
        events = client_runner.within(manager, collect_events(client_runner))
        assert "".join(event.delta for event in events if event.type == "content.delta") == ANSWER
        assert all(event.chunk.choices for event in events if event.type == "chunk")
    else:
        completion = client_runner.within(manager, lambda stream: stream.get_final_completion())
        assert completion.choices[0].message.content == ANSWER

    events = logged_events(adapter)
    assert kinds(events) == STREAM
    assert (events[0][1]["stream"], events[-1][1]["response_content"], events[-1][1]["total_tokens"]) == (True, ANSWER, 10)


def collect_events(client_runner):
    async def gather(stream):
        return [event async for event in stream]

    return gather if client_runner.is_async else list


def test_the_stream_helper_of_responses(make_adapter, client_runner, logged_events):
    adapter, _ = make_adapter(RESPONSES)

    response = client_runner.within(
        adapter.responses.stream(model="gpt-4", input=QUESTION), lambda each: each.get_final_response()
    )

    assert response.output_text == ANSWER
    assert kinds(logged_events(adapter)) == STREAM


def test_the_stream_helper_of_messages(make_adapter, client_runner, logged_events):
    adapter, _ = make_adapter(MESSAGES_OF_ANTHROPIC)

    async def read_async(stream):
        return [text async for text in stream.text_stream], await stream.get_final_message()

    def read(stream):
        return list(stream.text_stream), stream.get_final_message()

    manager = adapter.messages.stream(model="claude-opus-5", max_tokens=9, messages=MESSAGES)
    texts, message = client_runner.within(manager, read_async if client_runner.is_async else read)

    assert "".join(texts) == message.content[0].text == ANSWER
    assert kinds(logged_events(adapter)) == STREAM


def test_a_block_that_fails_cancels_its_stream(adapter, logged_events):
    with pytest.raises(StopIteration), adapter.chat.completions.stream(model="gpt-4", messages=MESSAGES):
        next(iter(()))

    events = logged_events(adapter)
    assert kinds(events) == CANCELLED
    assert events[-1][1]["reason"] == "StopIteration in the block"


def test_a_block_whose_request_is_refused_fails(adapter, logged_events):
    with pytest.raises(openai.RateLimitError), adapter.chat.completions.stream(model="error-429", messages=MESSAGES):
        pass

    assert kinds(logged_events(adapter)) == ["llm_request_started", "llm_request_failed"]


def test_stream_left_after_its_finish_reason_is_complete(adapter, logged_events):
    for chunk in adapter.chat.completions.create(model="gpt-4", messages=MESSAGES, stream=True):
        if chunk.choices[0].finish_reason:
            break
    gc.collect()

    assert kinds(logged_events(adapter)) == STREAM


def test_cancelled_stream_costs_the_usage_so_far(provider, api, intent):
    adapter = AnthropicAdapter(MESSAGES_OF_ANTHROPIC.connect(provider.url, False), api, intent.id)
    with adapter.messages.stream(model="claude-opus-5", max_tokens=9, messages=MESSAGES) as stream:
        next(stream)
    adapter.close()

    assert adapter.flush(30)
    (cost,) = api.get_costs(intent.id)
    assert (cost.metadata["prompt_tokens"], cost.metadata["completion_tokens"], cost.metadata["incomplete"]) == (4, 1, True)


def test_a_task_that_is_cancelled_cancels_its_stream(provider, api, intent, logged_events):
    async def ask():
        async with CHAT.connect(provider.url, True) as client:
            adapter = OpenAIAdapter(client, api, intent.id)
            stream = await adapter.chat.completions.create(model="slow-5000", messages=MESSAGES, stream=True)
            reading = asyncio.create_task(anext(stream))
            await asyncio.sleep(0)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            return adapter

    events = logged_events(asyncio.run(ask()))
    assert kinds(events) == CANCELLED
    assert events[-1][1]["reason"] == "CancelledError"


@pytest.mark.parametrize("provider_is_async", [False, True])
def test_sync_and_async_clients_can_be_combined(provider, server, intent, logged_events, provider_is_async):
    async def ask():
        kind = OpenIntentClient if provider_is_async else AsyncOpenIntentClient
        adapter = OpenAIAdapter(CHAT.connect(provider.url, provider_is_async), kind(server.url, KEY, "ada"), intent_id=intent.id)
        answer = adapter.chat.completions.create(model="gpt-4", messages=MESSAGES)
        assert (await answer if provider_is_async else answer).choices[0].message.content == ANSWER
        assert await adapter.aflush(30)
        for closing in adapter.close(), adapter.openintent_client.close():
            if asyncio.iscoroutine(closing):
                await closing
        return adapter

    assert kinds(logged_events(asyncio.run(ask()))) == REQUEST


def test_chats_of_gemini_are_logged(provider, api, intent, logged_events):
    def get_weather(city: str) -> str:
        """The weather in a city."""
        return f"Sun in {city}"

    with GEMINI.connect(provider.url, False) as client:
        adapter = GeminiAdapter(client, api, intent.id)
        chat = adapter.chats.create(model="gemini-2.5-flash", config={"tools": [get_weather]})
        answer = chat.send_message("Rome")

    assert "Sun in Rome" in answer.text
    events = logged_events(adapter)
    assert kinds(events) == [*REQUEST, "tool_call_started", *REQUEST]
    assert events[2][1]["arguments"] == {"city": "Rome"}
    assert len(api.get_costs(intent.id)) == 2


def test_functions_that_gemini_calls_by_itself_are_logged(provider, api, intent, logged_events):
    def get_weather(city: str) -> str:
        """The weather in a city."""
        return f"Sun in {city}"

    with GEMINI.connect(provider.url, False) as client:
        adapter = GeminiAdapter(client, api, intent.id)
        adapter.models.generate_content(model="gemini-2.5-flash", contents="Rome", config={"tools": [get_weather]})

    assert kinds(logged_events(adapter)) == [*REQUEST, "tool_call_started", *REQUEST]
    assert len(api.get_costs(intent.id)) == 2


def test_unparseable_response_still_reaches_the_caller(api, intent, logged_events):
    errors = []
    surprise = SimpleNamespace(choices="?")
    client = SimpleNamespace(chat=SimpleNamespace(completions=SimpleNamespace(create=lambda **_: surprise)))
    adapter = OpenAIAdapter(client, api, intent.id, AdapterConfig(on_error=lambda *error: errors.append(error)))

    assert adapter.chat.completions.create(model="gpt-4", messages=MESSAGES) is surprise

    assert kinds(logged_events(adapter)) == REQUEST
    ((error, context),) = errors
    assert isinstance(error, AttributeError)
    assert context == {"phase": "reading", "intent_id": intent.id, "provider": "openai"}


def test_characters_that_the_protocol_rejects_are_replaced(api, intent, logged_events, provider):
    """A model may say NUL, give arguments that are no JSON object, or none at all."""
    calls = [
        SimpleNamespace(id=f"call_{number}", custom=None, function=SimpleNamespace(name="act", arguments=arguments))
        for number, arguments in enumerate(["{oops", "[1]", '{"n": NaN}', "", '{"long": "' + "x" * 30_000 + '"}'])
    ]
    message = SimpleNamespace(content="a\0b\ud800" + "c" * 30_000, refusal=None, tool_calls=calls)
    choice = SimpleNamespace(index=0, message=message, finish_reason="stop")
    answer = SimpleNamespace(model="gpt-4", choices=[choice], usage=None)
    client = SimpleNamespace(chat=SimpleNamespace(completions=SimpleNamespace(create=lambda **_: answer)))
    adapter = OpenAIAdapter(client, api, intent.id)

    adapter.chat.completions.create(model="gpt-4", messages=MESSAGES)

    _, (_, said), *tools = logged_events(adapter)
    assert said["response_content"] == "a\ufffdb\ufffd" + "c" * 19_996
    arguments = [payload["arguments"] for _, payload in tools]
    assert arguments[:4] == [{"text": "{oops"}, {"text": "[1]"}, {"text": '{"n": NaN}'}, {}]
    assert arguments[4] == {"text": '{"long": "' + "x" * 19_990}


def test_events_are_logged_after_the_lease_is_lost(adapter, api, intent, logged_events):
    lease = api.acquire_lease(intent.id, "flights")
    api.revoke_lease(intent.id, lease.id, reason="Somebody else is faster")

    adapter.chat.completions.create(model="gpt-4", messages=MESSAGES)

    assert kinds(logged_events(adapter))[-2:] == REQUEST


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda api: OpenAIAdapter(anthropic.Anthropic(api_key="x"), api, "1"),
            TypeError,
            "wraps openai.OpenAI or openai.AsyncOpenAI",
        ),
        (lambda api: AnthropicAdapter(openai.OpenAI(api_key="x"), api, "1"), TypeError, "wraps anthropic.Anthropic"),
        (lambda api: GeminiAdapter(openai.OpenAI(api_key="x"), api, "1"), TypeError, "wraps google.genai.Client"),
        (
            lambda api: OpenAIAdapter(openai.OpenAI(api_key="x"), "http://…", "1"),
            TypeError,
            "openintent_client is a builtins.str",
        ),
        (lambda api: OpenAIAdapter(openai.OpenAI(api_key="x"), api, ""), InputValidationError, "intent_id cannot be empty"),
        (lambda api: OpenAIAdapter(openai.OpenAI(api_key="x"), api, 7), InputValidationError, "an id must be text or a UUID"),
        (lambda api: AdapterConfig(chunk_log_interval=0), InputValidationError, "chunk_log_interval must be"),
    ],
)
def test_invalid_adapter_arguments_are_rejected(api, make, error, message):
    with pytest.raises(error, match=message):
        make(api)


def test_no_package_of_a_provider_is_imported():
    code = (
        "import sys, openintent.adapters as adapters\n"
        "vendors = {'openai', 'anthropic', 'google', 'httpx2'}\n"
        "assert not vendors & {name.partition('.')[0] for name in sys.modules}, sys.modules.keys()\n"
        "assert set(adapters.__all__) <= set(dir(adapters))\n"
    )

    subprocess.run([sys.executable, "-c", code], cwd=ROOT / "sdk", check=True)


def test_gemini_client_is_recognised_by_its_attributes(provider, api, intent):
    with genai.Client(api_key="fake", http_options={"base_url": provider.url}) as client:
        assert GeminiAdapter(client, api, intent.id).provider_client is client
