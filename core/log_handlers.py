"""Log handler of the server."""

import logging
import os
import threading
import time
from collections import deque
from contextlib import suppress


class BufferedStreamHandler(logging.StreamHandler):
    """Writes the lines of the logger `delayed` within DELAY, several at once, in a thread of its own; all others at once.

    Each write lets another thread have the interpreter, and waits to get it back: with several requests at a time that is a
    tenth of the cost of a small one.
    """

    DELAY = 0.02  # Seconds. A killed process loses the delayed lines of this time.
    MAX_LINES = 1_000  # That wait for a slow reader; whoever logs more waits as well.

    def __init__(self, delayed: str) -> None:
        super().__init__()
        self._delayed = delayed
        self._thread: threading.Thread | None = None
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.append(self.format(record))
        except Exception:
            self.handleError(record)
            return
        if record.name != self._delayed or len(self._lines) > self.MAX_LINES:
            self.flush()
        elif not self._is_due.is_set():
            self._is_due.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._write_periodically, name="log", daemon=True)
                self._thread.start()

    def flush(self) -> None:
        # Whoever logs holds the handler's lock and may wait for this one: so this one never waits for the handler's.
        with self._writing, suppress(OSError, ValueError):  # Nobody reads, or the stream is closed.
            lines = [self._lines.popleft() for _ in range(len(self._lines))]
            if lines:
                self.stream.write("".join(f"{line}{self.terminator}" for line in lines))
            self.stream.flush()

    def _reset(self) -> None:
        self._lines: deque[str] = deque()
        self._is_due = threading.Event()
        self._writing = threading.Lock()
        self._thread = None

    def _write_periodically(self) -> None:
        while self._is_due.wait():
            time.sleep(self.DELAY)
            self._is_due.clear()
            self.flush()
