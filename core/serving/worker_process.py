"""Worker process of the supervisor (core.serving.supervisor): arguments are the file descriptors of the port and the heartbeat socket."""

import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress

from core.serving.uvicorn_server import GRACE, serve


def main(listener_fd: int, heartbeat_fd: int) -> None:
    """Serve and send heartbeats until a signal, or until the supervisor is gone."""
    supervisor = socket.socket(fileno=heartbeat_fd)

    def stop_with_supervisor() -> None:
        with suppress(OSError):
            supervisor.recv(1)  # The supervisor never sends: it returns at the end of the connection.
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE + 20)
        os._exit(1)

    async def send_heartbeat() -> None:
        with suppress(OSError):  # The supervisor is slow to read, or gone.
            supervisor.send(b".", socket.MSG_DONTWAIT)

    threading.Thread(target=stop_with_supervisor, name="supervisor", daemon=True).start()
    with suppress(KeyboardInterrupt):  # Ctrl-C goes to all processes; the supervisor reports it.
        serve(socket.socket(fileno=listener_fd), heartbeat=send_heartbeat)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
