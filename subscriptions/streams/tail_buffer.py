"""The end of the log in memory, for followers that are a little behind: without a look at the database, and at one stroke."""

from bisect import bisect_right
from collections import deque
from itertools import islice

from subscriptions.streams.log_reader import StreamEvent

EVENTS = 500
BYTES = 2**20


class TailBuffer:
    """All events after the position `after`, up to the newest that was kept."""

    def __init__(self, after: int) -> None:
        self.after = after
        self._entries: deque[StreamEvent] = deque()
        self._bytes = 0

    def keep(self, entry: StreamEvent) -> None:
        """Add the next one. The oldest go, once there are too many."""
        self._entries.append(entry)
        self._bytes += entry.size
        while len(self._entries) > EVENTS or self._bytes > BYTES:
            oldest = self._entries.popleft()
            self._bytes -= oldest.size
            self.after = oldest.position

    def since(self, position: int) -> "islice[StreamEvent]":
        """Those after the position, which must not lie before `after`."""
        return islice(self._entries, bisect_right(self._entries, position, key=lambda entry: entry.position), None)
