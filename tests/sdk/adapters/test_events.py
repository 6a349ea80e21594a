"""What adapters log: the table "Events Logged by Adapters", with the providers' own packages and a live server (K-6)."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from .interfaces import ANSWER, ARGUMENTS, CALL_TOKENS, INTERFACES, TOKENS

REQUEST = ["llm_request_started", "llm_request_completed"]
STREAM = ["llm_request_started", "stream_started", "stream_completed", "llm_request_completed"]

pytestmark = [
    pytest.mark.rule("K-6"),
    pytest.mark.parametrize("interface", INTERFACES, ids=lambda each: each.name),
]


def priced(interface, tokens_in, tokens_out):
    if interface.usd is None:
        return tokens_in + tokens_out, "tokens"
    price_in, price_out = map(Decimal, interface.usd)
    return (tokens_in * price_in + tokens_out * price_out) / 1_000_000, "USD"


def test_a_request_is_logged_with_its_answer_and_its_cost(interface, adapted, player, told, api, intent):
    begun = datetime.now(UTC)
    adapter, owner = adapted(interface)

    answer = player.wait(interface.plain(owner, model=interface.model))

    assert interface.text(answer) == ANSWER
    (started, asked), (completed, got) = told(adapter)
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


def test_a_stream_is_logged_from_its_beginning_to_its_end(interface, adapted, player, told, api, intent):
    adapter, owner = adapted(interface)

    chunks = player.chunks(player.wait(interface.stream(owner, model=interface.model)))

    assert "".join(interface.piece(chunk) or "" for chunk in chunks) == ANSWER
    events = told(adapter)
    assert [kind for kind, _ in events] == STREAM
    (_, asked), (_, opened), (_, ended), (_, got) = events
    assert asked["stream"] is True
    assert opened["stream_id"] == ended["stream_id"] == asked["request_id"] == got["request_id"]
    assert (ended["chunks_received"], ended["tokens_streamed"]) == (len(chunks), TOKENS[1])
    assert (got["response_content"], got["finish_reason"], got["total_tokens"]) == (ANSWER, interface.finish, sum(TOKENS))
    assert [(cost.amount, cost.unit) for cost in api.get_costs(intent.id)] == [priced(interface, *TOKENS)]


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
def test_tool_calls_are_logged(interface, streams, adapted, player, told, api, intent):
    adapter, owner = adapted(interface)

    if streams:
        player.chunks(player.wait(interface.stream(owner, model=interface.model, **interface.tools)))
    else:
        player.wait(interface.plain(owner, model=interface.model, **interface.tools))

    events = told(adapter)
    assert [kind for kind, _ in events] == [*(STREAM if streams else REQUEST), "tool_call_started"]
    assert events[0][1]["tools_available"] == ["get_weather"]
    assert events[-2][1]["finish_reason"] == interface.finish_of_call
    call = events[-1][1]
    assert (call["tool_name"], call["arguments"]) == ("get_weather", ARGUMENTS)
    assert (call["provider"], call["model"]) == (adapter.provider, interface.model)
    assert call["tool_id"]
    assert [(cost.amount, cost.unit) for cost in api.get_costs(intent.id)] == [priced(interface, TOKENS[0], CALL_TOKENS)]


@pytest.mark.parametrize("streams", [False, True], ids=["whole", "streamed"])
def test_provider_error_is_raised_unchanged_and_logged(interface, streams, adapted, player, told, api, intent):
    adapter, owner = adapted(interface)
    ask = interface.stream if streams else interface.plain

    with pytest.raises(interface.error) as raised:
        player.chunks(player.wait(ask(owner, model="error-429")))

    assert "You asked for 429." in str(raised.value)
    (started, _), (failed, said) = told(adapter)
    assert (started, failed) == ("llm_request_started", "llm_request_failed")
    assert said["error"].startswith(f"{type(raised.value).__name__}: ")
    assert "You asked for 429." in said["error"]
    assert said["duration_ms"] > 0
    assert api.get_costs(intent.id) == []


def test_a_stream_that_breaks_is_cancelled_and_its_request_failed(interface, adapted, player, told):
    adapter, owner = adapted(interface)
    stream = player.wait(interface.stream(owner, model="broken"))

    with pytest.raises(interface.broken) as raised:
        player.chunks(stream)

    events = told(adapter)
    assert [kind for kind, _ in events] == ["llm_request_started", "stream_started", "stream_cancelled", "llm_request_failed"]
    assert events[2][1]["reason"] == events[3][1]["error"]
    assert type(raised.value).__name__ in events[3][1]["error"]
    assert events[2][1]["chunks_received"] == 3


@pytest.mark.parametrize("way", ["closed", "collected"])
def test_a_stream_that_is_left_before_its_end_is_cancelled(interface, way, adapted, player, told):
    adapter, owner = adapted(interface)
    stream = player.wait(interface.stream(owner, model="slow-1"))
    player.chunks(stream, most=2)

    if way == "closed":
        player.wait(stream.aclose() if hasattr(stream, "aclose") and player.is_async else stream.close())
    del stream

    events = told(adapter)
    assert [kind for kind, _ in events] == ["llm_request_started", "stream_started", "stream_cancelled"]
    assert events[-1][1]["chunks_received"] == 2
    assert events[-1][1]["reason"] == ("closed before its end" if way == "closed" else "abandoned")


def test_chunks_are_logged_at_the_interval_that_is_asked_for(interface, adapted, player, told):
    adapter, owner = adapted(interface, log_stream_chunks=True, chunk_log_interval=3)

    chunks = player.chunks(player.wait(interface.stream(owner, model=interface.model)))

    indices = [payload["chunk_index"] for kind, payload in told(adapter) if kind == "stream_chunk"]
    assert indices == list(range(0, len(chunks), 3))


def test_disabled_events_are_not_logged(interface, adapted, player, told, api, intent):
    adapter, owner = adapted(interface, log_requests=False, log_tool_calls=False, log_streams=False, record_costs=False)

    player.wait(interface.plain(owner, model=interface.model, **interface.tools))
    player.chunks(player.wait(interface.stream(owner, model=interface.model)))

    assert told(adapter) == []
    assert api.get_costs(intent.id) == []


def test_content_can_be_kept_out_of_the_log(interface, adapted, player, told):
    adapter, owner = adapted(interface, log_content=False)

    player.wait(interface.plain(owner, model=interface.model))
    player.wait(interface.plain(owner, model=interface.model, **interface.tools))

    assert "today" not in str(told(adapter))
