"""Streams while everything goes wrong: no reader misses an event, or gets one twice (rule S-3)."""

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from tests.databases import migrated_database
from tests.servers import Server
from tests.system.conftest import verified
from tests.system.crowd import FULL, Http, rounds, until
from tests.system.readers import Audience, Heard, Reader, SocketReader, SseReader, Topic
from tests.system.streams import AGENTS, Holder, Until, Writer, all_running, whole_log, workers, writing

SECONDS = 300 if FULL else 5
INTENTS, PORTFOLIOS = 20, 3
WRITERS = rounds(60, 12)
READERS = rounds(50, 12)
PROCESSES = rounds(3, 2)
WORKERS = rounds(2, 1)
"""Of each kind."""
KILL_EVERY = 20 if FULL else 3
HOLD_EVERY = 15 if FULL else 2
HELD = 3 if FULL else 1  # Seconds.


@pytest.mark.rule("S-3", "S-4", "E-2")
def test_every_reader_gets_each_event_of_its_topic_once_and_in_order(vendor, tmp_path):
    database_url = migrated_database(vendor, tmp_path)
    servers = [Server(database_url, OPENINTENT_LOG_LEVEL="warning") for _ in range(PROCESSES if vendor == "postgresql" else 1)]
    with all_running(servers), workers(database_url, WORKERS if vendor == "postgresql" else 0):
        with Http(servers[0]) as http:
            topics = make_topics(http)
        readers = make_readers(topics, servers)
        writers = [Writer(servers, topics["intent"], topics["portfolio"]) for _ in range(WRITERS)]

        with Audience(readers) as audience:
            with writing(writers), disturbing(servers, database_url, topics["intent"]):
                pass
            audience.calm()
            with Http(servers[0]) as http:
                log = whole_log(http)
            until(lambda: audience.has_failed() or all(reader.since is not None for reader in readers), "all streams open")
            whole = [(reader, expected(reader, log)) for reader in readers]
            until(lambda: audience.has_failed() or not any(behind(reader, events) for reader, events in whole), "all events")

    assert_in_order(log)
    assert {each for writer in writers for each in writer.acknowledged} <= {event["id"] for event in log}
    assert verified(database_url)["events"] == sum(1 for event in log if event["intent_id"])
    for reader, events in whole:
        assert reader.heard == events, reader.topic
    assert sum(reader.cuts for reader in readers) > len(readers)


def make_topics(http: Http) -> dict[str, list[str]]:
    """What there is to follow, by kind."""
    intents = [http.create()["id"] for _ in range(INTENTS)]
    portfolios = [http.post("/portfolios", {"name": "Launch"}).body["id"] for _ in range(PORTFOLIOS)]
    for number, intent in enumerate(intents):
        http.post(f"/portfolios/{portfolios[number % PORTFOLIOS]}/intents", {"intent_id": intent})
        http.post(f"/intents/{intent}/agents", {"agent_id": AGENTS[number % len(AGENTS)]})
    return {"intent": intents, "portfolio": portfolios, "agent": AGENTS, "all": [""]}


def make_readers(topics: dict[str, list[str]], servers: Sequence[Server]) -> list[Reader]:
    """Of each kind of topic by turns; every third one begins with what is new."""
    made: list[Reader] = []
    for kind in (SseReader, SocketReader):
        for number in range(READERS):
            what = ["intent", "portfolio", "agent", "all"][number % 4]
            topic = Topic(what, random.choice(topics[what]))
            made.append(kind(topic, servers, position=None if number % 3 == 2 else 0))
    return made


@contextmanager
def disturbing(servers: Sequence[Server], database_url: str, intents: Sequence[str]) -> Iterator[None]:
    """Let the block, and what goes wrong, take their time."""
    end = Until(SECONDS)
    with ThreadPoolExecutor(2) as pool:
        wrong = [pool.submit(kill_servers, servers, end), pool.submit(hold_transactions, database_url, intents, end)]
        yield
        for each in wrong:
            each.result()


def kill_servers(servers: Sequence[Server], end: Until) -> None:
    while end.sleep(KILL_EVERY):
        server = random.choice(servers)
        server.kill()
        server.start()


def hold_transactions(database_url: str, intents: Sequence[str], end: Until) -> None:
    with Holder(database_url) as holder:
        while True:
            holder.hold(random.choice(intents), HELD)
            if not end.sleep(HOLD_EVERY):
                return


def behind(reader: Reader, events: Sequence[Heard]) -> bool:
    return len(reader.heard) < len(events)


def expected(reader: Reader, log: list[dict[str, Any]]) -> list[Heard]:
    since = reader.since or 0
    belongs = [event for event in reader.topic.events(log) if event["position"] > since]
    return [(event["position"], event["id"], event["intent_id"], event["sequence"]) for event in belongs]


def assert_in_order(log: list[dict[str, Any]]) -> None:
    """Positions grow, and with them each intent's sequence, without a gap (rule E-2)."""
    positions = [event["position"] for event in log]
    assert positions == sorted(set(positions))
    sequences = defaultdict(list)
    for event in log:
        if event["intent_id"]:
            sequences[event["intent_id"]].append(event["sequence"])
    for found in sequences.values():
        assert found == list(range(1, len(found) + 1))
