"""Server-Sent Events, from bytes to frames (WHATWG HTML §9.2.6, protocol S-1). No I/O."""

import re
from dataclasses import dataclass

MAX_FRAME_SIZE = 16 * 2**20
"""Bytes that one frame may have. An event has less than one MiB; a frame without end must not fill the memory."""

_BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|\r|\n")  # These alone: str.splitlines also splits at characters that JSON may contain.


class FrameTooLong(ValueError):
    """Raised for a frame that is longer than any of the protocol's."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message of the stream, without comments.

    id     the id of this frame; None if it has none, "" if it resets those before it
    event  the type, "message" if it has none
    data   the data lines, joined; None if there was none, as in a frame that only advances the id
    retry  milliseconds to wait before reconnecting
    """

    id: str | None = None
    event: str = "message"
    data: str | None = None
    retry: int | None = None


class Parser:
    """Incremental parser: takes chunks split anywhere and returns each frame as soon as it is complete."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._searched = 0
        self._begins = True
        self._after_cr = False
        self._clear()

    def _clear(self) -> None:
        self._id: str | None = None
        self._event = ""
        self._data: list[str] = []
        self._retry: int | None = None
        self._size = 0

    def feed(self, chunk: bytes) -> list[Frame]:
        """Return the frames that end in this chunk; one that is incomplete at the end of the stream is discarded.

        Raise FrameTooLong for a frame of more than MAX_FRAME_SIZE bytes.
        """
        self._rest += chunk
        if self._begins:  # Skip the byte order mark, as soon as there are enough bytes to tell.
            if len(self._rest) < len(_BOM) and _BOM.startswith(self._rest):
                return []
            if self._rest.startswith(_BOM):
                del self._rest[: len(_BOM)]
            self._begins = False
        if self._after_cr and self._rest:
            self._after_cr = False
            if self._rest[0] == 0x0A:
                del self._rest[:1]
        frames, start = [], 0
        for end in _LINE_END.finditer(self._rest, self._searched):
            if frame := self._parse_line(bytes(self._rest[start : end.start()])):
                frames.append(frame)
            start = end.end()
        # A CR at the very end completes a line: waiting for its LF would delay a frame.
        self._after_cr = start == len(self._rest) and self._rest.endswith(b"\r")
        del self._rest[:start]
        self._searched = len(self._rest)  # The incomplete rest is not searched again.
        if self._size + len(self._rest) > MAX_FRAME_SIZE:
            raise FrameTooLong(f"a frame has more than {MAX_FRAME_SIZE:,} bytes")
        return frames

    def _parse_line(self, line: bytes) -> Frame | None:
        """Parse one line. Return a frame at an empty line, unless the frame is empty."""
        self._size += len(line) + 1
        if not line:
            data = "\n".join(self._data) if self._data else None
            frame = Frame(self._id, self._event or "message", data, self._retry)
            self._clear()
            return None if frame == Frame() else frame
        name, _, raw = line.partition(b":")
        value = raw.removeprefix(b" ").decode(errors="replace")
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._event = value
        elif name == b"id" and "\0" not in value:
            self._id = value
        elif name == b"retry" and value.isascii() and value.isdigit():
            self._retry = int(value[:12])
        return None
