"""Followers who are slow, idle, too many, or no longer welcome (rules S-3, S-5)."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.client import HTTPException
from threading import Event
from typing import Any

import orjson
import psutil
import psycopg
import pytest
from websockets.exceptions import ConnectionClosed

from tests.databases import migrated_database
from tests.servers import Server, Started
from tests.subscriptions.stream_readers import Socket, Stream, answered, following, socket
from tests.system.concurrent_clients import FULL, Http, rounds, until
from tests.system.readers import Audience, Reader, SocketReader, SseReader, Topic
from tests.system.streams import Until, whole_log

pytestmark = [pytest.mark.full, pytest.mark.database("sqlite")]


SLOW = 5
"""Of each kind."""
SLOW_FOR = 60 if FULL else 0  # Seconds,
ENOUGH = 3_000  # and events: 12 MB, which no socket's buffers hold.
AT_ONCE = 20  # Events of a write.
TEXT = "x" * 2**12
MAY_GROW = 5 * 2**20  # Bytes.
STEADY = MAY_GROW / 10
WARM_UPS = 8  # At most.
TRIES = 3
IDLE = rounds(2_000, 500)
ALL = Topic("all")


@pytest.fixture(scope="module")
def server(vendor: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    database_url = migrated_database(vendor, tmp_path_factory.mktemp("slow"))
    with Started(database_url, OPENINTENT_MAX_STREAMS_PER_KEY="5000", OPENINTENT_LOG_LEVEL="warning") as running:
        yield running
        assert not [line for line in running.log if '"level":"error"' in line]


@pytest.fixture
def http(server: Server) -> Iterator[Http]:
    with Http(server) as client:
        yield client


@contextmanager
def reading(readers: Sequence[Reader]) -> Iterator[Audience]:
    """All of them follow, and nobody is cut off."""
    audience = Audience(readers)
    audience.calm()
    with audience:
        until(lambda: audience.has_failed() or all(reader.since is not None for reader in readers), "all streams open")
        yield audience


@pytest.mark.rule("S-3")
def test_readers_that_stop_reading_cost_little_memory_and_miss_nothing(server: Server, http: Http) -> None:
    intents = [http.create()["id"] for _ in range(4)]
    with falling_behind(server, intents, 1):  # Few: later ones could hide in the memory that these have left free.
        write_much(server, intents)
    with reading(attentive(server)):
        warm_up(server, intents)
        before = most_memory(server, lambda: write_much(server, intents, seconds=SLOW_FOR))
    for _ in range(TRIES):  # Whatever else the machine does can only add to it.
        with reading(attentive(server)), falling_behind(server, intents, SLOW) as readers:
            growth = most_memory(server, lambda: write_much(server, intents, seconds=SLOW_FOR)) - before
        print(f"{len(readers)} slow readers: {growth / 2**20:.1f} MiB more")
        heard_everything(server, readers)
        if growth < MAY_GROW:
            break
    assert growth < MAY_GROW


def heard_everything(server: Server, readers: Sequence[Reader]) -> None:
    """Assert that readers got all events after their start, once, in order, over one connection."""
    with Http(server) as late:  # The other connection has been idle for longer than the server keeps one.
        log = whole_log(late)
    for reader in readers:
        assert [heard[0] for heard in reader.heard] == [
            event["position"] for event in log if event["position"] > (reader.since or 0)
        ]
    assert sum(reader.cuts for reader in readers) == 0


def attentive(server: Server) -> list[Reader]:
    return [SseReader(ALL, [server], None), SocketReader(ALL, [server], None)]


@contextmanager
def falling_behind(server: Server, intents: Sequence[str], each: int) -> Iterator[list[Reader]]:
    """Readers who take nothing while the block runs, and all that there is after it."""
    may_read = Event()
    readers = [kind(ALL, [server], None, may_read=may_read) for kind in (SseReader, SocketReader) for _ in range(each)]
    with reading(readers) as audience:
        yield readers
        with Http(server) as late:
            last = newest(late, intents)
        assert all(len(reader.heard) < (last - (reader.since or 0)) / 2 for reader in readers)
        may_read.set()
        have_all = lambda: audience.has_failed() or all(reader.position == last for reader in readers)  # noqa: E731
        until(have_all, "all of it", progress=lambda: sum(len(reader.heard) for reader in readers))


def warm_up(server: Server, intents: Sequence[str]) -> None:
    """Until its threads and caches have what they keep, and it grows no more."""
    most = 0
    for _ in range(WARM_UPS):
        before, most = most, max(most, most_memory(server, lambda: write_much(server, intents)))
        if most - before < STEADY:
            return


def newest(http: Http, intents: Sequence[str]) -> int:
    """The position of the last event. The whole log in one's hands would cost the server more than all slow readers."""
    pages = [http.get(f"/intents/{intent}/events?order=desc&limit=1").body for intent in intents]
    return max(page["events"][0]["position"] for page in pages)


def write_much(server: Server, intents: Sequence[str], least: int = ENOUGH, seconds: float = 0) -> None:
    """At full rate: so many events, and for so long."""
    written, end = [0], Until(seconds)
    body = {"events": [{"event_type": "comment", "payload": {"text": TEXT}}] * AT_ONCE}

    def write(intent: str) -> None:
        with Http(server) as client:
            while written[0] < least or end.left:
                assert client.post(f"/intents/{intent}/events/batch", body).status == 201
                written[0] += AT_ONCE

    with ThreadPoolExecutor(len(intents)) as pool:
        list(pool.map(write, intents))


def most_memory(server: Server, act: Callable[[], Any]) -> int:
    """Bytes that are the server's, at most, while it is done; what it maps of a growing database's file is not its own."""
    process = psutil.Process(server.process.pid)
    most = 0
    with ThreadPoolExecutor(1) as pool:
        acting = pool.submit(act)
        while not acting.done():
            memory = process.memory_info()
            most = max(most, memory.rss - memory.shared)
            time.sleep(0.05)
        acting.result()
    return most


@pytest.mark.rule("S-3")
def test_idle_followers_hold_no_thread_and_no_connection_to_the_database(server: Server, http: Http) -> None:
    def held() -> tuple[int, int]:
        return psutil.Process(server.process.pid).num_threads(), connections(server)

    followers = [kind(ALL, [server], None) for kind in (SseReader, SocketReader) for _ in range(IDLE // 2)]
    with reading(followers):  # All threads of requests have their connections by then.
        pass
    without = held()

    with reading(followers):
        assert held() == without
        event = http.post(f"/intents/{http.create()['id']}/events", {"event_type": "comment"}).body
        until(lambda: all(reader.heard and reader.heard[-1][1] == event["id"] for reader in followers), "the event")


def connections(server: Server) -> int:
    """To the database, from whoever."""
    if server.database_url.startswith("sqlite"):
        path = server.database_url.removeprefix("sqlite:///")
        return sum(each.path == path for each in psutil.Process(server.process.pid).open_files())
    with psycopg.connect(server.database_url) as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        found = connection.execute(query).fetchone()
    assert found
    return int(found[0])


@pytest.mark.rule("S-5")
def test_a_revoked_keys_streams_end_within_10_s_also_where_nobody_reads(server: Server, http: Http) -> None:
    made = http.post("/keys", {"name": "watcher", "role": "observer"}).body
    intent = http.create()["id"]
    with ExitStack() as open_streams:
        streams = [open_streams.enter_context(following(server, "/events/subscribe", key=made["key"]))[0] for _ in range(2)]
        sockets = [open_streams.enter_context(socket(server, key=made["key"])) for _ in range(2)]
        for each in sockets:
            each.subscribe({"all": True})
        write_much(server, [intent])  # The second of each kind reads nothing of it, nor of what comes next.

        http.delete(f"/keys/{made['id']}")
        end = Until(10)
        ends = [end_of_stream(streams[0]), end_of_socket(sockets[0])]
        assert end.left > 0
        end.sleep(10)
        late = http.post(f"/intents/{intent}/events", {"event_type": "comment", "payload": {"text": "late"}}).body["id"]
        slow_ends = [end_of_stream(streams[1]), end_of_socket(sockets[1])]

    assert [bye for bye, _ in ends] == ["key_revoked", "key_revoked"]
    assert all(late not in ids for _, ids in [*ends, *slow_ends])
    assert all(len(ids) < ENOUGH for _, ids in slow_ends)


def end_of_stream(stream: Stream) -> tuple[str | None, set[str]]:
    """The reason that a `bye` gave, if there was one, and the events before."""
    ids: set[str] = set()
    try:
        while frame := stream.next():
            if frame.event == "bye":
                assert stream.next() is None
                return frame.json["reason"], ids
            if frame.event != "connected" and frame.data:
                ids.add(frame.json["id"])
    except (ConnectionError, HTTPException):  # It was cut off.
        pass
    return None, ids


def end_of_socket(reader: Socket) -> tuple[str | None, set[str]]:
    reason, ids = None, set()
    try:
        while True:
            message = reader.next()
            if message["type"] == "bye":
                reason = message["reason"]
            elif message["type"] == "event":
                ids.add(message["event"]["id"])
    except ConnectionClosed:
        return reason, ids


@pytest.mark.rule("S-1")
def test_stopping_server_ends_streams_and_does_not_wait_for_slow_ones(vendor: str, tmp_path: Any) -> None:
    server = Server(migrated_database(vendor, tmp_path)).start()
    with ExitStack() as open_streams:
        streams = [open_streams.enter_context(following(server, "/events/subscribe"))[0] for _ in range(2)]
        sockets = [open_streams.enter_context(socket(server)) for _ in range(3)]
        for each in sockets[:2]:
            each.subscribe({"all": True})
        with Http(server) as http:
            write_much(server, [http.create()["id"]])
        with ThreadPoolExecutor(3) as pool:
            began = time.monotonic()
            stopping = pool.submit(server.stop)
            ends = [pool.submit(end_of_stream, streams[0]), pool.submit(end_of_socket, sockets[0])]

            assert [end.result()[0] for end in ends] == ["shutdown", "shutdown"]
            assert stopping.result() == 0
            assert time.monotonic() - began < 15
    assert not [line for line in server.log if '"level":"error"' in line]


@pytest.mark.rule("S-5")
def test_a_key_has_no_more_streams_than_it_may_have(vendor: str, tmp_path: Any) -> None:
    with (
        Server(migrated_database(vendor, tmp_path), OPENINTENT_MAX_STREAMS_PER_KEY="3") as server,
        following(server, "/events/subscribe"),
        socket(server) as reader,
    ):
        assert reader.subscribe({"all": True})["type"] == "subscribed"
        with following(server, "/events/subscribe"):
            with answered(server, "/events/subscribe") as response:
                assert (response.status, response.headers["Retry-After"]) == (429, "5")
                assert orjson.loads(response.read())["code"] == "too_many_streams"
            refusal = reader.subscribe({"all": True})
            assert (refusal["type"], refusal["error"]["code"]) == ("error", "too_many_streams")
            with following(server, "/events/subscribe", key="agent-research-key"):
                pass  # Another key's are counted apart.

        def is_free() -> bool:
            with answered(server, "/events/subscribe") as response:
                return response.status == 200

        until(is_free, "the place of the stream that was closed")
