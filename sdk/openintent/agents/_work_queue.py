"""What an agent has to look at, and when."""

import threading
from time import monotonic


class Agenda:
    """Intents to look at, each once however often it is named, and never by two threads at a time."""

    def __init__(self) -> None:
        self._due: dict[str, float] = {}
        self._taken: set[str] = set()
        self._closed = False
        self._changed = threading.Condition()

    @property
    def is_closed(self) -> bool:
        return self._closed

    def add(self, intent_id: str, after: float = 0.0) -> None:
        """Have the intent looked at in so many seconds, or sooner if that was planned already."""
        with self._changed:
            at = monotonic() + after
            self._due[intent_id] = min(at, self._due.get(intent_id, at))
            self._changed.notify_all()

    def take(self) -> str | None:
        """The intent that has been due for longest, as soon as there is one; None once the agenda is closed."""
        with self._changed:
            while not self._closed:
                wait = self._wait()
                if wait is None or wait[0] > 0:
                    self._changed.wait(wait and wait[0])
                    continue
                intent_id = wait[1]
                del self._due[intent_id]
                self._taken.add(intent_id)
                return intent_id
        return None

    def done(self, intent_id: str, again: float | None = None) -> None:
        """Give back what was taken, to be looked at `again` in so many seconds, if it is not named meanwhile."""
        with self._changed:
            self._taken.discard(intent_id)
            self._changed.notify_all()
        if again is not None:
            self.add(intent_id, again)

    def close(self) -> None:
        """Give out nothing any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _wait(self) -> tuple[float, str] | None:
        """Seconds until the next intent is due, and which it is."""
        free = ((at, intent_id) for intent_id, at in self._due.items() if intent_id not in self._taken)
        first = min(free, default=None)
        return first and (first[0] - monotonic(), first[1])
