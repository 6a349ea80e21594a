"""Event queue of the adapters: sends in the background, in order and in batches.

A queue belongs to an OpenIntent client and has one daemon thread, which starts with the first entry and ends after an idle
time. It sends with a client of its own, so it needs no event loop, and the caller's client may be closed.

- Entries arrive in their order, intent by intent: events first, then the costs that were put at the same time.
- While the server is unavailable, it is retried after growing pauses; retries carry the same idempotency key, so nothing
  arrives twice. An outage is one warning.
- It holds at most MAX_ENTRIES entries and MAX_CHARACTERS characters. While it is full, the newest entries are dropped: the others
  stay in order and without gaps. A warning has their number.
- Entries that the server rejects are dropped, with a warning, and later ones are sent all the same (`sender`).
- At the end of the process it is flushed for AT_EXIT seconds, or until a try fails if the server is unavailable.
- A forked child starts with an empty queue: the parent sends the parent's entries.
"""

import atexit
import os
import sys
import threading
from collections import deque
from functools import partial
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from .._base_client import ClientBase
from ..client import OpenIntentClient
from .sender import BatchSender, ServerUnavailable
from .sink import OpenStream, QueuedCall, logger

MAX_ENTRIES = 10_000
MAX_CHARACTERS = 32 * 2**20  # Of all entries together.
BATCH_SIZE = 500  # Entries that are sent at a time.
LINGER = 0.1  # Seconds that the first entry waits for others.
IDLE_TIMEOUT = 10.0  # Seconds without an entry, after which the thread ends.
AT_EXIT = 5.0  # Seconds.
WARN_INTERVAL = 60.0  # Seconds from one warning about dropped entries to the next.


class EventQueue:
    """Queued calls, and the thread that sends them.

    `open_streams` are the streams that have not ended, `unfinished` the requests whose responses the provider makes in the
    background, by the id under which they can be retrieved.
    """

    def __init__(self, client: ClientBase) -> None:
        self._connect = partial(  # The same server and agent, without its leases: events are logged even if one is lost.
            OpenIntentClient,
            client.base_url,
            client._server.identity.get("X-API-Key"),
            client.agent_id,
            timeout=client._timeout,
            connect_timeout=client._connect_timeout,
            max_tries=1,
        )
        self.reset()
        _queues.add(self)

    def reset(self) -> None:
        """Make it empty, without a thread: in a new process, none of the old one's locks can be trusted."""
        self.open_streams: set[OpenStream] = set()
        self.unfinished: dict[str, Any] = {}
        # Entries are put from finalizers as well, which may run at any moment, in the middle of `put` too: hence a lock that
        # its holder can take again, and a wake-up that can be sent while it is being handled.
        self._lock = threading.RLock()
        self._wakeups: SimpleQueue[None] = SimpleQueue()
        self._progress = threading.Condition()
        self._entries: deque[QueuedCall] = deque()
        self._characters = self._put_count = self._done_count = self._dropped = 0
        self._warned_at = -WARN_INTERVAL
        self._thread: threading.Thread | None = None
        self._is_idle = self._is_urgent = self._is_ending = False

    def hold(self, response_id: str, request: Any) -> None:
        """Keep a request until its response is retrieved; beyond MAX_ENTRIES the oldest is forgotten."""
        self.unfinished[response_id] = request
        if len(self.unfinished) > MAX_ENTRIES:
            self.unfinished.pop(next(iter(self.unfinished)), None)

    def put(self, entry: QueuedCall) -> None:
        """Queue an entry. Returns at once, whatever the server does."""
        with self._lock:
            is_full = self._put_count - self._done_count >= MAX_ENTRIES or self._characters + entry.size > MAX_CHARACTERS
            if is_full:
                self._dropped += 1
            else:
                self._entries.append(entry)
                self._characters += entry.size
                self._put_count += 1
            wake, self._is_idle = self._is_idle, False
            if self._thread is None:
                self._start_thread()
        if wake:
            self._wakeups.put(None)
        if is_full:
            self._warn_of_drops()
            entry.sink.report(OverflowError("the queue to the OpenIntent server is full"), "queueing", count=1)

    def flush(self, timeout: float | None) -> bool:
        """Wait until the queued entries are sent or dropped; return False if that takes longer."""
        target = self._put_count
        if self._done_count >= target or threading.current_thread() is self._thread:  # The latter in `on_error`.
            return self._done_count >= target
        self._is_urgent = True
        self._wakeups.put(None)
        with self._progress:
            return self._progress.wait_for(lambda: self._done_count >= target, timeout)

    def drain(self) -> None:
        """Send what is left, at the end of the process."""
        for stream in list(self.open_streams):
            stream.record_stream_left("the process ended")
        self._is_ending = True
        thread = self._thread
        if thread is None or not thread.is_alive():  # An interpreter that is ending starts none.
            with self._connect() as client:
                while self._entries:
                    self._send_next(BatchSender(client, self._pause))
        else:
            self._wakeups.put(None)
            thread.join(AT_EXIT)
        if left := self._put_count - self._done_count + self._dropped:
            logger.warning("%d entries for the OpenIntent server were not sent: the process ended.", left)

    def _start_thread(self) -> None:
        self._thread = threading.Thread(target=self._run, name="openintent-adapters", daemon=True)
        _running.add(self)
        if (process := sys.modules.get("multiprocessing.process")) and process.parent_process():
            from multiprocessing.util import Finalize  # noqa: PLC0415

            Finalize(None, _drain_all, exitpriority=0)  # The processes of `multiprocessing` end without `atexit`.
        try:
            self._thread.start()
        except RuntimeError:  # No threads left, or the interpreter is ending: the next entry tries again, or `drain` sends.
            self._thread = None

    def _run(self) -> None:
        with self._connect() as client:
            sender = BatchSender(client, self._pause)
            while self._wait_for_entries():
                self._send_next(sender)

    def _wait_for_entries(self) -> bool:
        """Wait for entries. Return False if the thread has ended instead."""
        while True:
            with self._lock:
                if self._entries:
                    break
                if self._is_ending:
                    return self._end_thread()
                self._is_idle = True
            if not self._wait(IDLE_TIMEOUT):
                with self._lock:
                    if not self._entries:
                        return self._end_thread()
        if not (self._is_urgent or self._is_ending):
            self._wait(LINGER)
        return True

    def _end_thread(self) -> bool:
        self._thread = None
        self._is_idle = False
        _running.discard(self)
        self._warned_at = -WARN_INTERVAL
        self._warn_of_drops()
        return False

    def _send_next(self, sender: BatchSender) -> None:
        with self._lock:
            entries = [self._entries.popleft() for _ in range(min(BATCH_SIZE, len(self._entries)))]
        try:
            sender.send(entries)
        except ServerUnavailable:  # The process ends.
            with self._lock:
                self._entries.clear()
            return
        except Exception:
            logger.exception("%d entries for the OpenIntent server were dropped.", len(entries))
        self._warn_of_drops()
        with self._lock:
            self._characters -= sum(entry.size for entry in entries)
            self._done_count += len(entries)
            self._is_urgent = bool(self._entries) and self._is_urgent
        with self._progress:
            self._progress.notify_all()

    def _pause(self, seconds: float) -> None:
        """Wait before the next try, or until a flush. Raise ServerUnavailable at the end of the process."""
        if self._is_ending:
            raise ServerUnavailable
        self._is_urgent = False
        self._wait(seconds)

    def _wait(self, seconds: float) -> bool:
        """Wait for a wake-up. Return whether there was one."""
        try:
            self._wakeups.get(timeout=seconds)
        except Empty:
            return False
        return True

    def _warn_of_drops(self) -> None:
        """Log the number of entries dropped since the last warning, at most once a minute."""
        with self._lock:
            now = monotonic()
            if not self._dropped or now - self._warned_at < WARN_INTERVAL:
                return
            dropped, self._dropped, self._warned_at = self._dropped, 0, now
        logger.warning("The queue to the OpenIntent server is full: %d entries were dropped.", dropped)


_queues: "WeakSet[EventQueue]" = WeakSet()
_running: set[EventQueue] = set()
"""Queues with a thread, which keeps them alive until they are empty."""
_by_client: "WeakKeyDictionary[ClientBase, EventQueue]" = WeakKeyDictionary()
_lock = threading.Lock()


def get_queue(client: ClientBase) -> EventQueue:
    """Return the queue that all adapters of this client share."""
    with _lock:
        if client not in _by_client:
            _by_client[client] = EventQueue(client)
        return _by_client[client]


def _drain_all() -> None:
    for queue in list(_running):
        queue.drain()


def _reset_after_fork() -> None:
    global _lock
    _lock = threading.Lock()
    _running.clear()
    for queue in list(_queues):
        queue.reset()


atexit.register(_drain_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_after_fork)
