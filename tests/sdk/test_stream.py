"""`client.stream()` on a bad network: disconnected, silent, slow, refused (protocol K-4). The server is scripted."""

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from openintent import _stream_state

from tests.system.concurrent_clients import until

from .fake_stream_server import TIMEOUT, FakeStreamServer, HTTPListener, bye, connected, frame, next_positions, refusing, sending

pytestmark = pytest.mark.rule("K-4")


@pytest.fixture
def client(connect, stream_server):
    return connect(stream_server.url, "secret-key", "ada")


def test_stream_request_has_topic_types_and_position(client, stream_server):
    stream_server.scripts = [sending(connected(7), frame(8), keep=True)] * 5
    asked = [
        {"intent_id": "i"},
        {"portfolio_id": "p"},
        {"agent_id": "team/bot"},
        {},
        {"intent_id": "i", "event_types": ["state_patched", "comment"], "after": 7},
    ]

    for one in asked:
        with client.stream(**one) as stream:
            next(stream)

    assert stream_server.targets == [
        "/api/v1/intents/i/subscribe",
        "/api/v1/portfolios/p/subscribe",
        "/api/v1/agents/team%2Fbot/subscribe",
        "/api/v1/events/subscribe",
        "/api/v1/intents/i/subscribe?event_type=state_patched%2Ccomment",
    ]
    assert [one.get("Last-Event-ID") for one in stream_server.seen] == [None] * 4 + ["7"]
    assert {(one["X-API-Key"], one["X-Agent-ID"], one["Accept-Encoding"]) for one in stream_server.seen} == {
        ("secret-key", "ada", "identity")
    }


def test_events_arrive_as_soon_as_they_are_sent(client, stream_server):
    more = threading.Event()

    def script(reader):
        reader.begin()
        reader.send_text(connected(1))
        reader.send_text(frame(2))
        assert more.wait(TIMEOUT)
        reader.send_text(frame(3))
        reader.wait_for_disconnect()

    stream_server.scripts = [script]
    with client.stream() as stream:
        assert next(stream).position == 2  # The server sends nothing more until it has arrived.
        more.set()
        assert next(stream).position == 3


def test_stream_resumes_after_a_disconnect_without_repeats(client, stream_server):
    half = frame(5)[:40]
    stream_server.scripts = [
        sending(connected(1), frame(2), frame(3), half),
        sending(connected(3), frame(2), frame(3), frame(5), bye("shutdown"), keep=True),
        sending(connected(5), frame(5), frame(6), keep=True),
    ]

    with client.stream(after=1) as stream:
        assert next_positions(stream, 4) == [2, 3, 5, 6]

    assert [one["Last-Event-ID"] for one in stream_server.seen] == ["1", "3", "5"]


def test_disconnect_before_the_first_event_leaves_no_gap(client, stream_server):
    stream_server.scripts = [sending(connected(41)), sending(connected(41), frame(42), keep=True)]

    with client.stream() as stream:
        assert stream.position == 41
        assert next_positions(stream, 1) == [42]

    assert stream_server.seen[1]["Last-Event-ID"] == "41"


def test_heartbeats_advance_the_resume_position(client, stream_server):
    stream_server.scripts = [
        sending(connected(1), frame(2), ": nothing new\nid: 90\n\n"),
        sending(connected(90), frame(91), keep=True),
    ]

    with client.stream() as stream:
        assert next_positions(stream, 2) == [2, 91]

    assert stream_server.seen[1]["Last-Event-ID"] == "90"


def test_position_is_that_of_the_last_returned_event(client, stream_server):
    stream_server.scripts = [sending(connected(1) + frame(2) + frame(3), keep=True)]

    with client.stream() as stream:
        assert stream.position == 1
        next(stream)
        assert stream.position == 2


def test_position_advances_without_events(client, stream_server):
    more = threading.Event()

    def script(reader):
        reader.begin()
        reader.send_text(connected(1) + frame(2))
        reader.send_text(": nothing new\nid: 90\n\n")
        assert more.wait(TIMEOUT)
        reader.send_text(frame(91))
        reader.wait_for_disconnect()

    stream_server.scripts = [script]
    with client.stream() as stream, ThreadPoolExecutor() as pool:
        assert next(stream).position == 2
        waiting = pool.submit(next, stream)
        until(lambda: stream.position == 90, "its position")
        more.set()
        assert waiting.result(TIMEOUT).position == 91


def test_stream_continues_after_a_restored_backup(client, stream_server, caplog):
    stream_server.scripts = [sending(connected(50), frame(51)), sending(connected(51), frame(52), keep=True)]

    with client.stream(after=100) as stream:
        assert next_positions(stream, 2) == [51, 52]
        assert stream.position == 52

    assert "Was a backup restored?" in caplog.text


@pytest.mark.parametrize("data", ["data: {}\n", "data: 2026-01-02T03:04:05Z\n", "data:\n", ""])
def test_ping_is_no_event(client, stream_server, data):
    stream_server.scripts = [sending(connected(1), f"event: ping\n{data}\n", frame(2, "ping"), keep=True)]

    with client.stream() as stream:
        assert next_positions(stream, 1) == [2]


def test_events_named_like_frames_of_the_protocol_are_events(client, stream_server):
    stream_server.scripts = [sending(connected(1), frame(2, "bye"), frame(3, "connected"), keep=True)]

    with client.stream() as stream:
        assert [next(stream).event_type, next(stream).event_type] == ["bye", "connected"]


@pytest.mark.case("streams 16")
@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 520, 521, 524])
def test_transient_refusals_are_retried(client, stream_server, status):
    stream_server.scripts = [
        sending(connected(1)),
        refusing(status, headers={"Retry-After": "0.2"}),
        sending(connected(1), frame(2), keep=True),
    ]
    begun = time.monotonic()

    with client.stream() as stream:
        assert next_positions(stream, 1) == [2]

    assert time.monotonic() - begun >= 0.2


def test_reconnect_delay_grows_and_respects_retry_after(client, stream_server, caplog):
    caplog.set_level(logging.INFO, "openintent")
    stream_server.scripts = [
        sending(connected(1).replace("10", "40", 1)),
        *[refusing(503)] * 3,
        sending(connected(1), frame(2), keep=True),
    ]

    with client.stream() as stream:
        next(stream)

    pauses = [record.args[-1] for record in caplog.records if "reconnecting in" in record.msg]
    assert [base <= pause <= base * 1.5 for base, pause in zip([0.04, 0.08, 0.16, 0.32], pauses, strict=True)] == [True] * 4


def test_stream_waits_for_an_unavailable_server(connect, monkeypatch):
    monkeypatch.setattr(_stream_state, "INITIAL_RETRY", 0.02)
    late = FakeStreamServer(chunked=True)
    late.close()
    client = connect(late.url)

    def open_again():
        time.sleep(0.2)
        stream_server.http = HTTPListener(late.http.server_address, late.http.RequestHandlerClass)
        stream_server.thread = threading.Thread(target=stream_server.http.serve_forever, args=(0.01,))
        stream_server.thread.start()

    stream_server = late
    stream_server.scripts = [sending(connected(1), frame(2), keep=True)]
    opening = threading.Thread(target=open_again)
    opening.start()
    with client.stream() as stream:
        assert next_positions(stream, 1) == [2]
    opening.join()
    stream_server.close()


def test_a_silent_connection_is_taken_for_dead(client, stream_server, monkeypatch):
    monkeypatch.setattr(_stream_state, "SILENCE_TIMEOUT", 0.3)
    stream_server.scripts = [sending(connected(1), frame(2), keep=True), sending(connected(2), frame(3), keep=True)]

    with client.stream() as stream:
        assert next_positions(stream, 2) == [2, 3]
