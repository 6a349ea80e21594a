"""How a stream ends: refused, revoked, closed, cancelled, dropped (protocol K-4). The server here is a script."""

import asyncio
import gc
import threading

import pytest
from openintent import (
    AsyncOpenIntentClient,
    AuthenticationError,
    ConnectionFailedError,
    EventStream,
    InputValidationError,
    NotFoundError,
    OpenIntentClient,
    OpenIntentError,
    PermissionDeniedError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    ValidationError,
    _stream_state,
)

from .fake_stream_server import PATIENCE, bye, connected, frame, positions, refuses, says

pytestmark = pytest.mark.rule("K-4")


@pytest.fixture
def client(connect, stage):
    return connect(stage.url, "secret-key", "ada")


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"code": "invalid"}, ValidationError),
        (401, {"code": "unauthenticated"}, AuthenticationError),
        (403, {"code": "forbidden"}, PermissionDeniedError),
        (404, {"code": "not_found"}, NotFoundError),
        (500, {"code": "internal"}, ServerError),
        (302, {}, OpenIntentError),
        (204, {}, OpenIntentError),
    ],
)
def test_refusal_raises_and_ends_the_stream(client, stage, status, body, error):
    stage.plays = [refuses(status, body)]
    stream = client.stream(intent_id="i")

    with pytest.raises(error):
        next(stream)

    assert list(stream) == []


def test_a_key_that_is_revoked_meanwhile_is_an_error(client, stage):
    stage.plays = [says(connected(1), frame(2), bye("key_revoked")), refuses(401, {"code": "unauthenticated"})]

    with client.stream() as stream:
        next(stream)
        with pytest.raises(AuthenticationError):
            next(stream)


@pytest.mark.parametrize(
    ("play", "error"),
    [
        (refuses(503), ServerError),
        (refuses(429), RateLimitError),
        (says(connected(1), bye("key_revoked"), keep=True), AuthenticationError),
        (says(connected(1), bye("shutdown"), keep=True), ConnectionFailedError),
        (says(connected(1)), ConnectionFailedError),
        (says(connected(1), keep=True), RequestTimeoutError),
    ],
)
def test_stream_without_reconnect_raises(client, stage, monkeypatch, play, error):
    monkeypatch.setattr(_stream_state, "SILENCE_TIMEOUT", 0.3)
    stage.plays = [play]

    with pytest.raises(error):
        next(client.stream(reconnect=False))


def test_events_before_the_end_are_returned_before_the_error(client, stage):
    stage.plays = [says(connected(1) + frame(2) + frame(3) + bye("shutdown"), keep=True)]

    with client.stream(reconnect=False) as stream:
        assert positions(stream, 2) == [2, 3]
        with pytest.raises(ConnectionFailedError, match="shutdown"):
            next(stream)


def is_page(reader):
    reader.begin("text/html")
    reader.say("<html>")


@pytest.mark.parametrize(
    "play", [is_page, says("data: {\n\n"), says('event: connected\ndata: {"at":1}\n\n'), says('data: {"event_type":1}\n\n')]
)
def test_response_outside_the_protocol_is_reported(client, stage, play):
    stage.plays = [play]

    with pytest.raises(OpenIntentError, match="does not follow the protocol"):
        next(client.stream())


def test_leaving_the_block_ends_the_connection(client, stage):
    stage.plays = [says(connected(1), keep=True)]

    with client.stream() as stream:
        pass

    assert stage.left.acquire(timeout=PATIENCE)
    assert list(stream) == []


def test_closing_twice_or_before_starting_is_allowed(client):
    stream = client.stream()
    stream.close()
    stream.close()

    assert list(stream) == []


def test_closing_the_client_ends_its_streams(client, stage):
    stage.plays = [says(connected(1), keep=True)]
    with client.stream() as stream:
        client.close()

        assert list(stream) == []
    assert stage.left.acquire(timeout=PATIENCE)
    with pytest.raises(RuntimeError, match="closed"):
        client.stream()


@pytest.mark.parametrize(
    "arguments",
    [
        {"intent_id": "a", "agent_id": "b"},
        {"event_types": ["No Type"]},
        {"event_types": 5},
        {"after": -1},
        {"after": 1.5},
        {"intent_id": 7},
        {"intent_id": ""},
    ],
)
def test_invalid_stream_arguments_are_rejected_at_once(client, stage, arguments):
    with pytest.raises(InputValidationError):
        client.stream(**arguments)

    assert stage.seen == []


class TestSync:
    @pytest.fixture
    def client(self, stage):
        with OpenIntentClient(stage.url) as client:
            yield client

    @pytest.mark.parametrize("waits", ["for an event", "to connect again"])
    def test_stream_can_be_closed_by_another_thread(self, client, stage, waits):
        at_it = threading.Event()
        second = says(connected(1), keep=True) if waits == "for an event" else refuses(503, headers={"Retry-After": "60"})
        stage.plays = [says(connected(1)), lambda reader: (at_it.set(), second(reader))]
        stream, heard = client.stream(), []
        reading = threading.Thread(target=lambda: heard.extend(stream))
        reading.start()
        assert at_it.wait(PATIENCE)

        stream.close()
        reading.join(PATIENCE / 2)

        assert not reading.is_alive()
        assert heard == []

    def test_garbage_collected_stream_closes_its_connection(self, client, stage):
        stage.plays = [says(connected(1), frame(2), keep=True)]

        for _ in client.stream():
            break
        gc.collect()

        assert stage.left.acquire(timeout=PATIENCE)
        assert list(client._streams) == []

    def test_streams_and_calls_share_no_connection(self, client, stage):
        stage.plays = [says(connected(1), frame(2), frame(3), keep=True), refuses(404, {"code": "not_found"})]
        with client.stream() as stream:
            with pytest.raises(NotFoundError):
                client.get_intent("x")

            assert isinstance(stream, EventStream)
            assert positions(stream, 2) == [2, 3]


class TestAsync:
    async def test_cancelling_the_waiting_task_closes_the_connection(self, stage):
        stage.plays = [says(connected(1), keep=True)]
        async with AsyncOpenIntentClient(stage.url) as client:
            stream = await client.stream().__aenter__()
            task = asyncio.ensure_future(anext(stream))
            await asyncio.sleep(0)

            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

            assert await asyncio.to_thread(stage.left.acquire, timeout=PATIENCE)

    async def test_timed_out_wait_can_be_continued(self, stage):
        stage.plays = [says(connected(1), frame(2), keep=True), says(connected(2), frame(3), keep=True)]
        async with AsyncOpenIntentClient(stage.url) as client, client.stream() as stream:
            assert (await anext(stream)).position == 2
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(stream), 0.2)

            assert (await anext(stream)).position == 3
        assert stage.seen[1]["Last-Event-ID"] == "2"

    async def test_stream_can_be_closed_by_another_task(self, stage):
        stage.plays = [says(connected(1), keep=True)]
        async with AsyncOpenIntentClient(stage.url) as client, client.stream() as stream:
            task = asyncio.ensure_future(self.collected(stream))
            await asyncio.sleep(0.05)

            await stream.aclose()

            assert await asyncio.wait_for(task, PATIENCE) == []
        assert await asyncio.to_thread(stage.left.acquire, timeout=PATIENCE)

    async def test_garbage_collected_stream_closes_its_connection(self, stage):
        stage.plays = [says(connected(1), frame(2), keep=True)]
        async with AsyncOpenIntentClient(stage.url) as client:
            async for _ in client.stream():
                break
            gc.collect()

            assert await asyncio.to_thread(stage.left.acquire, timeout=PATIENCE)
            assert list(client._streams) == []

    async def test_any_number_of_streams_leaves_room_for_calls(self, stage):
        stage.plays = [says(connected(1), keep=True)] * 105 + [refuses(404, {"code": "not_found"})]
        async with AsyncOpenIntentClient(stage.url, timeout=10) as client:
            streams = [client.stream() for _ in range(105)]
            await asyncio.gather(*(stream.__aenter__() for stream in streams))

            with pytest.raises(NotFoundError):
                await client.get_intent("x")

    @staticmethod
    async def collected(stream):
        return [event async for event in stream]
