"""Tail: reads new events once per process and distributes them to followers (architecture §4).

A follower gets the events of its topics. One that starts in the past, or is too slow, reads the log itself until it has
caught up with the tail: its queue is short, and no event is lost. Everything runs in one event loop; an idle follower is a
future and holds neither a thread nor a database connection.
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
from subscriptions.streams.pages import LogPageCache, Selection
from subscriptions.streams.tail_buffer import TailBuffer

POLL_EVERY = 1.0  # Seconds without a wake-up, after which the tail polls (rule S-6).
PAUSE = 0.005  # Seconds between two polls, so that a busy log is read in batches.
CHECK_READERS_EVERY = 5.0  # Seconds (rule S-5).
HEARTBEAT_EVERY = 15.0  # Seconds without an event (rule S-1).
MAX_QUEUE = 500  # Queued events of a follower,
MAX_QUEUE_BYTES = 32 * 2**10  # and their size, without the last one.
MAX_DIRECT_BYTES = 32 * 2**10  # Bytes sent directly, without waking the consumer.
WAKE_BATCH = 33  # Followers woken at once; in between, the event loop serves others,
WAKE_PAUSE = 0.001  # for so many seconds, in which threads get the GIL: each database wait releases it.
END_TIMEOUT = 3.0  # Seconds for a follower's last frame.

log = logging.getLogger("openintent.streams")

Reader = UUID | str
"""Id of a key, or key of a user's session."""


class StreamEnded(Exception):
    """End of a stream, with its reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Follower:
    """Reader of topics from a position on. A consumer calls `next` and sends the events."""

    __slots__ = (
        "_ended",
        "_idle_since",
        "_is_live",
        "_queue",
        "_queued_bytes",
        "_tail",
        "_waiting",
        "abandon",
        "event_types",
        "position",
        "reader",
        "send_now",
        "topics",
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
        self._idle_since = 0.0

    async def next(self) -> list[StreamEvent]:
        """Return the next events, each once and in order, or none after 15 s without events; `position` is that of the last.

        Raise StreamEnded at the end of the stream.
        """
        while not self._ended:
            if self._queue:
                return self._take_queue()
            if not self._is_live:
                if found := await self._tail.catch_up(self):
                    return found
            elif await self._wait_for_events():
                self.position = max(self.position, self._tail.head or 0)
                return []
        raise StreamEnded(self._ended)

    def push(self, entry: StreamEvent) -> bool:
        """Queue an event of the tail if it is selected. Return whether the queue was empty.

        A follower with a full queue drops it, and reads the log when its client is ready.
        """
        if not self._is_live or entry.position <= self.position or not self._selects(entry.event_type):
            return False
        if len(self._queue) >= MAX_QUEUE or self._queued_bytes >= MAX_QUEUE_BYTES:
            self._queue.clear()
            self._queued_bytes = 0
            self._is_live = False
            return False
        self._queue.append(entry)
        self._queued_bytes += len(entry.json)
        return len(self._queue) == 1

    def catch_up(self, buffer: TailBuffer, head: int) -> list[StreamEvent]:
        """Return the next events of the tail's buffer; at its end the follower is live again."""
        found: list[StreamEvent] = []
        size = 0
        for entry in buffer.since(self.position):
            if size >= MAX_QUEUE_BYTES:
                self.move_to(entry.position - 1, is_live=False)
                return found
            if not self.topics.isdisjoint(entry.topics) and self._selects(entry.event_type):
                found.append(entry)
                size += len(entry.json)
        self.move_to(max(self.position, head), is_live=True)
        return found

    def take_page(self, page: Batch) -> list[StreamEvent]:
        """Return the next events of a log page of its topics."""
        found: list[StreamEvent] = []
        size = 0
        for entry in page.entries:
            if size >= MAX_QUEUE_BYTES:
                self.move_to(entry.position - 1, is_live=False)
                return found
            found.append(entry)
            size += entry.size
        self.move_to(page.through, is_live=False)
        return found

    def move_to(self, position: int, *, is_live: bool) -> None:
        self.position = position
        self._is_live = is_live

    def _selects(self, event_type: str) -> bool:
        return not self.event_types or event_type in self.event_types

    def wake(self) -> None:
        """Send the queue directly, at a fifth of the cost of waking a task, or wake the consumer."""
        if not self._waiting or self._waiting.done():
            return
        if self.send_now and self._queue and self._queued_bytes <= MAX_DIRECT_BYTES and self.send_now(self._queue):
            self._take_queue()
            self._idle_since = asyncio.get_running_loop().time()
        else:
            self._waiting.set_result(None)

    def end(self, reason: str) -> None:
        """End the stream. The consumer is woken, and abandoned if it does not react."""
        if not self._ended:
            self._ended = reason
            self.wake()
            asyncio.get_running_loop().call_later(END_TIMEOUT, self.abandon)

    def is_waiting_since(self, moment: float) -> bool:
        return self._waiting is not None and self._idle_since <= moment

    def _take_queue(self) -> list[StreamEvent]:
        found = [*self._queue]
        self._queue.clear()
        self._queued_bytes = 0
        self.position = found[-1].position
        return found

    async def _wait_for_events(self) -> bool:
        """Wait for events, the end, or a heartbeat. Return whether it is a heartbeat."""
        loop = asyncio.get_running_loop()
        self._idle_since = loop.time()
        while self._is_live and not self._queue and not self._ended:
            self._waiting = loop.create_future()
            try:
                await self._waiting
            finally:
                self._waiting = None
            if loop.time() >= self._idle_since + HEARTBEAT_EVERY:
                break
        return self._is_live and not self._queue and not self._ended


class Tail:
    """Reader of new events while there are followers."""

    def __init__(self) -> None:
        self.head: int | None = None
        """Position up to which events are distributed; None before the first poll."""
        self._buffer = TailBuffer(0)
        self._pages = LogPageCache()
        self._followers: set[Follower] = set()
        self._by_topic: defaultdict[str, set[Follower]] = defaultdict(set)
        self._by_reader: Counter[Reader] = Counter()
        self._to_wake: deque[Follower] = deque()
        self._is_waking = False
        self._is_closed = False
        self._task: asyncio.Task[None] | None = None
        self._has_polled = asyncio.Event()
        self._last_check = 0.0
        self._tail_thread = ThreadPool(1, "tail")
        self._catch_up_thread = ThreadPool(1, "catch-up")

    def close(self) -> None:
        """End all streams at shutdown."""
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
        """Provide a follower while the block runs. Raise TooManyStreams at the reader's limit, Unavailable at shutdown."""
        if self._is_closed:
            raise Unavailable("The server is shutting down.")
        if self._by_reader[reader] >= settings.MAX_STREAMS_PER_KEY:
            raise TooManyStreams(settings.MAX_STREAMS_PER_KEY)
        follower = Follower(self, topics, event_types, after, reader)
        self._followers.add(follower)
        self._by_reader[reader] += 1
        for topic in topics:
            self._by_topic[topic].add(follower)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        try:
            yield follower
        finally:
            self._followers.discard(follower)
            self._by_reader[reader] -= 1
            if not self._by_reader[reader]:
                del self._by_reader[reader]
            for topic in topics:
                self._by_topic[topic].discard(follower)
                if not self._by_topic[topic]:
                    del self._by_topic[topic]

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Run a function in the catch-up thread, so that the tail does not wait."""
        return await self._catch_up_thread.run(_with_connection, function, *arguments)

    async def catch_up(self, follower: Follower) -> list[StreamEvent]:
        """Return the next events for a follower that is behind the tail."""
        await self._has_polled.wait()
        if self.head is not None and follower.position >= self._buffer.after:
            return follower.catch_up(self._buffer, self.head)
        selection = (follower.topics, follower.event_types)
        try:
            page = self._pages.find(selection, follower.position) or await self.run(self._read, selection, follower.position)
        except Exception:  # The database is unavailable; the stream waits for it.
            log.warning("a follower could not read the log", exc_info=True)
            await asyncio.sleep(POLL_EVERY)
            return []
        return follower.take_page(page)

    def _read(self, selection: Selection, after: int) -> Batch:
        """Read a page in the catch-up thread. Calls are serial, so that a second follower finds the first one's page."""
        page = self._pages.find(selection, after)
        if page is None:
            page = log_reader.read_topics(*selection, after)
            self._pages.keep(selection, after, page)
        return page

    async def _run(self) -> None:
        listener = wakeups.AsyncListener()
        with wakeups.listen(listener.notify, wakeups.positions_assigned, wakeups.remote_positions_assigned):
            while self._followers:
                try:
                    await self._poll()
                    now = asyncio.get_running_loop().time()
                    if now >= self._last_check + CHECK_READERS_EVERY:
                        self._last_check = now
                        invalid = await self._tail_thread.run(_with_connection, _invalid_readers, list(self._by_reader))
                        for follower in [each for each in self._followers if each.reader in invalid]:
                            follower.end("key_revoked" if isinstance(follower.reader, UUID) else "signed_out")
                except Exception:  # The database is unavailable. New events are read at the next poll.
                    log.warning("the tail could not read the log", exc_info=True)
                silent_since = asyncio.get_running_loop().time() - HEARTBEAT_EVERY
                self._to_wake.extend(each for each in self._followers if each.is_waiting_since(silent_since))
                self._start_waking()
                await asyncio.sleep(PAUSE)
                await listener.wait(POLL_EVERY)
        self.head = None
        self._has_polled.clear()
        self._pages.clear()

    async def _poll(self) -> None:
        if self.head is None:
            self.head = await self._tail_thread.run(_with_connection, positions.head)
            self._buffer = TailBuffer(self.head)
            self._has_polled.set()
        is_full = True
        while is_full:
            batch: Batch = await self._tail_thread.run(_with_connection, log_reader.read_batch, self.head)
            for entry in batch.entries:
                self._buffer.append(entry)
                groups = [followers for topic in entry.topics if (followers := self._by_topic.get(topic))]
                for follower in groups[0] if len(groups) == 1 else set().union(*groups):
                    if follower.push(entry):
                        self._to_wake.append(follower)
            self._start_waking()
            self.head, is_full = batch.through, batch.is_full
        if not batch.entries and (newest := await self._tail_thread.run(_with_connection, positions.head)) < self.head:
            # It was reset, to a backup for example, and lacks events that followers have received.
            log.warning("the log ends at position %d, before %s: it has been reset", newest, self.head)
            self.head, self._buffer = newest, TailBuffer(newest)
            self._pages.clear()
            for follower in [*self._followers]:
                follower.end("log_reset")

    def _start_waking(self) -> None:
        if self._to_wake and not self._is_waking:
            self._wake_batch()

    def _wake_batch(self) -> None:
        """Wake a batch of followers: a thousand at once would block the event loop for 20 ms."""
        for _ in range(min(WAKE_BATCH, len(self._to_wake))):
            self._to_wake.popleft().wake()
        self._is_waking = bool(self._to_wake)
        if self._is_waking:
            asyncio.get_running_loop().call_later(WAKE_PAUSE, self._wake_batch)


def _invalid_readers(readers: Collection[Reader]) -> set[Reader]:
    """Return the readers whose key or session is no longer valid. Configured keys have no row, and always are."""
    keys = ApiKey.objects.filter(pk__in=[reader for reader in readers if isinstance(reader, UUID)])
    known = set(keys.values_list("pk", flat=True))
    live = set(keys.filter(pk__in=ApiKey.objects.live(database_now())).values_list("pk", flat=True))
    sessions = {reader for reader in readers if isinstance(reader, str)}
    return (known - live) | (sessions - filter_live_sessions(sessions))


def _with_connection(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a thread whose connection Django does not manage: close it after an error."""
    try:
        return function(*arguments)
    except Exception:
        connection.close()
        raise
