"""Rate limit of WebSocket frames: empty ones, of which millions fit into a few megabytes, count in no message's size."""

from time import monotonic
from typing import Any

SLICE = 4096  # Bytes parsed at once: about 700 frames at most.
BURST, PER_SECOND = 1000, 100
"""Burst and rate of frames per connection. With most clients a message is one frame, and so is an answer to a ping."""
POLICY_VIOLATION = 1008


class FrameRateLimit:
    """Mixin for uvicorn's sans-I/O WebSocket protocol that closes a connection with too many frames."""

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
            self.conn.fail(POLICY_VIOLATION, "too many frames")
            self.handle_parser_exception()  # type: ignore[attr-defined]
            return
        super().handle_events()  # type: ignore[misc]
