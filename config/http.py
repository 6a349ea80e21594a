"""uvicorn's side of a connection, where it is not as we need it."""

from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from config import requestid, stopping, strictjson
from config.errors import CONTENT_TYPE, Invalid

ABORT = "abort"
"""In a scope's state: how to drop the connection at once, whatever has not been sent yet."""
WRITE = "write"
"""In the state of an HTTP scope: how to send bytes at once, past ASGI. Answers False, and sends nothing, while the reader is behind."""
LAST_WORDS = 1.0  # Seconds that a WebSocket has to say them when the server stops,
FAREWELL = 3.0  # and to take what was sent before.


class Protocol(HttpToolsProtocol):
    def on_message_begin(self) -> None:
        super().on_message_begin()
        cast(Any, self.scope)["state"].update({ABORT: self.transport.abort, WRITE: self._write})

    def _write(self, raw: bytes) -> bool:
        if self.flow.write_paused or self.transport.is_closing():
            return False
        self.transport.write(raw)
        return True

    def shutdown(self) -> None:
        """The server stops: uvicorn says so to each connection, and to nobody else before all of them are closed."""
        stopping.begin()
        super().shutdown()

    def send_400_response(self, msg: str) -> None:
        """For what is no HTTP, and nobody behind the parser ever sees: a refusal in the shape of all (protocol §2)."""
        request_id = requestid.begin(None)
        body = strictjson.dumps(Invalid("This is not an HTTP request that can be read.").body())
        head = (
            "HTTP/1.1 400 Bad Request",
            f"content-type: {CONTENT_TYPE}",
            f"content-length: {len(body)}",
            f"{requestid.HEADER.lower()}: {request_id}",
            "connection: close",
        )
        self.transport.write("\r\n".join([*head, "", ""]).encode() + body)
        self.transport.close()


class SocketProtocol(WebSocketsSansIOProtocol):
    def handle_connect(self, event: Any) -> None:
        super().handle_connect(event)
        if not self.close_sent:  # Else it was no handshake, and nobody asks for the scope.
            cast(Any, self.scope)["state"][ABORT] = self.transport.abort

    def shutdown(self) -> None:
        """As above; uvicorn's own end of the connection would come before whatever the application has to say."""
        stopping.begin()
        if self.handshake_complete and not self.close_sent:
            self.loop.call_later(LAST_WORDS, self._shut_down)
        else:
            super().shutdown()

    def _shut_down(self) -> None:
        if not self.transport.is_closing():
            super().shutdown()
            self.loop.call_later(FAREWELL, self.transport.abort)
