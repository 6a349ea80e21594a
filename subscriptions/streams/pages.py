"""Cache of log pages for followers that are behind: a thousand that reconnect at once read the log once.

Pages stay valid: the log only grows, and the topics of an event depend on the log only.
"""

import threading
from bisect import bisect_right, insort
from collections import OrderedDict, defaultdict

from subscriptions.streams.log_reader import Batch, Topics

BYTES = 2 * 2**20  # Of all pages together, without the last one.
PAGE_OVERHEAD, EVENT_OVERHEAD = 500, 500  # Bytes.

Selection = tuple[Topics, frozenset[str]]
"""Topics and event types; no types: all."""


class LogPageCache:
    """LRU cache of pages by selection and start position, for any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pages: OrderedDict[tuple[Selection, int], Batch] = OrderedDict()
        self._starts: defaultdict[Selection, list[int]] = defaultdict(list)
        self._bytes = 0

    def keep(self, selection: Selection, after: int, page: Batch) -> None:
        """Cache the page after the position, and drop the least recently used ones beyond BYTES."""
        with self._lock:
            if page.through <= after or (selection, after) in self._pages:
                return
            self._pages[selection, after] = page
            insort(self._starts[selection], after)
            self._bytes += _size(page)
            while self._bytes > BYTES and len(self._pages) > 1:
                (dropped, start), old = self._pages.popitem(last=False)
                self._bytes -= _size(old)
                self._starts[dropped].remove(start)
                if not self._starts[dropped]:
                    del self._starts[dropped]

    def find(self, selection: Selection, position: int) -> Batch | None:
        """Return the cached events after the position, or None."""
        with self._lock:
            starts = self._starts.get(selection, ())
            index = bisect_right(starts, position) - 1
            if index < 0:
                return None
            key = (selection, starts[index])
            page = self._pages[key]
            if page.through <= position:
                return None
            self._pages.move_to_end(key)
        first = bisect_right(page.entries, position, key=lambda entry: entry.position)
        return Batch(page.entries[first:], page.through, page.is_full)

    def clear(self) -> None:
        with self._lock:
            self._pages.clear()
            self._starts.clear()
            self._bytes = 0


def _size(page: Batch) -> int:
    return PAGE_OVERHEAD + sum(entry.size + EVENT_OVERHEAD for entry in page.entries)
