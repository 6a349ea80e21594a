"""`client.stream()` as the network makes it: cut off, silent, slow, refused (protocol K-4). The server here is a script."""

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from openintent import _stream_state

from tests.system.crowd import until

from .fake_stream_server import PATIENCE, Listener, Stage, bye, connected, frame, positions, refuses, says

pytestmark = pytest.mark.rule("K-4")


@pytest.fixture
def client(connect, stage):
    return connect(stage.url, "secret-key", "ada")


def test_stream_request_has_topic_types_and_position(client, stage):
    stage.plays = [says(connected(7), frame(8), keep=True)] * 5
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

    assert stage.targets == [
        "/api/v1/intents/i/subscribe",
        "/api/v1/portfolios/p/subscribe",
        "/api/v1/agents/team%2Fbot/subscribe",
        "/api/v1/events/subscribe",
        "/api/v1/intents/i/subscribe?event_type=state_patched%2Ccomment",
    ]
    assert [one.get("Last-Event-ID") for one in stage.seen] == [None] * 4 + ["7"]
    assert {(one["X-API-Key"], one["X-Agent-ID"], one["Accept-Encoding"]) for one in stage.seen} == {
        ("secret-key", "ada", "identity")
    }


def test_events_arrive_as_soon_as_they_are_sent(client, stage):
    more = threading.Event()

    def play(reader):
        reader.begin()
        reader.say(connected(1))
        reader.say(frame(2))
        assert more.wait(PATIENCE)
        reader.say(frame(3))
        reader.until_left()

    stage.plays = [play]
    with client.stream() as stream:
        assert next(stream).position == 2  # The server sends nothing more until it has arrived.
        more.set()
        assert next(stream).position == 3


def test_stream_resumes_after_a_disconnect_without_repeats(client, stage):
    half = frame(5)[:40]
    stage.plays = [
        says(connected(1), frame(2), frame(3), half),
        says(connected(3), frame(2), frame(3), frame(5), bye("shutdown"), keep=True),
        says(connected(5), frame(5), frame(6), keep=True),
    ]

    with client.stream(after=1) as stream:
        assert positions(stream, 4) == [2, 3, 5, 6]

    assert [one["Last-Event-ID"] for one in stage.seen] == ["1", "3", "5"]


def test_disconnect_before_the_first_event_leaves_no_gap(client, stage):
    stage.plays = [says(connected(41)), says(connected(41), frame(42), keep=True)]

    with client.stream() as stream:
        assert stream.position == 41
        assert positions(stream, 1) == [42]

    assert stage.seen[1]["Last-Event-ID"] == "41"


def test_heartbeats_advance_the_resume_position(client, stage):
    stage.plays = [says(connected(1), frame(2), ": nothing new\nid: 90\n\n"), says(connected(90), frame(91), keep=True)]

    with client.stream() as stream:
        assert positions(stream, 2) == [2, 91]

    assert stage.seen[1]["Last-Event-ID"] == "90"


def test_position_is_that_of_the_last_returned_event(client, stage):
    stage.plays = [says(connected(1) + frame(2) + frame(3), keep=True)]

    with client.stream() as stream:
        assert stream.position == 1
        next(stream)
        assert stream.position == 2


def test_position_advances_without_events(client, stage):
    more = threading.Event()

    def play(reader):
        reader.begin()
        reader.say(connected(1) + frame(2))
        reader.say(": nothing new\nid: 90\n\n")
        assert more.wait(PATIENCE)
        reader.say(frame(91))
        reader.until_left()

    stage.plays = [play]
    with client.stream() as stream, ThreadPoolExecutor() as pool:
        assert next(stream).position == 2
        waiting = pool.submit(next, stream)
        until(lambda: stream.position == 90, "its position")
        more.set()
        assert waiting.result(PATIENCE).position == 91


def test_shrunk_log_is_warned_of(client, stage, caplog):
    stage.plays = [says(connected(50), frame(51), frame(101), keep=True)]

    with client.stream(after=100) as stream:
        assert positions(stream, 1) == [101]

    assert "Was a backup restored?" in caplog.text


def test_events_named_like_frames_of_the_protocol_are_events(client, stage):
    stage.plays = [says(connected(1), frame(2, "bye"), frame(3, "connected"), keep=True)]

    with client.stream() as stream:
        assert [next(stream).event_type, next(stream).event_type] == ["bye", "connected"]


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_transient_refusals_are_retried(client, stage, status):
    stage.plays = [says(connected(1)), refuses(status, headers={"Retry-After": "0.2"}), says(connected(1), frame(2), keep=True)]
    begun = time.monotonic()

    with client.stream() as stream:
        assert positions(stream, 1) == [2]

    assert time.monotonic() - begun >= 0.2


def test_reconnect_delay_grows_and_respects_retry_after(client, stage, caplog):
    caplog.set_level(logging.INFO, "openintent")
    stage.plays = [says(connected(1).replace("10", "40", 1)), *[refuses(503)] * 3, says(connected(1), frame(2), keep=True)]

    with client.stream() as stream:
        next(stream)

    pauses = [record.args[-1] for record in caplog.records if "reconnecting in" in record.msg]
    assert [base <= pause <= base * 1.5 for base, pause in zip([0.04, 0.08, 0.16, 0.32], pauses, strict=True)] == [True] * 4


def test_stream_waits_for_an_unavailable_server(connect, monkeypatch):
    monkeypatch.setattr(_stream_state, "INITIAL_RETRY", 0.02)
    late = Stage(chunked=True)
    late.close()
    client = connect(late.url)

    def open_again():
        time.sleep(0.2)
        stage.http = Listener(late.http.server_address, late.http.RequestHandlerClass)
        stage.thread = threading.Thread(target=stage.http.serve_forever, args=(0.01,))
        stage.thread.start()

    stage = late
    stage.plays = [says(connected(1), frame(2), keep=True)]
    opening = threading.Thread(target=open_again)
    opening.start()
    with client.stream() as stream:
        assert positions(stream, 1) == [2]
    opening.join()
    stage.close()


def test_a_silent_connection_is_taken_for_dead(client, stage, monkeypatch):
    monkeypatch.setattr(_stream_state, "SILENCE_TIMEOUT", 0.3)
    stage.plays = [says(connected(1), frame(2), keep=True), says(connected(2), frame(3), keep=True)]

    with client.stream() as stream:
        assert positions(stream, 2) == [2, 3]
