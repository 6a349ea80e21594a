"""The tail: it reads the log as it grows, once for the whole process, and hands it to the followers (architecture §4).

A follower gets what belongs to its topics. One that starts in the past, or does not keep up, reads the log itself until it
has caught up with the tail: its queue is short, and nothing is left out. All of this is one event loop's; an idle follower
is a future in it and holds no thread and no connection to the database.
"""

import asyncio
import logging
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from access.models import ApiKey
from access.roles import filter_live_sessions
from core.db import database_now
from core.errors import Unavailable
from core.serving.thread_pool import ThreadPool
from intents import positions, wakeups
from subscriptions.errors import TooManyStreams
from subscriptions.streams import log_reader
from subscriptions.streams.log_reader import Batch, StreamEvent, Topics
from subscriptions.streams.pages import LogPageCache, Wanted
from subscriptions.streams.tail_buffer import TailBuffer

LOOK_EVERY = 1.0  # Seconds without a ring, after which the tail looks by itself (rule S-6).
PAUSE = 0.005  # Seconds between two looks, so that a busy log is read in batches and not one by one.
CHECK_READERS_EVERY = 5.0  # Seconds (rule S-5).
SILENCE = 15.0  # Seconds, after which a follower is told that nothing has happened (rule S-1).
QUEUED = 500  # Events that wait for a follower at most,
QUEUED_BYTES = 32 * 2**10  # and their size, but for the last one.
SENT_NOW = 32 * 2**10  # Bytes that are sent past the owner of a follower at most.
WOKEN_AT_ONCE = 33  # Followers; in between, the event loop serves others,
REST = 0.001  # for so many seconds, in which threads get the interpreter's lock: each wait for the database gives it away.
ENDS_WITHIN = 3.0  # Seconds that a follower has for its last words.

log = logging.getLogger("openintent.streams")

Reader = UUID | str
"""Who reads: the id of a key, or the key of a person's session."""


class StreamEnded(Exception):
    """The stream is over; `reason` says why, in a word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Follower:
    """One reader of some topics, from a position on. Its owner asks it for what comes `next`, and sends that."""

    __slots__ = (
        "_ended", "_is_live", "_queue", "_queued_bytes", "_silent_since", "_tail", "_waiting", "abandon", "event_types",
        "position", "reader", "send_now", "topics",
    )  # fmt: skip

    def __init__(self, tail: "Tail", topics: Topics, event_types: Collection[str], after: int, reader: Reader) -> None:
        self._tail = tail
        self.topics = topics
        self.event_types = frozenset(event_types)
        self.position = after
        self.reader = reader
        self.abandon: Callable[[], object] = lambda: None
        self.send_now: Callable[[Sequence[StreamEvent]], bool] | None = None
        self._queue: deque[StreamEvent] = deque()
        self._queued_bytes = 0
        self._is_live = False
        self._ended = ""
        self._waiting: asyncio.Future[None] | None = None
        self._silent_since = 0.0

    async def next(self) -> list[StreamEvent]:
        """The events that come next, each once and in order; none after 15 s of silence. `position` is that of the last one.

        Raises Ended.
        """
        while not self._ended:
            if self._queue:
                return self._take()
            if not self._is_live:
                if found := await self._tail.catch_up(self):
                    return found
            elif await self._is_silent():
                self.position = max(self.position, self._tail.head or 0)
                return []
        raise StreamEnded(self._ended)

    def push(self, entry: StreamEvent) -> bool:
        """Take what the tail has read, if it is for this one. Answers whether there was nothing to take before.

        One that is behind drops all, and reads it in the log when its reader is ready.
        """
        if not self._is_live or entry.position <= self.position or not self._takes(entry.event_type):
            return False
        if len(self._queue) >= QUEUED or self._queued_bytes >= QUEUED_BYTES:
            self._queue.clear()
            self._queued_bytes = 0
            self._is_live = False
            return False
        self._queue.append(entry)
        self._queued_bytes += len(entry.json)
        return len(self._queue) == 1

    def catch_up(self, recent: TailBuffer, head: int) -> list[StreamEvent]:
        """Take what comes next of the recent ones; at their end, be live again."""
        found: list[StreamEvent] = []
        size = 0
        for entry in recent.since(self.position):
            if size >= QUEUED_BYTES:
                self.caught_up(entry.position - 1, is_live=False)
                return found
            if not self.topics.isdisjoint(entry.topics) and self._takes(entry.event_type):
                found.append(entry)
                size += len(entry.json)
        self.caught_up(max(self.position, head), is_live=True)
        return found

    def take_from(self, page: Batch) -> list[StreamEvent]:
        """Take what comes next of a page of the log that was read for this one's topics."""
        found: list[StreamEvent] = []
        size = 0
        for entry in page.entries:
            if size >= QUEUED_BYTES:
                self.caught_up(entry.position - 1, is_live=False)
                return found
            found.append(entry)
            size += entry.size
        self.caught_up(page.through, is_live=False)
        return found

    def caught_up(self, position: int, *, is_live: bool) -> None:
        self.position = position
        self._is_live = is_live

    def _takes(self, event_type: str) -> bool:
        return not self.event_types or event_type in self.event_types

    def wake(self) -> None:
        """Have the owner send what there is, or send it here and now: that takes a fifth of what it costs to wake a task."""
        if self._waiting and not self._waiting.done() and not self._has_sent():
            self._waiting.set_result(None)

    def _has_sent(self) -> bool:
        if self.send_now is None or not self._queue or self._queued_bytes > SENT_NOW or not self.send_now(self._queue):
            return False
        self._take()
        self._silent_since = asyncio.get_running_loop().time()
        return True

    def end(self, reason: str) -> None:
        """Say no more. The owner is told; one that does not listen is abandoned."""
        if not self._ended:
            self._ended = reason
            self.wake()
            asyncio.get_running_loop().call_later(ENDS_WITHIN, self.abandon)

    def is_waiting_since(self, moment: float) -> bool:
        return self._waiting is not None and self._silent_since <= moment

    def _take(self) -> list[StreamEvent]:
        found = [*self._queue]
        self._queue.clear()
        self._queued_bytes = 0
        self.position = found[-1].position
        return found

    async def _is_silent(self) -> bool:
        """Wait until there is something to do. Answers whether that is to break the silence."""
        loop = asyncio.get_running_loop()
        self._silent_since = loop.time()
        while self._is_live and not self._queue and not self._ended:
            self._waiting = loop.create_future()
            try:
                await self._waiting
            finally:
                self._waiting = None
            if loop.time() >= self._silent_since + SILENCE:
                break
        return self._is_live and not self._queue and not self._ended


class Tail:
    """Reads the log while somebody follows it."""

    def __init__(self) -> None:
        self.head: int | None = None
        """What has been handed out; None before the first look."""
        self._recent = TailBuffer(0)
        self._pages = LogPageCache()
        self._followers: set[Follower] = set()
        self._by_topic: defaultdict[str, set[Follower]] = defaultdict(set)
        self._by_reader: Counter[Reader] = Counter()
        self._to_wake: deque[Follower] = deque()
        self._is_waking = False
        self._is_closed = False
        self._task: asyncio.Task[None] | None = None
        self._has_looked = asyncio.Event()
        self._readers_checked = 0.0
        self._tail_thread = ThreadPool(1, "tail")
        self._catch_up_thread = ThreadPool(1, "catch-up")

    def close(self) -> None:
        """End all streams: the server stops."""
        if self._is_closed:
            return
        self._is_closed = True
        for follower in self._followers:
            follower.end("shutdown")

    def stop(self) -> None:
        self._tail_thread.close()
        self._catch_up_thread.close()

    @contextmanager
    def following(self, topics: Topics, event_types: Collection[str], after: int, reader: Reader) -> Iterator[Follower]:
        """A follower, while the block runs. Raises TooManyStreams, Unavailable."""
        if self._is_closed:
            raise Unavailable("The server is about to stop.")
        if self._by_reader[reader] >= settings.MAX_STREAMS_PER_KEY:
            raise TooManyStreams(settings.MAX_STREAMS_PER_KEY)
        follower = Follower(self, topics, event_types, after, reader)
        self._add(follower)
        try:
            yield follower
        finally:
            self._remove(follower)

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """In the thread of those who are behind, so that the tail does not wait."""
        return await self._catch_up_thread.run(_alone, function, *arguments)

    async def catch_up(self, follower: Follower) -> list[StreamEvent]:
        """What the log has next for a follower that is behind the tail."""
        await self._has_looked.wait()
        if self.head is not None and follower.position >= self._recent.after:
            return follower.catch_up(self._recent, self.head)
        wanted = (follower.topics, follower.event_types)
        try:
            page = self._pages.find(wanted, follower.position) or await self.run(self._read, wanted, follower.position)
        except Exception:  # The database is away; the stream waits for it.
            log.warning("a follower could not read the log", exc_info=True)
            await asyncio.sleep(LOOK_EVERY)
            return []
        return follower.take_from(page)

    def _read(self, wanted: Wanted, after: int) -> Batch:
        """In the thread of those who are behind, who come one by one: who comes second finds what the first has read."""
        page = self._pages.find(wanted, after)
        if page is None:
            page = log_reader.read_topics(*wanted, after)
            self._pages.keep(wanted, after, page)
        return page

    def _add(self, follower: Follower) -> None:
        self._followers.add(follower)
        self._by_reader[follower.reader] += 1
        for topic in follower.topics:
            self._by_topic[topic].add(follower)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    def _remove(self, follower: Follower) -> None:
        self._followers.discard(follower)
        self._by_reader[follower.reader] -= 1
        for topic in follower.topics:
            self._by_topic[topic].discard(follower)
            if not self._by_topic[topic]:
                del self._by_topic[topic]
        if not self._by_reader[follower.reader]:
            del self._by_reader[follower.reader]

    async def _run(self) -> None:
        ear = wakeups.AsyncListener()
        with wakeups.listen(ear.notify, wakeups.positions_assigned, wakeups.remote_positions_assigned):
            while self._followers:
                try:
                    await self._look()
                    await self._check_readers()
                except Exception:  # The database is away. What comes meanwhile is read at the next look.
                    log.warning("the tail could not read the log", exc_info=True)
                self._wake_silent()
                await asyncio.sleep(PAUSE)
                await ear.wait(LOOK_EVERY)
        self.head = None
        self._has_looked.clear()
        self._pages.clear()

    async def _look(self) -> None:
        if self.head is None:
            self.head = await self._tail_thread.run(_alone, positions.head)
            self._recent = TailBuffer(self.head)
            self._has_looked.set()
        is_full = True
        while is_full:
            batch: Batch = await self._tail_thread.run(_alone, log_reader.read_batch, self.head)
            self._hand_out(batch)
            self.head, is_full = batch.through, batch.is_full
        if not batch.entries and (newest := await self._tail_thread.run(_alone, positions.head)) < self.head:
            self._begin_anew(newest)

    def _begin_anew(self, newest: int) -> None:
        """The log has been set back, to a backup say, and what followers have heard of is no part of it: they are told, and leave."""
        log.warning("the log ends at position %d, before %s: it has been set back", newest, self.head)
        self.head, self._recent = newest, TailBuffer(newest)
        self._pages.clear()
        for follower in [*self._followers]:
            follower.end("log_reset")

    def _hand_out(self, batch: Batch) -> None:
        for entry in batch.entries:
            self._recent.keep(entry)
            heard = [followers for topic in entry.topics if (followers := self._by_topic.get(topic))]
            for follower in heard[0] if len(heard) == 1 else set().union(*heard):
                if follower.push(entry):
                    self._to_wake.append(follower)
        self._begin_to_wake()

    def _begin_to_wake(self) -> None:
        if self._to_wake and not self._is_waking:
            self._wake_some()

    def _wake_some(self) -> None:
        """Not all at once: a thousand take 20 ms, for which everybody else would have to wait."""
        for _ in range(min(WOKEN_AT_ONCE, len(self._to_wake))):
            self._to_wake.popleft().wake()
        self._is_waking = bool(self._to_wake)
        if self._is_waking:
            asyncio.get_running_loop().call_later(REST, self._wake_some)

    def _wake_silent(self) -> None:
        moment = asyncio.get_running_loop().time() - SILENCE
        self._to_wake.extend(each for each in self._followers if each.is_waiting_since(moment))
        self._begin_to_wake()

    async def _check_readers(self) -> None:
        now = asyncio.get_running_loop().time()
        if now < self._readers_checked + CHECK_READERS_EVERY:
            return
        self._readers_checked = now
        gone = await self._tail_thread.run(_alone, _gone, list(self._by_reader))
        for follower in [each for each in self._followers if each.reader in gone]:
            follower.end("key_revoked" if isinstance(follower.reader, UUID) else "signed_out")


def _gone(readers: Collection[Reader]) -> set[Reader]:
    """Those whose key, or session, is good no more."""
    sessions = {reader for reader in readers if isinstance(reader, str)}
    return _dead_keys([reader for reader in readers if isinstance(reader, UUID)]) | (sessions - filter_live_sessions(sessions))


def _dead_keys(ids: Collection[UUID]) -> set[Reader]:
    """Those that are revoked, or have expired. A key of the configuration has no row, and lives as long as the process."""
    known: set[Reader] = set(ApiKey.objects.filter(pk__in=ids).values_list("pk", flat=True))
    return known - set(ApiKey.objects.live(database_now()).filter(pk__in=ids).values_list("pk", flat=True))


def _alone(function: Callable[..., Any], *arguments: Any) -> Any:
    """In a thread that keeps its connection, where Django looks after none: close one that may be broken."""
    try:
        return function(*arguments)
    except Exception:
        connection.close()
        raise
