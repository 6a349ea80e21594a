"""uvicorn server of one process."""

import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

GRACE = 10  # Seconds for running requests at shutdown.
MAX_MESSAGE = 256 * 2**10  # Bytes of an incoming WebSocket message.
SLOW_READER = 120.0  # Seconds to answer a WebSocket ping: a slow reader is not dead.
HEARTBEAT_EVERY = 1  # Seconds.


def serve(listener: socket.socket, *, heartbeat: Callable[[], Awaitable[None]] | None = None) -> None:
    """Serve until SIGINT or SIGTERM. The event loop calls `heartbeat` every second."""
    server = uvicorn.Server(
        uvicorn.Config(
            "config.asgi:application",
            loop="uvloop",
            http="core.serving.uvicorn_protocols:HttpProtocol",
            ws="core.serving.uvicorn_protocols:WebSocketProtocol",
            ws_max_size=MAX_MESSAGE,
            ws_ping_timeout=SLOW_READER,
            ws_per_message_deflate=False,  # It costs memory and time per follower.
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=GRACE,
            callback_notify=heartbeat,
            timeout_notify=HEARTBEAT_EVERY,
            backlog=2048,
        )
    )
    with _exit_cleanly_on_sigterm(server):
        server.run(sockets=[listener])


@contextmanager
def _exit_cleanly_on_sigterm(server: Any) -> Iterator[None]:
    """Handle SIGTERM here: uvicorn would raise it again after shutdown, and the process would end as if killed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: setattr(server, "should_exit", True))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
