"""Ends of streams: refused, revoked, closed, cancelled, garbage-collected (protocol K-4). The server is scripted."""

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

from .fake_stream_server import TIMEOUT, bye, connected, frame, next_positions, refusing, sending

pytestmark = pytest.mark.rule("K-4")


@pytest.fixture
def client(connect, stream_server):
    return connect(stream_server.url, "secret-key", "ada")


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"code": "invalid"}, ValidationError),
        (401, {"code": "unauthenticated"}, AuthenticationError),
        (403, {"code": "forbidden"}, PermissionDeniedError),
        (404, {"code": "not_found"}, NotFoundError),
        (501, {}, ServerError),
        (302, {}, OpenIntentError),
        (204, {}, OpenIntentError),
    ],
)
def test_refusal_raises_and_ends_the_stream(client, stream_server, status, body, error):
    stream_server.scripts = [refusing(status, body)]
    stream = client.stream(intent_id="i")

    with pytest.raises(error):
        next(stream)

    assert list(stream) == []


def test_a_key_that_is_revoked_meanwhile_is_an_error(client, stream_server):
    stream_server.scripts = [sending(connected(1), frame(2), bye("key_revoked")), refusing(401, {"code": "unauthenticated"})]

    with client.stream() as stream:
        next(stream)
        with pytest.raises(AuthenticationError):
            next(stream)


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (refusing(503), ServerError),
        (refusing(429), RateLimitError),
        (sending(connected(1), bye("key_revoked"), keep=True), AuthenticationError),
        (sending(connected(1), bye("shutdown"), keep=True), ConnectionFailedError),
        (sending(connected(1)), ConnectionFailedError),
        (sending(connected(1), keep=True), RequestTimeoutError),
    ],
)
def test_stream_without_reconnect_raises(client, stream_server, monkeypatch, script, error):
    monkeypatch.setattr(_stream_state, "SILENCE_TIMEOUT", 0.3)
    stream_server.scripts = [script]

    with pytest.raises(error):
        next(client.stream(reconnect=False))


def test_events_before_the_end_are_returned_before_the_error(client, stream_server):
    stream_server.scripts = [sending(connected(1) + frame(2) + frame(3) + bye("shutdown"), keep=True)]

    with client.stream(reconnect=False) as stream:
        assert next_positions(stream, 2) == [2, 3]
        with pytest.raises(ConnectionFailedError, match="shutdown"):
            next(stream)


def is_page(reader):
    reader.begin("text/html")
    reader.send_text("<html>")


@pytest.mark.parametrize(
    "script",
    [is_page, sending("data: {\n\n"), sending('event: connected\ndata: {"at":1}\n\n'), sending('data: {"event_type":1}\n\n')],
)
def test_response_outside_the_protocol_is_reported(client, stream_server, script):
    stream_server.scripts = [script]

    with pytest.raises(OpenIntentError, match="does not follow the protocol"):
        next(client.stream())


def test_leaving_the_block_ends_the_connection(client, stream_server):
    stream_server.scripts = [sending(connected(1), keep=True)]

    with client.stream() as stream:
        pass

    assert stream_server.disconnected.acquire(timeout=TIMEOUT)
    assert list(stream) == []


def test_closing_twice_or_before_starting_is_allowed(client):
    stream = client.stream()
    stream.close()
    stream.close()

    assert list(stream) == []


def test_closing_the_client_ends_its_streams(client, stream_server):
    stream_server.scripts = [sending(connected(1), keep=True)]
    with client.stream() as stream:
        client.close()

        assert list(stream) == []
    assert stream_server.disconnected.acquire(timeout=TIMEOUT)
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
def test_invalid_stream_arguments_are_rejected_at_once(client, stream_server, arguments):
    with pytest.raises(InputValidationError):
        client.stream(**arguments)

    assert stream_server.seen == []


class TestSync:
    @pytest.fixture
    def client(self, stream_server):
        with OpenIntentClient(stream_server.url) as client:
            yield client

    @pytest.mark.parametrize("waits", ["for an event", "to connect again"])
    def test_stream_can_be_closed_by_another_thread(self, client, stream_server, waits):
        at_it = threading.Event()
        second = sending(connected(1), keep=True) if waits == "for an event" else refusing(503, headers={"Retry-After": "60"})
        stream_server.scripts = [sending(connected(1)), lambda reader: (at_it.set(), second(reader))]
        stream, heard = client.stream(), []
        reading = threading.Thread(target=lambda: heard.extend(stream))
        reading.start()
        assert at_it.wait(TIMEOUT)

        stream.close()
        reading.join(TIMEOUT / 2)

        assert not reading.is_alive()
        assert heard == []

    def test_garbage_collected_stream_closes_its_connection(self, client, stream_server):
        stream_server.scripts = [sending(connected(1), frame(2), keep=True)]

        for _ in client.stream():
            break
        gc.collect()

        assert stream_server.disconnected.acquire(timeout=TIMEOUT)
        assert list(client._connections._streams) == []

    def test_streams_and_calls_share_no_connection(self, client, stream_server):
        stream_server.scripts = [sending(connected(1), frame(2), frame(3), keep=True), refusing(404, {"code": "not_found"})]
        with client.stream() as stream:
            with pytest.raises(NotFoundError):
                client.get_intent("x")

            assert isinstance(stream, EventStream)
            assert next_positions(stream, 2) == [2, 3]


class TestAsync:
    async def test_cancelling_the_waiting_task_closes_the_connection(self, stream_server):
        stream_server.scripts = [sending(connected(1), keep=True)]
        async with AsyncOpenIntentClient(stream_server.url) as client:
            stream = await client.stream().__aenter__()
            task = asyncio.ensure_future(anext(stream))
            await asyncio.sleep(0)

            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

            assert await asyncio.to_thread(stream_server.disconnected.acquire, timeout=TIMEOUT)

    async def test_timed_out_wait_can_be_continued(self, stream_server):
        stream_server.scripts = [sending(connected(1), frame(2), keep=True), sending(connected(2), frame(3), keep=True)]
        async with AsyncOpenIntentClient(stream_server.url) as client, client.stream() as stream:
            assert (await anext(stream)).position == 2
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(stream), 0.2)

            assert (await anext(stream)).position == 3
        assert stream_server.seen[1]["Last-Event-ID"] == "2"

    async def test_stream_can_be_closed_by_another_task(self, stream_server):
        stream_server.scripts = [sending(connected(1), keep=True)]
        async with AsyncOpenIntentClient(stream_server.url) as client, client.stream() as stream:
            task = asyncio.ensure_future(self.collected(stream))
            await asyncio.sleep(0.05)

            await stream.aclose()

            assert await asyncio.wait_for(task, TIMEOUT) == []
        assert await asyncio.to_thread(stream_server.disconnected.acquire, timeout=TIMEOUT)

    async def test_garbage_collected_stream_closes_its_connection(self, stream_server):
        stream_server.scripts = [sending(connected(1), frame(2), keep=True)]
        async with AsyncOpenIntentClient(stream_server.url) as client:
            async for _ in client.stream():
                break
            gc.collect()

            assert await asyncio.to_thread(stream_server.disconnected.acquire, timeout=TIMEOUT)
            assert list(client._connections._streams) == []

    async def test_any_number_of_streams_leaves_room_for_calls(self, stream_server):
        stream_server.scripts = [sending(connected(1), keep=True)] * 105 + [refusing(404, {"code": "not_found"})]
        async with AsyncOpenIntentClient(stream_server.url, timeout=10) as client:
            streams = [client.stream() for _ in range(105)]
            await asyncio.gather(*(stream.__aenter__() for stream in streams))

            with pytest.raises(NotFoundError):
                await client.get_intent("x")

    @staticmethod
    async def collected(stream):
        return [event async for event in stream]
