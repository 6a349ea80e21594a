"""What adapters log, on its way to the server: in the background, in order, in batches.

A queue belongs to an OpenIntent client and has one daemon thread, which begins with the first entry and ends when nothing has
come for a while. It sends with a client of its own, so it needs no event loop, and the caller's client may be closed.

- Entries arrive in their order, intent by intent: events first, then the costs that were put in the same moment.
- A server that is away is tried again after growing pauses; what is sent again carries the same idempotency key, so nothing
  arrives twice. Its absence is one warning.
- It holds at most LONGEST entries and LARGEST characters. While it is full, the newest entries are dropped: what is there stays
  in order and without holes. A warning says how many.
- What the server refuses is dropped, with a warning, and what comes after it goes on (`sending`).
- At the end of the process it is flushed for AT_EXIT seconds, or until a try fails, if the server is away.
- A forked child begins with an empty queue: what its parent put, the parent sends.
"""

import atexit
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, WeakSet

from .._base_client import ClientBase
from ..client import OpenIntentClient
from .sender import Away, Courier
from .sink import Entry, logger

if TYPE_CHECKING:
    from .request_recorder import Watch

LONGEST = 10_000  # Entries.
LARGEST = 32 * 2**20  # Characters, of all of them.
BATCH = 500  # Entries that are sent at a time.
LINGER = 0.1  # Seconds that the first entry waits for others.
IDLE = 10.0  # Seconds without an entry, after which the thread ends.
AT_EXIT = 5.0  # Seconds.
REMIND = 60.0  # Seconds from one warning about dropped entries to the next.


class Queue:
    """Entries, and the thread that sends them. `open` are the streams that have not ended."""

    def __init__(self, client: ClientBase) -> None:
        self._connect = _connecting(client)
        self.begin_anew()
        _queues.add(self)

    def begin_anew(self) -> None:
        """Empty, without a thread: in a new process, none of the old one's locks can be trusted."""
        self.open: set[Watch] = set()
        # Entries are put from finalizers as well, which may run at any moment, in the middle of `put` too: hence a lock that
        # its holder can take again, and a bell that can ring itself.
        self._lock = threading.RLock()
        self._bell: SimpleQueue[None] = SimpleQueue()
        self._progress = threading.Condition()
        self._entries: deque[Entry] = deque()
        self._characters = self._put = self._settled = self._dropped = 0
        self._reminded = -REMIND
        self._thread: threading.Thread | None = None
        self._is_idle = self._is_urgent = self._is_ending = False

    def put(self, entry: Entry) -> None:
        """Have an entry sent. Returns at once, whatever the server does."""
        with self._lock:
            if self._put - self._settled >= LONGEST or self._characters + entry.size > LARGEST:
                self._dropped += 1
                full = True
            else:
                self._entries.append(entry)
                self._characters += entry.size
                self._put += 1
                full = False
            wake, self._is_idle = self._is_idle, False
            if self._thread is None:
                self._start()
        if wake:
            self._bell.put(None)
        if full:
            self._say_dropped(entry)

    def flush(self, timeout: float | None) -> bool:
        """Wait until what has been put is settled; False if that takes longer."""
        target = self._put
        if self._settled >= target or threading.current_thread() is self._thread:  # The latter in `on_error`.
            return self._settled >= target
        self._is_urgent = True
        self._bell.put(None)
        with self._progress:
            return self._progress.wait_for(lambda: self._settled >= target, timeout)

    def finish(self) -> None:
        """At the end of the process."""
        for watch in list(self.open):
            watch.stream_left("the process ended")
        self._is_ending = True
        thread = self._thread
        if thread is None or not thread.is_alive():  # Late interpreters start none.
            self._deliver()
        else:
            self._bell.put(None)
            thread.join(AT_EXIT)
        if left := self._put - self._settled + self._dropped:
            logger.warning("%d entries for the OpenIntent server were not logged: the process ended.", left)

    def _start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="openintent-adapters", daemon=True)
        _running.add(self)
        _finish_in_children()
        try:
            self._thread.start()
        except RuntimeError:  # No threads left, or the interpreter is ending: the next entry tries again, or `finish` sends.
            self._thread = None

    def _run(self) -> None:
        with self._connect() as client:
            courier = Courier(client, self._pause)
            while self._has_entries():
                self._deliver_with(courier)

    def _deliver(self) -> None:
        with self._connect() as client:
            while self._entries:
                self._deliver_with(Courier(client, self._pause))

    def _has_entries(self) -> bool:
        """Wait for some. False if the thread has ended instead."""
        while True:
            with self._lock:
                if self._entries:
                    break
                if self._is_ending:
                    return self._end()
                self._is_idle = True
            if not self._hears(IDLE):
                with self._lock:
                    if not self._entries:
                        return self._end()
        if not (self._is_urgent or self._is_ending):
            self._hears(LINGER)
        return True

    def _end(self) -> bool:
        self._thread = None
        self._is_idle = False
        _running.discard(self)
        self._reminded = -REMIND
        self._remind()
        return False

    def _deliver_with(self, courier: Courier) -> None:
        with self._lock:
            entries = [self._entries.popleft() for _ in range(min(BATCH, len(self._entries)))]
        try:
            courier.deliver(entries)
        except Away:  # And the process ends.
            with self._lock:
                self._entries.clear()
            return
        except Exception:
            logger.exception("%d entries for the OpenIntent server were dropped.", len(entries))
        self._remind()
        self._settle(entries)

    def _settle(self, entries: list[Entry]) -> None:
        with self._lock:
            self._characters -= sum(entry.size for entry in entries)
            self._settled += len(entries)
            self._is_urgent = bool(self._entries) and self._is_urgent
        with self._progress:
            self._progress.notify_all()

    def _pause(self, seconds: float) -> None:
        """Before the next try. A flush shortens it; at the end of the process there is none. Raises Away then."""
        if self._is_ending:
            raise Away
        self._is_urgent = False
        self._hears(seconds)

    def _hears(self, seconds: float) -> bool:
        """Wait for the bell."""
        try:
            self._bell.get(timeout=seconds)
        except Empty:
            return False
        return True

    def _say_dropped(self, entry: Entry) -> None:
        self._remind()
        entry.log.report(OverflowError("the queue to the OpenIntent server is full"), "queueing", count=1)

    def _remind(self) -> None:
        """Warn of what was dropped since the last warning, at most once a minute."""
        with self._lock:
            now = monotonic()
            if not self._dropped or now - self._reminded < REMIND:
                return
            dropped, self._dropped, self._reminded = self._dropped, 0, now
        logger.warning("The queue to the OpenIntent server is full: %d entries were dropped.", dropped)


_queues: "WeakSet[Queue]" = WeakSet()
_running: set[Queue] = set()
"""Those with a thread, which keeps them alive until they are empty."""
_by_client: "WeakKeyDictionary[ClientBase, Queue]" = WeakKeyDictionary()
_making = threading.Lock()


def queue_of(client: ClientBase) -> Queue:
    """The queue that all adapters of this client share."""
    with _making:
        if client not in _by_client:
            _by_client[client] = Queue(client)
        return _by_client[client]


def _connecting(client: ClientBase) -> Callable[[], OpenIntentClient]:
    """Makes clients of the same server, as the same agent, but without its leases: what happened is logged even if one is lost since."""
    return partial(
        OpenIntentClient,
        client.base_url,
        client._server.identity.get("X-API-Key"),
        client.agent_id,
        timeout=client._timeout,
        connect_timeout=client._connect_timeout,
        max_tries=1,
    )


def _finish() -> None:
    for queue in list(_running):
        queue.finish()


def _finish_in_children() -> None:
    """Processes of `multiprocessing` end without `atexit`: they have finalizers of their own."""
    if (process := sys.modules.get("multiprocessing.process")) and process.parent_process():
        from multiprocessing.util import Finalize  # noqa: PLC0415

        Finalize(None, _finish, exitpriority=0)


def _begin_anew() -> None:
    global _making
    _making = threading.Lock()
    _running.clear()
    for queue in list(_queues):
        queue.begin_anew()


atexit.register(_finish)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
