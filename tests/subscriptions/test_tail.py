"""The tail and its followers, on a log in memory that grows while they read (rules S-1, S-3, S-5)."""

import asyncio
import random
from contextlib import ExitStack
from uuid import uuid4

import pytest

from core.errors import Unavailable
from intents import positions, wakeups
from subscriptions.errors import TooManyStreams
from subscriptions.streams import log_reader, tail
from subscriptions.streams.log_reader import Batch
from subscriptions.streams.tail import StreamEnded, Tail

KEY = uuid4()
ONE, OTHER, ALL = frozenset({"intent:1"}), frozenset({"intent:2"}), frozenset({"all"})


class Entry:
    def __init__(self, position: int, topic: str, size: int = 10) -> None:
        self.position = position
        self.event_type = "comment" if position % 3 else "note"
        self.topics = frozenset({topic, "all"})
        self.json = b"x" * size
        self.size = size


class Log:
    """Events that are committed one by one. It is read as the real one is, in small steps."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.reads = 0
        self.is_away = False

    def grow(self, topic: str = "intent:1", count: int = 1, size: int = 10) -> None:
        self.entries += [Entry(len(self.entries) + number, topic, size) for number in range(1, count + 1)]
        wakeups.positions_assigned.notify()

    def head(self) -> int:
        if self.is_away:
            raise OSError("the database is away")
        return len(self.entries)

    def everything(self, after: int) -> Batch:
        found = self.entries[after : min(after + log_reader.BATCH, self.head())]
        return Batch(found, after + len(found), is_full=len(found) == log_reader.BATCH)

    def of_topics(self, wanted, event_types, after) -> Batch:
        self.reads += 1
        newest = self.head()
        through = min(newest, after + 5)
        found = [each for each in self.entries[after:through] if self.belongs(each, wanted, event_types)]
        return Batch(found, through)

    @staticmethod
    def belongs(entry: Entry, wanted, event_types) -> bool:
        return bool(wanted & entry.topics) and (not event_types or entry.event_type in event_types)

    def positions(self, wanted, event_types=(), after: int = 0) -> list[int]:
        return [each.position for each in self.entries[after:] if self.belongs(each, wanted, event_types)]


@pytest.fixture
def log(monkeypatch):
    made = Log()
    monkeypatch.setattr(log_reader, "BATCH", 7)
    monkeypatch.setattr(positions, "head", made.head)
    monkeypatch.setattr(log_reader, "read_batch", made.everything)
    monkeypatch.setattr(log_reader, "read_topics", made.of_topics)
    monkeypatch.setattr(tail, "_invalid_readers", lambda readers: set())
    return made


@pytest.fixture
def followed(log):
    made = Tail()
    yield made
    made.stop()


async def heard(follower, count: int) -> list[int]:
    found: list[int] = []
    async with asyncio.timeout(20):
        while len(found) < count:
            found += [entry.position for entry in await follower.next()]
    return found


@pytest.mark.rule("S-2", "S-3")
async def test_a_log_that_is_set_back_ends_the_streams_and_is_followed_anew(log, followed, monkeypatch):
    monkeypatch.setattr(tail, "POLL_EVERY", 0.01)
    log.grow(count=20)
    with followed.following(ONE, (), 0, KEY) as follower, followed.following(OTHER, (), 20, uuid4()) as silent:
        assert await heard(follower, 20) == log.positions(ONE)
        waiting = [asyncio.ensure_future(each.next()) for each in (follower, silent)]
        while not follower._is_live:
            await asyncio.sleep(0.01)
        log.entries = []
        log.grow("intent:2", count=5)
        for each in waiting:
            with pytest.raises(StreamEnded, match="log_reset"):
                await each
        with followed.following(ONE | OTHER, (), 0, KEY) as again:
            log.grow(count=3)
            assert await heard(again, 8) == list(range(1, 9))


@pytest.mark.rule("S-3")
async def test_readers_that_are_behind_at_the_same_place_read_the_log_once(log, followed):
    log.grow(count=200)
    log.grow("intent:2", count=200)

    async def read(after: int) -> list[int]:
        with followed.following(ONE, (), after, KEY) as follower:
            return await heard(follower, 200 - after)

    assert await read(0) == log.positions(ONE)
    alone, log.reads = log.reads, 0
    followed._pages.clear()
    places = [0] * 30 + [1, 3, 50, 77, 123] * 6  # Pages need not begin where a reader stands.
    for after, found in zip(places, await asyncio.gather(*map(read, places)), strict=True):
        assert found == log.positions(ONE, after=after)
    assert log.reads <= alone + 5  # Those that begin elsewhere may come before a page that reaches them is kept.


@pytest.mark.rule("S-3")
@pytest.mark.parametrize("seed", range(10))
async def test_each_follower_gets_each_of_its_events_once_and_in_order(log, followed, seed, monkeypatch):
    chance = random.Random(seed)
    monkeypatch.setattr(tail, "MAX_QUEUE", chance.choice([1, 3, 500]))
    monkeypatch.setattr(tail, "PAUSE", 0)
    monkeypatch.setattr(tail, "POLL_EVERY", 0.02)
    monkeypatch.setattr(tail, "HEARTBEAT_EVERY", 0.05)  # What ends the wait of a reader for whom nothing more comes.
    log.grow(count=chance.randrange(20))
    total = 300

    async def grow() -> None:
        while len(log.entries) < total:
            log.grow(chance.choice(["intent:1", "intent:2"]), count=min(chance.choice([1, 2, 30]), total - len(log.entries)))
            await asyncio.sleep(chance.choice([0, 0, 0.001]))

    async def read() -> None:
        wanted = chance.choice([ONE, OTHER, ALL, ONE | OTHER])
        types = chance.choice([(), ("note",)])
        position = start = chance.randrange(len(log.entries) + 1)
        got: list[int] = []
        while position < total:
            with followed.following(wanted, types, position, KEY) as follower:
                for _ in range(chance.randrange(1, 30)):  # Then it is cut, and resumes.
                    if position >= total or (len(log.entries) == total and got == log.positions(wanted, types, start)):
                        return
                    async with asyncio.timeout(20):
                        got += [entry.position for entry in await follower.next()]
                    position = follower.position
                    if chance.random() < 0.2:
                        await asyncio.sleep(0.002)
        assert got == log.positions(wanted, types, start)

    async with asyncio.TaskGroup() as group:
        group.create_task(grow())
        for _ in range(20):
            group.create_task(read())


@pytest.mark.rule("S-3")
async def test_slow_follower_has_a_bounded_queue_and_gets_all_events(log, followed):
    with followed.following(ONE, (), 0, KEY) as slow, followed.following(ONE, (), 0, KEY) as quick:
        log.grow()
        assert await heard(slow, 1) == await heard(quick, 1) == [1]

        for _ in range(10):
            log.grow(count=50, size=tail.MAX_QUEUE_BYTES // 100)
            await heard(quick, 50)
            assert sum(len(entry.json) for entry in slow._queue) <= tail.MAX_QUEUE_BYTES

        assert await heard(slow, 500) == list(range(2, 502))


@pytest.mark.rule("S-3")
@pytest.mark.rule("S-6")
async def test_without_a_ring_the_tail_looks_by_itself(log, followed, monkeypatch):
    monkeypatch.setattr(tail, "POLL_EVERY", 0.05)
    with followed.following(ONE, (), 0, KEY) as follower:
        log.grow()
        await heard(follower, 1)

        log.entries.append(Entry(2, "intent:1"))

        assert await heard(follower, 1) == [2]


@pytest.mark.rule("S-3")
async def test_a_ring_of_another_process_is_heard(log, followed, monkeypatch):
    monkeypatch.setattr(tail, "POLL_EVERY", 1000)
    with followed.following(ONE, (), 0, KEY) as follower:
        log.grow()
        await heard(follower, 1)

        log.entries.append(Entry(2, "intent:1"))
        wakeups.remote_positions_assigned.notify()

        assert await heard(follower, 1) == [2]


@pytest.mark.rule("S-3")
async def test_a_database_that_goes_away_costs_time_and_no_event(log, followed, monkeypatch):
    monkeypatch.setattr(tail, "POLL_EVERY", 0.02)
    with followed.following(ONE, (), 0, KEY) as live, followed.following(ONE, (), 0, KEY) as behind:
        log.grow()
        assert await heard(live, 1) == [1]
        log.is_away = True
        log.grow(count=3)
        reading_on = asyncio.create_task(heard(behind, 4))
        await asyncio.sleep(0.1)
        assert not reading_on.done()

        log.is_away = False

        assert await heard(live, 3) == [2, 3, 4]
        assert await reading_on == [1, 2, 3, 4]


@pytest.mark.rule("S-1")
async def test_silence_is_broken_with_the_position_that_the_log_has_come_to(log, followed, monkeypatch):
    monkeypatch.setattr(tail, "HEARTBEAT_EVERY", 0.05)
    monkeypatch.setattr(tail, "POLL_EVERY", 0.01)
    with followed.following(ONE, (), 0, KEY) as follower:
        log.grow(count=3)
        await heard(follower, 3)
        log.grow("intent:2", count=4)  # Nothing of its own.

        async with asyncio.timeout(20):
            while follower.position < 7:
                assert await follower.next() == []

        log.grow()
        assert await heard(follower, 1) == [8]


@pytest.mark.rule("S-1")
async def test_an_event_of_others_is_no_reason_to_break_the_silence(log, followed):
    with followed.following(ONE, ("note",), 0, KEY) as follower, followed.following(ALL, (), 0, KEY) as other:
        log.grow(count=3)
        assert await heard(follower, 1) == [3]
        silent = asyncio.create_task(follower.next())

        log.grow(count=2)
        log.grow("intent:2", count=5)
        await heard(other, 10)

        assert not silent.done()
        silent.cancel()


@pytest.mark.rule("S-1")
async def test_when_the_server_stops_each_stream_ends_and_none_begins(followed):
    with followed.following(ONE, (), 0, KEY) as follower:
        reading_on = asyncio.create_task(follower.next())
        await asyncio.sleep(0)
        followed.close()

        with pytest.raises(StreamEnded) as ended:
            await reading_on
    assert ended.value.reason == "shutdown"
    with pytest.raises(Unavailable), followed.following(ONE, (), 0, KEY):
        pass


@pytest.mark.rule("S-5")
async def test_the_streams_of_a_dead_key_end_and_those_of_others_do_not(log, followed, monkeypatch):
    dead = uuid4()
    monkeypatch.setattr(tail, "CHECK_READERS_EVERY", 0)
    monkeypatch.setattr(tail, "POLL_EVERY", 0.01)
    monkeypatch.setattr(tail, "END_TIMEOUT", 0.01)
    abandoned = asyncio.Event()
    with followed.following(ONE, (), 0, dead) as one, followed.following(ONE, (), 0, KEY) as other:
        one.abandon = abandoned.set
        monkeypatch.setattr(tail, "_invalid_readers", lambda readers: {dead} & set(readers))

        async with asyncio.timeout(20):
            with pytest.raises(StreamEnded) as ended:
                await one.next()
            await abandoned.wait()  # For a reader that is busy sending, and does not ask what comes next.
        log.grow()

        assert ended.value.reason == "key_revoked"
        assert await heard(other, 1) == [1]


def test_a_key_has_so_many_streams_and_no_more(followed, settings):
    settings.MAX_STREAMS_PER_KEY = 2

    async def open_three() -> None:
        with ExitStack() as opened:
            for _ in range(2):
                opened.enter_context(followed.following(ONE, (), 0, KEY))
            with pytest.raises(TooManyStreams):
                opened.enter_context(followed.following(ONE, (), 0, KEY))
            opened.enter_context(followed.following(ONE, (), 0, uuid4()))
        with followed.following(ONE, (), 0, KEY):
            pass

    asyncio.run(open_three())


async def test_without_followers_nothing_is_read_and_nothing_is_kept(log, followed, monkeypatch):
    monkeypatch.setattr(tail, "POLL_EVERY", 0.01)
    for _ in range(2):
        with followed.following(ONE, (), 0, KEY) as follower:
            log.grow()
            await heard(follower, 1)
        async with asyncio.timeout(20):
            await followed._task
        assert followed.head is None
        assert not any([followed._followers, followed._by_topic, followed._by_reader])
        log.entries.clear()
