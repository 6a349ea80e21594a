"""Pages of the log that were read for a reader, kept for others at the same place: a thousand that come back at once read it once.

What is kept stays true: the log only grows, and what belongs to a topic depends on the log alone.
"""

import threading
from bisect import bisect_right, insort
from collections import OrderedDict, defaultdict
from itertools import islice

from subscriptions.streams.log_reader import Batch, StreamEvent, Topics

BYTES = 2 * 2**20  # Of all pages together, but for the last one.
OF_A_PAGE, OF_AN_ENTRY = 500, 500  # Bytes that each takes besides what its events say.

Wanted = tuple[Topics, frozenset[str]]
"""Topics, and the types of their events; none: all types."""


class LogPageCache:
    """For any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pages: OrderedDict[tuple[Wanted, int], Batch] = OrderedDict()
        self._begins: defaultdict[Wanted, list[int]] = defaultdict(list)
        self._bytes = 0

    def keep(self, wanted: Wanted, after: int, page: Batch) -> None:
        """Add what the log has after the position. What nobody asked for lately goes, once there is too much."""
        with self._lock:
            if page.through <= after or (wanted, after) in self._pages:
                return
            self._pages[wanted, after] = page
            insort(self._begins[wanted], after)
            self._bytes += _size(page)
            while self._bytes > BYTES and len(self._pages) > 1:
                self._forget(*next(iter(self._pages)))

    def find(self, wanted: Wanted, position: int) -> Batch | None:
        """What a page has after the position, where one reaches beyond it."""
        with self._lock:
            begins = self._begins.get(wanted, ())
            index = bisect_right(begins, position) - 1
            if index < 0:
                return None
            key = (wanted, begins[index])
            page = self._pages[key]
            if page.through <= position:
                return None
            self._pages.move_to_end(key)
        return Batch([*_since(page, position)], page.through, page.is_full)

    def clear(self) -> None:
        with self._lock:
            self._pages.clear()
            self._begins.clear()
            self._bytes = 0

    def _forget(self, wanted: Wanted, after: int) -> None:
        self._bytes -= _size(self._pages.pop((wanted, after)))
        self._begins[wanted].remove(after)
        if not self._begins[wanted]:
            del self._begins[wanted]


def _size(page: Batch) -> int:
    return OF_A_PAGE + sum(entry.size + OF_AN_ENTRY for entry in page.entries)


def _since(page: Batch, position: int) -> "islice[StreamEvent]":
    return islice(page.entries, bisect_right(page.entries, position, key=lambda entry: entry.position), None)
