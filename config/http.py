"""Requests that are no HTTP, which nobody behind the parser ever sees: refused in the shape of all refusals (protocol §2)."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from config import requestid, strictjson
from config.errors import CONTENT_TYPE, Invalid


class Protocol(HttpToolsProtocol):
    def send_400_response(self, msg: str) -> None:
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
