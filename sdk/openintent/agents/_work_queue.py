"""Work queue of an agent: intents to process, and when."""

import threading
from time import monotonic


class WorkQueue:
    """Intents to process, each queued once however often it is added, and processed by one thread at a time."""

    def __init__(self) -> None:
        self._due: dict[str, float] = {}
        self._in_progress: set[str] = set()
        self.is_closed = False
        self._changed = threading.Condition()

    def add(self, intent_id: str, after: float = 0.0) -> None:
        """Queue an intent for `after` seconds from now, or earlier if it is due earlier already."""
        with self._changed:
            at = monotonic() + after
            self._due[intent_id] = min(at, self._due.get(intent_id, at))
            self._changed.notify_all()

    def take(self) -> str | None:
        """Wait for the intent that has been due for longest, and return it; None once the queue is closed."""
        with self._changed:
            while not self.is_closed:
                free = ((at, intent_id) for intent_id, at in self._due.items() if intent_id not in self._in_progress)
                due_at, intent_id = min(free, default=(None, ""))
                if due_at is None or due_at > monotonic():
                    self._changed.wait(due_at and due_at - monotonic())
                    continue
                del self._due[intent_id]
                self._in_progress.add(intent_id)
                return intent_id
        return None

    def done(self, intent_id: str, delay: float | None = None) -> None:
        """Give back an intent that was taken. With `delay`, queue it again for so many seconds from now."""
        with self._changed:
            self._in_progress.discard(intent_id)
            self._changed.notify_all()
        if delay is not None:
            self.add(intent_id, delay)

    def close(self) -> None:
        """Return no more intents."""
        with self._changed:
            self.is_closed = True
            self._changed.notify_all()
