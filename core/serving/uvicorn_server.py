"""One process that serves: uvicorn, as we need it."""

import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

GRACE = 10  # Seconds that running requests have at a stop.
MAX_MESSAGE = 256 * 2**10  # Bytes that come in on a WebSocket at once.
SLOW_READER = 120.0  # Seconds in which a WebSocket must answer a ping: one that reads slowly is not dead.
BEAT_EVERY = 1  # Seconds.


def serve(listener: socket.socket, *, beat: Callable[[], Awaitable[None]] | None = None) -> None:
    """Serve until SIGINT or SIGTERM. `beat` is called every second in the event loop, while it turns."""
    server = uvicorn.Server(
        uvicorn.Config(
            "config.asgi:application",
            loop="uvloop",
            http="core.serving.uvicorn_protocols:HttpProtocol",
            ws="core.serving.uvicorn_protocols:WebSocketProtocol",
            ws_max_size=MAX_MESSAGE,
            ws_ping_timeout=SLOW_READER,
            ws_per_message_deflate=False,  # It takes memory and time for each follower anew.
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=75,
            timeout_graceful_shutdown=GRACE,
            callback_notify=beat,
            timeout_notify=BEAT_EVERY,
            backlog=2048,
        )
    )
    with _stopped_by_sigterm(server):
        server.run(sockets=[listener])


@contextmanager
def _stopped_by_sigterm(server: Any) -> Iterator[None]:
    """uvicorn raises the signal again once it has shut down, and the process would end as if killed by it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: setattr(server, "should_exit", True))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
