"""WebSocket frames, counted: empty ones, of which millions fit into a few megabytes, belong to no message's size."""

from time import monotonic
from typing import Any

SLICE = 4096  # Bytes that are parsed at once: at most some 700 frames.
BURST, PER_SECOND = 1000, 100
"""Frames of a connection at once, and then in each second. A message is one frame with most clients, and so is an answer to a ping."""
POLICY = 1008


class FrameRateLimit:
    """Of a sans-I/O WebSocket protocol of uvicorn's: a connection that sends too many frames is closed."""

    conn: Any
    transport: Any
    _frames_due = 0.0

    def data_received(self, data: bytes) -> None:
        for start in range(0, len(data), SLICE):
            super().data_received(data[start : start + SLICE])  # type: ignore[misc]
            if self.transport.is_closing():
                return

    def handle_events(self) -> None:
        now = monotonic()
        due = max(self._frames_due, now)
        events = self.conn.events
        self._frames_due = due + len(events) / PER_SECOND
        if self._frames_due - now > BURST / PER_SECOND:
            events.clear()
            self.conn.fail(POLICY, "too many frames")
            self.handle_parser_exception()  # type: ignore[attr-defined]
            return
        super().handle_events()  # type: ignore[misc]
