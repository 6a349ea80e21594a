"""Events logged by adapters: the table "Events Logged by Adapters", with the providers' own packages and a live server (K-6)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from openintent.adapters import GeminiAdapter

from .interfaces import ANSWER, ARGUMENTS, CALL_TOKENS, INTERFACES, TOKENS

REQUEST = ["llm_request_started", "llm_request_completed"]
STREAM = ["llm_request_started", "stream_started", "stream_completed", "llm_request_completed"]

pytestmark = [
    pytest.mark.rule("K-6"),
    pytest.mark.parametrize("interface", INTERFACES, ids=lambda each: each.name),
    pytest.mark.database("sqlite"),
]


def priced(interface, tokens_in, tokens_out):
    if interface.usd is None:
        return tokens_in + tokens_out, "tokens"
    price_in, price_out = map(Decimal, interface.usd)
    return (tokens_in * price_in + tokens_out * price_out) / 1_000_000, "USD"


def test_a_request_is_logged_with_its_answer_and_its_cost(interface, make_adapter, client_runner, logged_events, api, intent):
    begun = datetime.now(UTC)
    adapter, owner = make_adapter(interface)

    answer = client_runner.wait(interface.plain(owner, model=interface.model))

    assert interface.text(answer) == ANSWER
    (started, asked), (completed, got) = logged_events(adapter)
    assert [started, completed] == REQUEST
    request = {"request_id": asked["request_id"], "provider": adapter.provider, "model": interface.model, "messages_count": 1}
    assert asked == {**request, "stream": False, "occurred_at": asked["occurred_at"]}
    assert got.pop("duration_ms") > 0
    assert begun - timedelta(seconds=1) < datetime.fromisoformat(got.pop("occurred_at")) < datetime.now(UTC)
    assert got == {
        **request,
        "response_content": ANSWER,
        "finish_reason": interface.finish,
        "prompt_tokens": TOKENS[0],
        "completion_tokens": TOKENS[1],
        "total_tokens": sum(TOKENS),
    }
    (cost,) = api.get_costs(intent.id)
    assert (cost.amount, cost.unit) == priced(interface, *TOKENS)
    assert (cost.provider, cost.model) == (adapter.provider, interface.model)
    assert cost.metadata["request_id"] == asked["request_id"]
    assert (cost.metadata["prompt_tokens"], cost.metadata["completion_tokens"]) == TOKENS
    assert cost.agent_id == "ada"


def test_a_stream_is_logged_from_its_beginning_to_its_end(interface, make_adapter, client_runner, logged_events, api, intent):
    adapter, owner = make_adapter(interface)

    chunks = client_runner.chunks(client_runner.wait(interface.stream(owner, model=interface.model)))

    assert "".join(interface.piece(chunk) or "" for chunk in chunks) == ANSWER
    events = logged_events(adapter)
    assert [kind for kind, _ in events] == STREAM
    (_, asked), (_, opened), (_, ended), (_, got) = events
    assert asked["stream"] is True
    assert opened["stream_id"] == ended["stream_id"] == asked["request_id"] == got["request_id"]
    assert (ended["chunks_received"], ended["tokens_streamed"]) == (len(chunks), TOKENS[1])
    assert (got["response_content"], got["finish_reason"], got["total_tokens"]) == (ANSWER, interface.finish, sum(TOKENS))
    assert [(cost.amount, cost.unit) for cost in api.get_costs(intent.id)] == [priced(interface, *TOKENS)]


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
def test_tool_calls_are_logged(interface, streams, make_adapter, client_runner, logged_events, api, intent):
    adapter, owner = make_adapter(interface)

    if streams:
        client_runner.chunks(client_runner.wait(interface.stream(owner, model=interface.model, **interface.tools)))
    else:
        client_runner.wait(interface.plain(owner, model=interface.model, **interface.tools))

    events = logged_events(adapter)
    assert [kind for kind, _ in events] == [*(STREAM if streams else REQUEST), "tool_call_started"]
    assert events[0][1]["tools_available"] == ["get_weather"]
    assert events[-2][1]["finish_reason"] == interface.finish_of_call
    call = events[-1][1]
    assert (call["tool_name"], call["arguments"]) == ("get_weather", ARGUMENTS)
    assert (call["provider"], call["model"]) == (adapter.provider, interface.model)
    assert call["tool_id"]
    assert [(cost.amount, cost.unit) for cost in api.get_costs(intent.id)] == [priced(interface, TOKENS[0], CALL_TOKENS)]


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
def test_provider_error_is_raised_unchanged_and_logged(
    interface, streams, make_adapter, client_runner, logged_events, api, intent
):
    adapter, owner = make_adapter(interface)
    ask = interface.stream if streams else interface.plain

    with pytest.raises(interface.error) as raised:
        client_runner.chunks(client_runner.wait(ask(owner, model="error-429")))

    assert "You asked for 429." in str(raised.value)
    (started, _), (failed, said) = logged_events(adapter)
    assert (started, failed) == ("llm_request_started", "llm_request_failed")
    assert said["error"].startswith(f"{type(raised.value).__name__}: ")
    assert "You asked for 429." in said["error"]
    assert said["duration_ms"] > 0
    assert api.get_costs(intent.id) == []


def test_a_stream_that_breaks_is_cancelled_and_its_request_failed(interface, make_adapter, client_runner, logged_events):
    adapter, owner = make_adapter(interface)
    stream = client_runner.wait(interface.stream(owner, model="broken"))

    with pytest.raises(interface.broken) as raised:
        client_runner.chunks(stream)

    events = logged_events(adapter)
    assert [kind for kind, _ in events] == ["llm_request_started", "stream_started", "stream_cancelled", "llm_request_failed"]
    assert events[2][1]["reason"] == events[3][1]["error"]
    assert type(raised.value).__name__ in events[3][1]["error"]
    assert events[2][1]["chunks_received"] == 3


@pytest.mark.parametrize("way", ["closed", "collected"])
def test_a_stream_that_is_left_before_its_end_is_cancelled(interface, way, make_adapter, client_runner, logged_events):
    adapter, owner = make_adapter(interface)
    stream = client_runner.wait(interface.stream(owner, model="slow-1"))
    client_runner.chunks(stream, most=2)

    if way == "closed":
        client_runner.wait(stream.aclose() if hasattr(stream, "aclose") and client_runner.is_async else stream.close())
    del stream
    client_runner.end_generators()

    events = logged_events(adapter)
    assert [kind for kind, _ in events] == ["llm_request_started", "stream_started", "stream_cancelled"]
    assert events[-1][1]["chunks_received"] == 2
    is_generator = interface.adapter is GeminiAdapter  # The package's own, which leaves the stream that it reads.
    assert events[-1][1]["reason"] == ("closed before its end" if way == "closed" and not is_generator else "abandoned")


def test_chunks_are_logged_at_the_interval_that_is_asked_for(interface, make_adapter, client_runner, logged_events):
    adapter, owner = make_adapter(interface, log_stream_chunks=True, chunk_log_interval=3)

    chunks = client_runner.chunks(client_runner.wait(interface.stream(owner, model=interface.model)))

    indices = [payload["chunk_index"] for kind, payload in logged_events(adapter) if kind == "stream_chunk"]
    assert indices == list(range(0, len(chunks), 3))


def test_disabled_events_are_not_logged(interface, make_adapter, client_runner, logged_events, api, intent):
    adapter, owner = make_adapter(interface, log_requests=False, log_tool_calls=False, log_streams=False, record_costs=False)

    client_runner.wait(interface.plain(owner, model=interface.model, **interface.tools))
    client_runner.chunks(client_runner.wait(interface.stream(owner, model=interface.model)))

    assert logged_events(adapter) == []
    assert api.get_costs(intent.id) == []


def test_content_can_be_kept_out_of_the_log(interface, make_adapter, client_runner, logged_events):
    adapter, owner = make_adapter(interface, log_content=False)

    client_runner.wait(interface.plain(owner, model=interface.model))
    client_runner.wait(interface.plain(owner, model=interface.model, **interface.tools))

    assert "today" not in str(logged_events(adapter))
