"""Usage is recorded in every ending that carries it: raw responses, responses in the background, tool runners, answers that cannot be parsed."""

import inspect

import openai
import pydantic
import pytest
from anthropic import beta_async_tool, beta_tool
from openintent.adapters import AdapterConfig

from .interfaces import CHAT, GEMINI, MESSAGES, MESSAGES_OF_ANTHROPIC, RESPONSES
from .scripted_provider import Script, ScriptedProvider
from .streams import CHAT_ROWS, COMPLETED, COUNTED, CREATED, INPUT, LAST, MESSAGES_ROWS, USAGE, answer, part, partial

REQUEST = ["llm_request_started", "llm_request_completed"]
FAILED = ["llm_request_started", "llm_request_failed"]
STREAM = ["llm_request_started", "stream_started", "stream_completed", "llm_request_completed"]
CHAT_STREAM = CHAT_ROWS[0].script
RESPONSES_STREAM = Script((CREATED, COMPLETED))

pytestmark = [pytest.mark.rule("K-6"), pytest.mark.database("sqlite")]


def completion(content, finish="stop", **members):
    whole = {"id": "c", "object": "chat.completion", "created": 1, "model": "gpt-4o", "usage": USAGE}
    message = {"role": "assistant", "content": content}
    return Script({**whole, "choices": [{"index": 0, "message": message, "finish_reason": finish}], **members})


def message(content, stop="end_turn", **members):
    whole = {"id": "m", "type": "message", "role": "assistant", "model": "claude-opus-5", "content": content, "stop_reason": stop}
    return Script({**whole, "stop_sequence": None, "usage": {"input_tokens": 4, "output_tokens": 6}, **members})


@pytest.fixture(scope="module")
def scripted():
    with ScriptedProvider() as running:
        yield running


@pytest.fixture
def play(scripted, client_runner, server, intent):
    """Returns `play(interface, *scripts)`: an adapter whose provider sends these, and a bare client whose provider does the same."""

    def play(interface, *scripts):
        clients = [interface.connect(scripted.play(*scripts), client_runner.is_async) for _ in range(2)]
        client_runner.closing += clients
        openintent = client_runner.openintent(server.url)
        return interface.adapter(clients[0], openintent, intent.id, AdapterConfig()), clients[1]

    return play


@pytest.fixture
def run(client_runner):
    """Runs a function that may be asynchronous, and returns its result."""
    return lambda function, *arguments: client_runner.wait(function(*arguments))


@pytest.fixture
def logged(logged_events, api, intent):
    """Returns kinds of events, and the total tokens of each cost."""

    def logged(adapter):
        kinds = [kind for kind, _ in logged_events(adapter)]
        return kinds, [cost.metadata["total_tokens"] for cost in api.get_costs(intent.id)]

    return logged


def is_async(client):
    return inspect.iscoroutinefunction(inspect.unwrap(client.chat.completions.create))


# Raw responses
@pytest.mark.case("streams 10")
@pytest.mark.parametrize("at", ["resource", "client"])
def test_a_raw_response_is_recorded(at, play, run, logged):
    adapter, bare = play(CHAT, completion("Hello"))

    def ask(client):
        of = client.chat.completions.with_raw_response if at == "resource" else client.with_raw_response.chat.completions
        return of.create(model="gpt-4o", messages=MESSAGES)

    seen, expected = run(ask, adapter), run(ask, bare)

    assert type(seen) is type(expected)
    assert (seen.parse(), seen.text) == (expected.parse(), expected.text)
    assert logged(adapter) == (REQUEST, [10])


@pytest.mark.case("streams 10")
def test_a_raw_stream_is_recorded_as_it_is_read(play, run, client_runner, logged):
    adapter, bare = play(CHAT, CHAT_STREAM)

    def ask(client):
        return client.chat.completions.with_raw_response.create(model="gpt-4o", messages=MESSAGES, stream=True)

    seen, expected = (client_runner.chunks(run(ask, client).parse()) for client in (adapter, bare))

    assert seen == expected
    assert logged(adapter) == (STREAM, [10])


@pytest.mark.case("streams 10")
@pytest.mark.parametrize("way", ["parse", "json", "lines", "unread"])
def test_a_streaming_response_is_recorded_where_it_can_be_read(way, play, client_runner, logged, api, intent):
    adapter, bare = play(CHAT, completion("Hello"))

    def ask(client):
        return client.chat.completions.with_streaming_response.create(model="gpt-4o", messages=MESSAGES)

    def use(response):
        if way == "lines":
            return lines(response, client_runner.is_async)
        return response.status_code if way == "unread" else getattr(response, way)()

    seen, expected = (client_runner.within(ask(client), use) for client in (adapter, bare))

    assert seen == expected
    is_known = way in {"parse", "json"}
    assert logged(adapter) == (REQUEST, [10 if is_known else 0])
    assert api.get_costs(intent.id)[0].metadata.get("incomplete", False) is not is_known


def lines(response, is_async):
    async def collect():
        return [line async for line in response.iter_lines()]

    return collect() if is_async else list(response.iter_lines())


@pytest.mark.case("streams 10")
def test_raw_messages_are_recorded(play, run, client_runner, logged):
    adapter, bare = play(MESSAGES_OF_ANTHROPIC, message([{"type": "text", "text": "Hello"}]))

    def ask(client):
        return client.messages.with_raw_response.create(model="claude-opus-5", max_tokens=9, messages=MESSAGES)

    seen, expected = (run(run(ask, client).parse) for client in (adapter, bare))

    assert seen == expected
    assert logged(adapter) == (REQUEST, [10])


# Answers that cannot be parsed
class City(pydantic.BaseModel):
    name: str


@pytest.mark.parametrize(
    ("content", "finish", "error"),
    [
        ('{"nam', "length", openai.LengthFinishReasonError),
        ('{"nam', "stop", pydantic.ValidationError),
        ("no", "content_filter", openai.ContentFilterFinishReasonError),
    ],
    ids=["length", "validation", "filter"],
)
def test_usage_of_an_answer_that_cannot_be_parsed_is_recorded(content, finish, error, play, run, logged):
    adapter, bare = play(CHAT, completion(content, finish))

    def ask(client):
        return client.chat.completions.parse(model="gpt-4o", messages=MESSAGES, response_format=City)

    for client in adapter, bare:
        with pytest.raises(error):
            run(ask, client)

    assert logged(adapter) == (FAILED, [10])


def test_usage_of_a_message_that_cannot_be_parsed_is_recorded(play, run, logged):
    adapter, _ = play(MESSAGES_OF_ANTHROPIC, message([{"type": "text", "text": '{"nam'}]))

    with pytest.raises(pydantic.ValidationError):
        run(lambda: adapter.messages.parse(model="claude-opus-5", max_tokens=9, messages=MESSAGES, output_format=City))

    assert logged(adapter) == (FAILED, [10])


def stream_chat(client):
    return client.chat.completions.stream(model="gpt-4o", messages=MESSAGES)


def stream_response(client):
    return client.responses.stream(model="gpt-4o", input="Hi")


def stream_messages(client):
    return client.messages.stream(model="claude-opus-5", max_tokens=9, messages=MESSAGES)


@pytest.mark.parametrize(
    ("interface", "script", "ask", "final"),
    [
        (CHAT, CHAT_STREAM, stream_chat, "get_final_completion"),
        (RESPONSES, RESPONSES_STREAM, stream_response, "get_final_response"),
        (MESSAGES_OF_ANTHROPIC, MESSAGES_ROWS[0].script, stream_messages, "get_final_message"),
    ],
    ids=["chat", "responses", "messages"],
)
@pytest.mark.parametrize("most", [None, 1], ids=["whole", "left"])
def test_stream_helpers_are_the_packages_own(interface, script, ask, final, most, play, client_runner, logged):
    adapter, bare = play(interface, script)

    async def read_async(stream):
        seen = [event async for event in stream] if most is None else [await anext(stream)]
        return seen, None if most else await getattr(stream, final)(), type(stream)

    def read(stream):
        seen = list(stream) if most is None else [next(stream)]
        return seen, None if most else getattr(stream, final)(), type(stream)

    seen, expected = (client_runner.within(ask(each), read_async if client_runner.is_async else read) for each in (adapter, bare))

    assert seen == expected
    kinds, tokens = logged(adapter)
    assert kinds == (["llm_request_started", "stream_started", "stream_cancelled"] if most else STREAM)
    assert most or tokens == [10]


@pytest.mark.case("streams 8")
def test_functions_that_gemini_calls_are_seen_and_recorded(play, run, client_runner, logged):
    turns = partial({"functionCall": {"name": "get_city", "args": {}}}, finish="STOP", usage=COUNTED), LAST
    adapter, bare = play(GEMINI, *map(Script, turns))

    def ask(client):
        models = GEMINI.owner(client, client_runner.is_async).models
        return models.generate_content(model="gemini-2.5-flash", contents="Hi", config={"tools": [get_city]})

    assert run(ask, adapter) == run(ask, bare)
    assert logged(adapter) == ([*REQUEST, "tool_call_started", *REQUEST], [10, 10])


def get_city() -> str:
    """The city."""
    return "Rome"


# Responses in the background
TEXT = {"type": "output_text", "text": "Hello", "annotations": []}
HELLO = {"id": "m", "type": "message", "role": "assistant", "status": "completed", "content": [TEXT]}
QUEUED, DONE = Script(answer("queued", None, background=True)), Script(answer(background=True))


@pytest.mark.case("streams 9")
def test_a_response_in_the_background_is_recorded_once_it_is_finished(play, run, logged, api, intent):
    adapter, _ = play(RESPONSES, QUEUED, Script(answer("in_progress", None, background=True)), DONE, DONE)

    assert run(lambda: adapter.responses.create(model="gpt-4o", input="Hi", background=True)).status == "queued"
    assert logged(adapter) == (REQUEST[:1], [])
    assert run(adapter.responses.retrieve, "r").status == "in_progress"
    assert logged(adapter) == (REQUEST[:1], [])
    assert run(adapter.responses.retrieve, "r").status == run(adapter.responses.retrieve, "r").status == "completed"

    assert logged(adapter) == (REQUEST, [10])
    started, completed = [event.payload for event in api.get_events(intent.id) if event.event_type in REQUEST]
    assert (started["request_id"], completed["finish_reason"]) == (completed["request_id"], "completed")


@pytest.mark.case("streams 9")
def test_a_response_that_is_not_of_the_background_is_not_counted_again(play, run, client_runner, logged):
    adapter, _ = play(RESPONSES, Script(answer()), Script(answer()), RESPONSES_STREAM)

    run(lambda: adapter.responses.create(model="gpt-4o", input="Hi"))
    run(adapter.responses.retrieve, "r")
    client_runner.within(adapter.responses.stream(response_id="r"), lambda stream: stream.until_done())

    assert logged(adapter) == (REQUEST, [10])


@pytest.mark.case("streams 9")
def test_text_of_a_background_stream_that_was_cut_is_logged_once(play, run, client_runner, logged_events):
    created = {"type": "response.created", "sequence_number": 0, "response": answer("queued", None, background=True)}
    adapter, _ = play(RESPONSES, Script((created, part("Hel"))), Script(answer(background=True, output=[HELLO])))

    stream = run(lambda: adapter.responses.create(model="gpt-4o", input="Hi", background=True, stream=True))
    client_runner.chunks(stream, most=2)
    run(stream.close)
    run(adapter.responses.retrieve, "r")

    assert [payload.get("response_content") for kind, payload in logged_events(adapter)][-1] == "Hello"


@pytest.mark.case("streams 9")
@pytest.mark.parametrize("way", ["retrieve", "stream"])
def test_a_background_stream_that_was_cut_is_counted_when_resumed(way, play, run, client_runner, logged):
    created = {"type": "response.created", "sequence_number": 0, "response": answer("queued", None, background=True)}
    adapter, _ = play(RESPONSES, Script((created,), is_cut=True), RESPONSES_STREAM)

    with pytest.raises(Exception, match=r"peer closed|Connection error|incomplete"):
        client_runner.chunks(run(lambda: adapter.responses.create(model="gpt-4o", input="Hi", background=True, stream=True)))
    if way == "retrieve":
        client_runner.chunks(run(lambda: adapter.responses.retrieve("r", stream=True)))
    else:
        client_runner.within(adapter.responses.stream(response_id="r"), lambda stream: stream.until_done())

    events = ["llm_request_started", "stream_started", "stream_cancelled", *STREAM[1:]]
    assert logged(adapter) == (events, [10])


@pytest.mark.case("streams 9")
def test_a_background_response_survives_failures_to_follow_it(play, run, client_runner, logged):
    created = {"type": "response.created", "sequence_number": 0, "response": answer("queued", None, background=True)}
    cut = Script((created,), is_cut=True)
    adapter, _ = play(RESPONSES, cut, cut, DONE)

    for asked in {"model": "gpt-4o", "input": "Hi", "background": True}, {"response_id": "r"}:
        with pytest.raises(openai.APIConnectionError):
            client_runner.within(adapter.responses.stream(**asked), lambda stream: stream.until_done())
    run(adapter.responses.retrieve, "r")

    cancelled = ["stream_started", "stream_cancelled"]
    assert logged(adapter) == (["llm_request_started", *cancelled, *cancelled, "llm_request_completed"], [10])


@pytest.mark.case("streams 11")
def test_compaction_and_the_beta_of_responses_are_recorded(play, run, logged, api, intent):
    compacted = {"id": "c", "object": "response.compaction", "created_at": 1, "output": [], "usage": INPUT}
    adapter, bare = play(RESPONSES, Script(compacted), Script(answer()))

    def ask(client):
        yield client.responses.compact(model="gpt-4o", input="Hi")
        yield client.beta.responses.create(model="gpt-4o", input="Hi")

    assert [run(lambda each=each: each) for each in ask(adapter)] == [run(lambda each=each: each) for each in ask(bare)]
    assert logged(adapter) == (REQUEST * 2, [10, 10])


# Tool runners
@beta_tool
def get_weather(city: str) -> str:
    """The weather in a city."""
    return f"Sun in {city}"


@beta_async_tool(name="get_weather")
async def get_weather_async(city: str) -> str:
    """The weather in a city."""
    return f"Sun in {city}"


TOOL_CALL = {"type": "tool_use", "id": "t", "name": "get_weather", "input": {"city": "Rome"}}


@pytest.mark.case("streams 8")
def test_the_requests_of_a_tool_runner_are_recorded(play, run, client_runner, logged):
    turns = message([TOOL_CALL], "tool_use"), message([{"type": "text", "text": "Sun"}])
    adapter, bare = play(MESSAGES_OF_ANTHROPIC, *turns)

    def ask(client):
        tools = [get_weather_async if client_runner.is_async else get_weather]
        runner = client.beta.messages.tool_runner(model="claude-opus-5", max_tokens=9, messages=MESSAGES, tools=tools)
        return runner.until_done()

    assert run(ask, adapter) == run(ask, bare)
    assert logged(adapter) == ([*REQUEST, "tool_call_started", *REQUEST], [10, 10])


# Requests without a model
@pytest.mark.case("streams 38")
def test_a_request_without_a_model_takes_that_of_its_response(play, run, logged_events, api, intent):
    adapter, _ = play(RESPONSES, Script(answer()))

    run(lambda: adapter.responses.create(prompt={"id": "pmpt_1"}))

    assert [payload["model"] for _, payload in logged_events(adapter)] == ["unknown", "gpt-4o"]
    assert [(cost.model, cost.unit) for cost in api.get_costs(intent.id)] == [("gpt-4o", "USD")]
