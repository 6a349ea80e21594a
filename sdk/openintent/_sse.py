"""Server-Sent Events, from bytes to frames (WHATWG HTML §9.2.6, protocol S-1). No I/O."""

import re
from dataclasses import dataclass

LONGEST = 16 * 2**20
"""Bytes that one frame may have. An event has less than one MiB; what never ends is not worth the memory."""

_BOM = b"\xef\xbb\xbf"
_LINE_END = re.compile(rb"\r\n|\r|\n")  # These alone: str.splitlines also splits at characters that JSON may contain.


class TooLong(ValueError):
    """A frame that is longer than any of the protocol's."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What was sent between two empty lines; comments are left out.

    id     the id of this frame; None if it has none, "" if it takes back those before it
    event  the type, "message" if it has none
    data   the data lines, joined; None if there was none, as in a frame that only moves the id
    retry  milliseconds to wait before the stream is opened again
    """

    id: str | None = None
    event: str = "message"
    data: str | None = None
    retry: int | None = None


class Parser:
    """Takes a stream as it comes, cut anywhere, and gives each frame as soon as it is complete."""

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
        """The frames that end in this chunk; one that is not ended when the stream ends is never given.

        Raises TooLong.
        """
        self._rest += chunk
        if self._begins and not self._has_begun():
            return []
        frames = [frame for line in self._lines() if (frame := self._take(line))]
        if self._size + len(self._rest) > LONGEST:
            raise TooLong(f"a frame has more than {LONGEST:,} bytes")
        return frames

    def _has_begun(self) -> bool:
        """Leave out the byte order mark. Answers False while it may still be one."""
        if len(self._rest) < len(_BOM) and _BOM.startswith(self._rest):
            return False
        if self._rest.startswith(_BOM):
            del self._rest[: len(_BOM)]
        self._begins = False
        return True

    def _lines(self) -> list[bytes]:
        """The lines that are complete. A CR at the very end completes one: waiting for its LF would delay a frame."""
        if self._after_cr and self._rest:
            self._after_cr = False
            if self._rest[0] == 0x0A:
                del self._rest[:1]
        lines, start = [], 0
        for end in _LINE_END.finditer(self._rest, self._searched):
            lines.append(bytes(self._rest[start : end.start()]))
            start = end.end()
        self._after_cr = start == len(self._rest) and self._rest.endswith(b"\r")
        del self._rest[:start]
        self._searched = len(self._rest)  # What has no end in it so far is not searched again.
        return lines

    def _take(self, line: bytes) -> Frame | None:
        self._size += len(line) + 1
        if not line:
            return self._dispatch()
        name, _, value = line.partition(b":")
        self._set(name, value.removeprefix(b" ").decode(errors="replace"))
        return None

    def _set(self, name: bytes, value: str) -> None:
        if name == b"data":
            self._data.append(value)
        elif name == b"event":
            self._event = value
        elif name == b"id" and "\0" not in value:
            self._id = value
        elif name == b"retry" and value.isascii() and value.isdigit():
            self._retry = int(value[:12])

    def _dispatch(self) -> Frame | None:
        data = "\n".join(self._data) if self._data else None
        frame = Frame(self._id, self._event or "message", data, self._retry)
        self._clear()
        return None if frame == Frame() else frame
