"""A process of a crew (core.serving.supervisor), which starts it with the numbers of two sockets: the port's, and the one that joins them."""

import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress

from core.serving.uvicorn_server import GRACE, serve


def main(listening: int, joining: int) -> None:
    line = socket.socket(fileno=joining)
    threading.Thread(target=_end_with, args=[line], name="crew", daemon=True).start()

    async def beat() -> None:
        with suppress(OSError):  # The other side is slow to read, or gone.
            line.send(b".", socket.MSG_DONTWAIT)

    with suppress(KeyboardInterrupt):  # Ctrl-C goes to all processes; the first one says what it is.
        serve(socket.socket(fileno=listening), beat=beat)


def _end_with(line: socket.socket) -> None:
    """Nobody looks after this process any more, once the other side is gone: end as if told to, or else at once."""
    with suppress(OSError):
        line.recv(1)  # Nothing is ever sent: it answers at the end.
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE + 20)
    os._exit(1)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
