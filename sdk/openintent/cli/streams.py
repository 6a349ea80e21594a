"""Standard streams that may be closed, full, or a pipe whose reader has gone."""

import errno
import io
import os
import sys
from typing import Any, TextIO, cast


class OutputError(Exception):
    """Standard output cannot be written. `is_closed`: nobody reads it any more, which is no failure."""

    def __init__(self, cause: OSError) -> None:
        super().__init__(f"cannot write the output: {cause.strerror or cause}")
        self.is_closed = cause.errno == errno.EPIPE


class _Stream(io.TextIOWrapper):
    """A standard stream. Once a write has failed, it is the null device, as the interpreter flushes it again at its end."""

    def __init__(self, stream: TextIO) -> None:
        encoding, is_line_buffered = stream.encoding, getattr(stream, "line_buffering", False)
        # Titles are Unicode, and terminals may not be.
        super().__init__(
            cast(Any, stream).detach(), encoding=encoding, errors="backslashreplace", line_buffering=is_line_buffered
        )

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError as error:
            self.give_up(error)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            self.give_up(error)

    def give_up(self, error: OSError) -> None:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, self.fileno())
        os.close(null)


class _Output(_Stream):
    def give_up(self, error: OSError) -> None:
        super().give_up(error)
        raise OutputError(error) from None


def guard_streams() -> None:
    """Open the standard streams that are closed, raise OutputError for output that cannot be written, and drop such messages."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # Gets this number: otherwise a socket would, and be written to.
    sys.stdin = sys.stdin or _null("r")
    sys.stdout = _Output(sys.stdout or _null("w"))
    sys.stderr = _Stream(sys.stderr or _null("w"))


def _null(mode: str) -> Any:
    return open(os.devnull, mode)  # For the rest of the run.


def write_bytes(content: bytes) -> None:
    """Write on standard output. Raise OutputError."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    except OSError as error:
        if isinstance(sys.stdout, _Output):
            sys.stdout.give_up(error)
        raise OutputError(error) from None
