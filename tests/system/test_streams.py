"""Streams while everything goes wrong: no reader misses an event, or gets one twice (rule S-3)."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest

from tests.databases import migrated_database
from tests.redis import Redis
from tests.servers import Server
from tests.system.concurrent_clients import FULL, Http, rounds, until
from tests.system.conftest import verified
from tests.system.readers import Audience, Heard, Reader, SocketReader, SseReader, Topic
from tests.system.streams import AGENTS, Holder, Until, Writer, all_running, whole_log, workers, writing
from tests.system.webhook_receiver import Hook, Unreliable, subscribe, wait_for

pytestmark = pytest.mark.full


SECONDS = 300 if FULL else 4
INTENTS, PORTFOLIOS = 20, 3
WRITERS = rounds(60, 12)
READERS = rounds(50, 12)
PROCESSES = rounds(3, 2)
WORKERS = rounds(2, 1)
"""Of each kind."""
KILL_EVERY = 20 if FULL else 2
HOLD_EVERY = 15 if FULL else 2
HELD = 3 if FULL else 1  # Seconds.
REDIS_AWAY = 15 if FULL else 1.5  # Seconds.
REGROUPINGS = ["agent_assigned", "agent_unassigned", "added_to_portfolio", "removed_from_portfolio", "held"]


@pytest.mark.rule("S-3", "S-4", "E-2", "W-2")
def test_every_reader_gets_each_event_of_its_topic_once_and_in_order(vendor, tmp_path):
    """And the receiver of webhooks each event at least once, though it fails, as everything else does now and then."""
    is_alone = vendor == "sqlite"
    database_url = migrated_database(vendor, tmp_path)
    wrong = Counter()
    with nullcontext() if is_alone else Redis() as redis, Unreliable() as receiver:
        settings = {"OPENINTENT_LOG_LEVEL": "warning"} | ({"REDIS_URL": redis.url} if redis else {})
        servers = [Server(database_url, **settings) for _ in range(1 if is_alone else PROCESSES)]
        holder = Holder(database_url)
        with all_running(servers), workers(database_url, 0 if is_alone else WORKERS, **settings), holder:
            with Http(servers[0]) as http:
                topics = make_topics(http)
                hooks = subscribe_all(http, topics, receiver)
                since = whole_log(http)[-1]["position"]
            readers = make_readers(topics, servers)
            writers = [Writer(servers, topics["intent"], topics["portfolio"]) for _ in range(WRITERS)]

            with Audience(readers) as audience:
                with writing(writers), disturbing(servers, holder, topics["intent"], redis, wrong):
                    pass
                audience.calm()
                with Http(servers[0]) as http:
                    log = whole_log(http)
                until(lambda: audience.has_failed() or all(reader.since is not None for reader in readers), "all streams open")
                expected = expectations(readers, log)
                until_complete(audience, readers, expected)
            wait_for(hooks, log, since, database_url)
            if redis:
                until(lambda: redis.connections() >= PROCESSES + WORKERS, "everybody's return to Redis")

    show(log, readers, writers, hooks, wrong)
    assert_in_order(log)
    assert {each for writer in writers for each in writer.acknowledged} <= {event["id"] for event in log}
    assert verified(database_url)["events"] == sum(1 for event in log if event["intent_id"])
    for reader, events in zip(readers, expected, strict=True):
        assert reader.heard == events, reader.topic
    assert sum(reader.cuts for reader in readers) > len(readers)
    for hook in hooks:
        assert set(hook.taken) <= hook.events(log, 0), hook.topic
    assert not [line for server in servers for line in server.log if '"level":"error"' in line]


def subscribe_all(http: Http, topics: dict[str, list[str]], receiver: Unreliable) -> list[Hook]:
    """Not to everything at once: couriers make some 80 calls a second, and everybody here has to live on two cores."""
    wanted = [("all", "", REGROUPINGS), ("portfolio", topics["portfolio"][0], REGROUPINGS), ("intent", topics["intent"][0], [])]
    return [subscribe(http, receiver, Topic(kind, pk), event_types) for kind, pk, event_types in wanted]


def make_topics(http: Http) -> dict[str, list[str]]:
    """Create the topics, by kind."""
    intents = [http.create()["id"] for _ in range(INTENTS)]
    portfolios = [http.post("/portfolios", {"name": "Launch"}).body["id"] for _ in range(PORTFOLIOS)]
    for number, intent in enumerate(intents):
        http.post(f"/portfolios/{portfolios[number % PORTFOLIOS]}/intents", {"intent_id": intent})
        http.post(f"/intents/{intent}/agents", {"agent_id": AGENTS[number % len(AGENTS)]})
    return {"intent": intents, "portfolio": portfolios, "agent": AGENTS, "all": [""]}


def make_readers(topics: dict[str, list[str]], servers: Sequence[Server]) -> list[Reader]:
    """Create readers of each kind of topic in turn; every third one starts with new events."""
    made: list[Reader] = []
    for kind in (SseReader, SocketReader):
        for number in range(READERS):
            what = ["intent", "portfolio", "agent", "all"][number % 4]
            topic = Topic(what, random.choice(topics[what]))
            made.append(kind(topic, servers, position=None if number % 3 == 2 else 0))
    return made


@contextmanager
def disturbing(
    servers: Sequence[Server], holder: Holder, intents: Sequence[str], redis: Redis | None, wrong: Counter[str]
) -> Iterator[None]:
    """Let the block, and what goes wrong, take their time; `wrong` counts it."""
    end = Until(SECONDS)
    with ThreadPoolExecutor(3) as pool:
        tasks = [
            pool.submit(kill_servers, servers, end, wrong),
            pool.submit(hold_transactions, holder, intents, end, wrong),
            pool.submit(stop_redis, redis, end, wrong),
        ]
        yield
        for each in tasks:
            each.result()


def kill_servers(servers: Sequence[Server], end: Until, wrong: Counter[str]) -> None:
    while end.sleep(KILL_EVERY):
        server = random.choice(servers)
        server.kill()
        server.start()
        wrong["kills"] += 1


def hold_transactions(holder: Holder, intents: Sequence[str], end: Until, wrong: Counter[str]) -> None:
    while end.left:
        holder.hold(random.choice(intents), HELD)
        wrong["transactions held"] += 1
        end.sleep(HOLD_EVERY)


def stop_redis(redis: Redis | None, end: Until, wrong: Counter[str]) -> None:
    """In the middle."""
    if redis:
        end.sleep((SECONDS - REDIS_AWAY) / 2)
        redis.stop()
        end.sleep(REDIS_AWAY)
        redis.start()
        wrong["Redis stopped"] += 1


def until_complete(audience: Audience, readers: Sequence[Reader], expected: Sequence[list[Heard]]) -> None:
    """Each has as many events as there are for it. What still arrives is waited for."""

    def left() -> int:
        audience.has_failed()
        return sum(max(0, len(events) - len(reader.heard)) for reader, events in zip(readers, expected, strict=True))

    while before := left():
        until(lambda: left() < before, f"{before} events of all readers")


def expectations(readers: Sequence[Reader], log: list[dict[str, Any]]) -> list[list[Heard]]:
    """Return the events that each reader should have received."""
    by_topic = {topic: [heard(event) for event in topic.events(log)] for topic in {reader.topic for reader in readers}}
    return [[each for each in by_topic[reader.topic] if each[0] > (reader.since or 0)] for reader in readers]


def heard(event: dict[str, Any]) -> Heard:
    return event["position"], event["id"], event["intent_id"], event["sequence"]


def show(
    log: list[dict[str, Any]], readers: Sequence[Reader], writers: Sequence[Writer], hooks: Sequence[Hook], wrong: Counter[str]
) -> None:
    """The figures, for docs/verification.md."""
    print(f"{len(log)} events by {len(writers)} writers in {SECONDS} s, {dict(wrong)}")
    print(f"{len(readers)} readers: {sum(len(each.heard) for each in readers)} read, {sum(each.cuts for each in readers)} cuts")
    for hook in hooks:
        failed = sum(number for (pk, _), number in hook.receiver.failed.items() if pk == hook.pk)
        calls = hook.taken.total() + failed
        print(f"webhooks ({hook.topic.kind}): {len(hook.taken)} events in {calls} calls, {failed} of which failed")


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
