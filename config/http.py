"""uvicorn's side of a connection, where it is not as we need it."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from config import requestid, stopping, strictjson
from config.errors import CONTENT_TYPE, Invalid


class Protocol(HttpToolsProtocol):
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
