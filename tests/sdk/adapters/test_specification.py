"""The specification's section "Provider Adapters": its examples as they stand, and with asynchronous clients and an `await` before each call."""

import ast
import asyncio
import inspect
from types import SimpleNamespace

import pytest
from openintent.adapters import OpenAIAdapter

from tests.sdk.specification_examples import AwaitsOfAdapter, Filled, example, run_tree

from .conftest import KEY
from .interfaces import CHAT

QUESTION = "What are the latest AI trends?"
REQUEST = ["llm_request_started", "llm_request_completed"]
STREAM = ["llm_request_started", "stream_started", "stream_completed", "llm_request_completed"]

pytestmark = [pytest.mark.rule("K-6"), pytest.mark.full, pytest.mark.database("sqlite")]


@pytest.fixture(autouse=True)
def environment(provider, monkeypatch):
    """`OpenAI()` and `Anthropic()` find their provider where they look for it."""
    monkeypatch.setenv("OPENAI_BASE_URL", f"{provider.url}/v1")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", provider.url)
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "fake")


@pytest.fixture(params=["as written", "awaited"])
def play(request, server):
    """Runs the example under a heading, with `names` around it; returns all names after it."""

    def play(heading, **names):
        tree = Filled(base_url=server.url, api_key=KEY).visit(ast.parse(example(heading)))
        if request.param == "awaited":
            asyncio.run(awaited(AwaitsOfAdapter().visit(tree), names))
        else:
            exec(compile(ast.fix_missing_locations(tree), "specification.md", "exec"), names)
            for client in clients(names):
                client.close()
        return SimpleNamespace(**{name: names[name] for name in names if name != "__builtins__"})

    return play


def clients(names):
    return [names[name] for name in ("openintent", "openai_client", "anthropic_client") if name in names]


async def awaited(tree, names):
    await run_tree(tree, names)
    for client in clients(names):
        if inspect.isawaitable(closing := client.close()):
            await closing


def logged(api, after):
    assert after.adapter.flush(30)
    return [event.event_type for event in api.get_events(after.intent.id)[1:] if event.event_type != "cost_recorded"]


def test_openai_adapter(play, api, capsys):
    after = play("OpenAI Adapter")

    assert capsys.readouterr().out == "You said: Explain machine learning"
    assert after.response.choices[0].message.tool_calls[0].function.name == "get_weather"
    assert logged(api, after) == [*REQUEST, *STREAM, *REQUEST, "tool_call_started"]
    costs = api.get_costs(after.intent.id)
    assert [(cost.unit, cost.model) for cost in costs] == [("USD", "gpt-4")] * 3
    assert api.get_events(after.intent.id)[2].payload["response_content"] == f"You said: {QUESTION}"


@pytest.mark.filterwarnings("ignore:The model .claude-3-opus:DeprecationWarning")
def test_anthropic_adapter(play, api, capsys):
    after = play("Anthropic Adapter")

    assert after.message.content[0].text == "You said: Draft a blog post about AI"
    assert capsys.readouterr().out == "You said: Explain quantum computing"
    assert logged(api, after) == [*REQUEST, *STREAM]
    assert len(api.get_costs(after.intent.id)) == 2


def test_adapter_configuration(play, api, intent, provider, capsys):
    client = CHAT.connect(provider.url, False)

    after = play("Adapter Configuration", OpenAIAdapter=OpenAIAdapter, openai_client=client, openintent=api, intent=intent)

    after.config.on_error(ValueError("no"), {"phase": "sending"})
    assert capsys.readouterr().out == "Adapter error: no in sending\n"
    assert after.adapter.config is after.config
    assert after.adapter.intent_id == intent.id
