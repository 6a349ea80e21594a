"""uvicorn's HTTP and WebSocket protocols, with bounds on what a client may cost."""

import asyncio
import logging
import resource
from functools import cache, partial
from typing import Any, cast

import httptools
from django.conf import settings
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.protocols.utils import get_client_addr
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from core import request_id, strict_json
from core.errors import CONTENT_TYPE, PRIVATE, HeadersTooLarge, Invalid, ProtocolError, Unavailable, truncate
from core.serving import direct, shutdown
from core.serving.websocket_frames import FrameRateLimit
from core.serving.wsgi_bridge import Response

ABORT_KEY = "abort"
"""Key in a scope's state: function that drops the connection at once, with unsent data."""
WRITE_KEY = "write"
"""Key in the state of an HTTP scope: function that sends bytes past ASGI. It returns False, and sends nothing, while the client is behind."""
CLOSE_DELAY = 1.0  # Seconds at shutdown for the application to send its last messages on a WebSocket,
CLOSE_TIMEOUT = 3.0  # and for the client to receive them.
MAX_HEAD = 64 * 2**10  # Limit of bytes of a request line and headers,
MAX_HEADERS = 200  # and of headers.
MAX_PIPELINED = 100  # Pipelined requests of a connection.
FREE_PIECES = 4_096  # Chunks of a body that may have any size,
MIN_PIECE = 64  # and the average bytes of further ones.
MAX_OVERHEAD = 512 * 2**10  # Bytes of a request besides 5/4 of its body: chunk sizes, extensions, trailers.
LINGER_SECONDS = 2.0  # Seconds of reading from a client whose body is not used, so that it receives the response,
MAX_LINGER = 4 * 2**20  # and bytes discarded meanwhile.

log = logging.getLogger("openintent.http")
socket_log = logging.getLogger("openintent.websocket")


@cache
def max_connections() -> int:
    """Return the limit of connections of the process: files, databases and other servers need descriptors, too."""
    descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    possible = 2**20 if descriptors == resource.RLIM_INFINITY else max(descriptors - max(descriptors // 4, 64), 8)
    return min(settings.MAX_CONNECTIONS or possible, possible)


class _LingeringTransport:
    """Transport whose close lingers while the client may still be sending.

    Closed at once, the kernel would reset the connection, and the client would lose the response.
    """

    def __init__(self, transport: asyncio.Transport, protocol: "HttpProtocol") -> None:
        self._transport = transport
        self._protocol = protocol
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading
        self.abort = transport.abort
        self.get_extra_info = transport.get_extra_info
        self.set_protocol = transport.set_protocol
        self.is_lingering = False

    def is_closing(self) -> bool:
        return self.is_lingering or self._transport.is_closing()

    def write(self, data: bytes) -> None:
        """Write, unless the client has left: uvloop would raise, and uvicorn would log that as an error of the application."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        if self.is_closing():
            return
        protocol = self._protocol
        is_body_unread = protocol._is_in_head or (protocol.cycle is not None and protocol.cycle.more_body)
        if is_body_unread and self._transport.can_write_eof():
            self.is_lingering = True
            self._transport.write_eof()
            protocol.flow.resume_reading()
            protocol.loop.call_later(LINGER_SECONDS, self._transport.abort)
        else:
            self._transport.close()


class HttpProtocol(HttpToolsProtocol):
    """HTTP protocol that bounds the cost of incomplete requests (protocol §1 "Bounded work")."""

    _idle: dict["HttpProtocol", None] = {}
    """Connections without a running request, the longest idle first."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(cast(asyncio.Transport, _LingeringTransport(transport, self)))
        self._is_in_head = False
        self._head_left = MAX_HEAD
        self._headers_left = MAX_HEADERS
        self._pieces = self._body = self._wire = self._lingered = 0
        self._is_upgraded = False
        self._unstarted: tuple[Any, Any] | None = None
        self._refusal: ProtocolError | None = None
        self._head_timer: asyncio.TimerHandle | None = self.loop.call_later(settings.HEAD_TIMEOUT, self._abort_if_idle)
        if len(self.connections) > max_connections():
            longest_idle = next(iter(self._idle), None)
            if longest_idle is None:
                self._refuse(Unavailable("The server has reached its limit of connections."))
                transport.close()
                return
            del self._idle[longest_idle]
            longest_idle.transport.abort()
        self._idle[self] = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._idle.pop(self, None)
        self._stop_head_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            self._lingered += len(data)
            if self._lingered > MAX_LINGER:
                self.transport.abort()
            return
        self._wire += len(data)
        super().data_received(data)
        self._start_next()
        if self._is_upgraded or self.transport.is_closing():
            return
        if self._wire > MAX_HEAD and (self._is_in_head or self._wire - self._body > self._body // 4 + MAX_OVERHEAD):
            self._refuse(HeadersTooLarge(MAX_HEAD, MAX_HEADERS))
        elif self._head_timer is None and (self._is_in_head or self._is_idle()):
            self._head_timer = self.loop.call_later(settings.HEAD_TIMEOUT, self._abort_if_idle)

    def handle_websocket_upgrade(self) -> None:
        self._is_upgraded = True
        super().handle_websocket_upgrade()

    # --- callbacks of the parser, in their order

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_head = True
        self._head_left, self._headers_left = MAX_HEAD, MAX_HEADERS
        self._pieces = self._body = self._wire = 0
        if len(self.pipeline) >= MAX_PIPELINED:
            self._fail(Invalid("Too many requests were sent before the first response."))
        cast(Any, self.scope)["state"].update({ABORT_KEY: self.transport.abort, WRITE_KEY: self._write})

    def on_url(self, url: bytes) -> None:
        self.url += url
        self._head_left -= len(url)
        if self._head_left < 0:
            self._fail(HeadersTooLarge(MAX_HEAD, MAX_HEADERS))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers_left -= 1
        self._head_left -= len(name) + len(value) + 4
        if self._head_left < 0 or self._headers_left < 0:
            self._fail(HeadersTooLarge(MAX_HEAD, MAX_HEADERS))
        if self._is_in_head:  # Otherwise it is a trailer, which is not used.
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        self._stop_head_timer()
        self._idle.pop(self, None)
        super().on_headers_complete()
        if cast(Any, self.scope)["http_version"] == "1.0":
            _send_unchunked(self.cycle)

    def on_body(self, body: bytes) -> None:
        self._pieces += 1
        self._body += len(body)
        if self._pieces > FREE_PIECES and self._body < self._pieces * MIN_PIECE:
            self._fail(Invalid("The body comes in too many pieces."))
        super().on_body(body)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._start_next()
        if self._is_idle():
            self._idle[self] = None

    # --- requests that need no ASGI task

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        """Start the request once all that was received is parsed, which mostly is the whole request."""
        self._unstarted = (cycle, app)

    def _start_next(self) -> None:
        if self._unstarted is None:
            return
        (cycle, app), self._unstarted = self._unstarted, None
        if cycle.disconnected:
            return
        if not cycle.more_body and direct.submit(app, cycle.scope, bytes(cycle.body), partial(self._respond, cycle)):
            return
        super()._start_asgi_task(cycle, app)

    def _respond(self, cycle: Any, response: Response) -> None:
        """Write a whole response in one piece."""
        start, body = response
        if not isinstance(body, bytes):
            super()._start_asgi_task(cycle, direct.sender(response))
            return
        if cycle.disconnected:
            return
        headers = [*cycle.default_headers, *start["headers"]]
        if not cycle.keep_alive:
            headers.append((b"connection", b"close"))
        head = [STATUS_LINE[start["status"]]]
        for name, value in headers:
            head += (name, b": ", value, b"\r\n")
        head.append(b"\r\n")
        if cycle.scope["method"] != "HEAD":
            head.append(body)
        self.transport.write(b"".join(head))
        cycle.response_started = cycle.response_complete = True
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()

    # --- bounds

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _fail(self, refusal: ProtocolError) -> None:
        """Stop the parser; its exception leads to `send_400_response`."""
        self._refusal = refusal
        raise httptools.HttpParserCallbackError(refusal.detail)

    def _abort_if_idle(self) -> None:
        self._head_timer = None
        if self._is_in_head or self._is_idle():
            self.transport.abort()

    def _stop_head_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _write(self, raw: bytes) -> bool:
        if self.flow.write_paused or self.transport.is_closing():
            return False
        self.transport.write(raw)
        return True

    def shutdown(self) -> None:
        """Run the shutdown callbacks: uvicorn only notifies connections before it waits for them."""
        shutdown.notify()
        super().shutdown()

    def send_400_response(self, msg: str) -> None:
        """Send a problem (protocol §2) for input that the parser refuses."""
        self._refuse(self._refusal or Invalid("This is not a valid HTTP request."))

    def _refuse(self, refusal: ProtocolError) -> None:
        if not self._is_idle():
            if self._is_in_head or self.pipeline or self.cycle.response_started:
                self.transport.abort()  # It would count as the response to an earlier request.
                return
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        current_id = request_id.set_request_id(None)
        body = strict_json.dumps(refusal.body())
        head = (
            f"HTTP/1.1 {refusal.status} {refusal.title}",
            f"content-type: {CONTENT_TYPE}",
            f"content-length: {len(body)}",
            f"cache-control: {PRIVATE}",
            f"{request_id.HEADER.lower()}: {current_id}",
            *(f"{name.lower()}: {value}" for name, value in refusal.headers.items()),
            "connection: close",
        )
        self._is_in_head = True  # Further input is not used.
        self.transport.write("\r\n".join([*head, "", ""]).encode() + body)
        self.transport.close()


def _send_unchunked(cycle: Any) -> None:
    """End an HTTP/1.0 response with its connection: uvicorn would send it in chunks (RFC 9112 §6.1)."""
    cycle.chunked_encoding = False
    cycle.expected_content_length = 2**63
    send = cycle.send

    async def send_until_closed(message: Any) -> None:
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            cycle.expected_content_length = len(message.get("body", b""))
        await send(message)

    cycle.send = send_until_closed


class WebSocketProtocol(FrameRateLimit, WebSocketsSansIOProtocol):
    """WebSocket protocol that limits incoming frames and logs no header, query or message."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logger = self.conn.logger = socket_log
        self.conn.debug = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._is_logged = False

    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if not self.close_sent:  # Otherwise it was no handshake, and the scope is not used.
            cast(Any, self.scope)["state"][ABORT_KEY] = self.transport.abort

    async def send(self, message: Any) -> None:
        await super().send(message)
        if not self._is_logged and self.handshake_complete:
            self._is_logged = True
            self._log("refused" if self.close_sent else "opened")

    def connection_lost(self, exc: Exception | None) -> None:
        if self._is_logged and self.handshake_complete:
            self._log("closed")
        super().connection_lost(exc)

    def _log(self, event: str) -> None:
        fields = {"path": truncate(self.scope["path"], 500), "client": get_client_addr(cast(Any, self.scope))}
        log.info("WebSocket %s", event, extra={"fields": fields})

    def shutdown(self) -> None:
        """Run the shutdown callbacks, and close later than uvicorn would, after the application's last messages."""
        shutdown.notify()
        close = super().shutdown

        def close_unless_closing() -> None:
            if not self.transport.is_closing():
                close()
                self.loop.call_later(CLOSE_TIMEOUT, self.transport.abort)

        if self.handshake_complete and not self.close_sent:
            self.loop.call_later(CLOSE_DELAY, close_unless_closing)
        else:
            close()
