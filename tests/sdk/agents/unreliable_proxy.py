"""A proxy that answers errors of its own, resets connections and hangs, at random: before and after it has passed a request on."""

import random
import socket
import socketserver
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

STATUSES = {429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway", 521: "Web Server Is Down"}
LONGEST_HANG = 35.0
"""Seconds: longer than the timeout of clients."""


class UnreliableProxy(socketserver.ThreadingTCPServer):
    """Passes requests on to a local port, one for each connection. Use it in a `with` block; `url` is its address.

    calm   set: nothing goes wrong any more
    hangs  set: no request is answered any more
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, *, share: float = 0.25) -> None:
        """`share` is that of the requests with which something goes wrong, and of the streams that are cut."""
        super().__init__(("127.0.0.1", 0), _Connection)
        self.upstream = ("127.0.0.1", port)
        self.share = share
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.faults: Counter[str] = Counter()
        self.passed = 0
        self.calm = threading.Event()
        self.hangs = threading.Event()

    def __enter__(self) -> "UnreliableProxy":
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.calm.set()
        self.shutdown()
        self.server_close()

    def fault(self) -> str | None:
        """Return what goes wrong with the next request, if anything."""
        if self.hangs.is_set():
            return "hang instead"
        if self.calm.is_set() or random.random() >= self.share:
            return None
        when = random.choice(["instead", "after"])
        return f"{random.choice([*map(str, STATUSES), 'reset', 'hang'])} {when}"


class _Connection(socketserver.BaseRequestHandler):
    server: UnreliableProxy

    def handle(self) -> None:
        with suppress(OSError):
            if request := self._read_request():
                self._answer(request, is_stream=b"text/event-stream" in request)

    def _read_request(self) -> bytes:
        """Return the request, with a header that asks for the end of the connection after the response."""
        data = b""
        while b"\r\n\r\n" not in data:
            if not (chunk := self.request.recv(65536)):
                return b""
            data += chunk
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        length = next((int(line[15:]) for line in lines if line.lower().startswith(b"content-length:")), 0)
        while len(body) < length:
            body += self.request.recv(65536)
        kept = [line for line in lines if not line.lower().startswith(b"connection:")]
        return b"\r\n".join([*kept, b"Connection: close", b"", body])

    def _answer(self, request: bytes, *, is_stream: bool) -> None:
        fault = self.server.fault()
        self.server.passed += fault is None
        if fault:
            self.server.faults[fault] += 1
        kind, _, when = (fault or "").partition(" ")
        response = iter([b""]) if when == "instead" else self._pass_on(request)
        try:
            if kind and is_stream and when == "after":  # It begins well.
                self.request.sendall(next(response))
            elif kind:
                all(response)  # Until its end: it is carried out.
            match kind:
                case "":
                    for chunk in response:
                        self.request.sendall(chunk)
                case "hang":
                    self.server.calm.wait(random.uniform(0.5, LONGEST_HANG))
                case "reset":
                    self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                case _ if not (is_stream and when == "after"):
                    self._say(int(kind))
        except ConnectionRefusedError:
            self._say(502)

    def _pass_on(self, request: bytes) -> Iterator[bytes]:
        """Yield the response as it comes."""
        with socket.create_connection(self.server.upstream) as upstream:
            upstream.settimeout(60)
            upstream.sendall(request)
            while chunk := upstream.recv(65536):
                yield chunk

    def _say(self, status: int) -> None:
        body = b"<html>Please try again later.</html>"
        extra = "Retry-After: 1\r\n" if status == 429 else ""
        head = f"HTTP/1.1 {status} {STATUSES[status]}\r\nContent-Type: text/html\r\n{extra}Content-Length: {len(body)}\r\n"
        self.request.sendall(head.encode() + b"Connection: close\r\n\r\n" + body)
