"""Buffer of the newest events, for followers that are slightly behind, without a database query."""

from bisect import bisect_right
from collections import deque
from itertools import islice

from subscriptions.streams.log_reader import StreamEvent

EVENTS = 500
BYTES = 2**20


class TailBuffer:
    """All events after the position `after`, up to the newest."""

    def __init__(self, after: int) -> None:
        self.after = after
        self._entries: deque[StreamEvent] = deque()
        self._bytes = 0

    def append(self, entry: StreamEvent) -> None:
        """Add the next event, and drop the oldest ones beyond the limits."""
        self._entries.append(entry)
        self._bytes += entry.size
        while len(self._entries) > EVENTS or self._bytes > BYTES:
            oldest = self._entries.popleft()
            self._bytes -= oldest.size
            self.after = oldest.position

    def since(self, position: int) -> "islice[StreamEvent]":
        """Return the events after the position, which must not be before `after`."""
        return islice(self._entries, bisect_right(self._entries, position, key=lambda entry: entry.position), None)
