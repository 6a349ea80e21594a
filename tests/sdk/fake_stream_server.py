"""Fake stream server: each test scripts its connections, down to the bytes."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .samples import EVENT

TIMEOUT = 20


class HTTPListener(ThreadingHTTPServer):
    request_queue_size = 128


class StreamHandler(BaseHTTPRequestHandler):
    """Handles each connection by the next script of its server."""

    owner: "FakeStreamServer"

    def do_GET(self):
        self.owner.seen.append(dict(self.headers))
        self.owner.targets.append(self.path)
        self.close_connection = True
        try:
            self.owner.scripts.pop(0)(self)
        except OSError:  # The client has disconnected.
            pass
        finally:
            self.owner.disconnected.release()

    def begin(self, content_type="text/event-stream; charset=utf-8"):
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        if self.owner.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def send_text(self, text):
        data = text.encode()
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data) if self.owner.chunked else data)

    def refuse(self, status, body=None, headers=None):
        self.send_response(status)
        data = json.dumps(body or {}).encode()
        defaults = {"Content-Length": str(len(data)), "Content-Type": "application/problem+json"}
        for name, value in {**defaults, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def wait_for_disconnect(self):
        """Keep the connection open until the client has closed it."""
        self.connection.settimeout(TIMEOUT)
        assert self.connection.recv(1) == b""

    def log_message(self, *_):
        pass


class FakeStreamServer:
    """A server that runs the next of `scripts` for each connection. It sends chunked, or as HTTP/1.0 does, until it closes."""

    def __init__(self, *, chunked: bool) -> None:
        self.chunked = chunked
        self.scripts: list[Callable[[StreamHandler], None]] = []
        self.seen: list[dict[str, str]] = []
        self.targets: list[str] = []
        self.disconnected = threading.Semaphore(0)
        attributes = {"owner": self, "protocol_version": "HTTP/1.1" if chunked else "HTTP/1.0"}
        self.http = HTTPListener(("127.0.0.1", 0), type("Handler", (StreamHandler,), attributes))
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self):
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


def connected(position):
    return f'retry: 10\nid: {position}\nevent: connected\ndata: {{"position":{position}}}\n\n'


def frame(position, event_type="comment", **fields):
    event = {**EVENT, "event_type": event_type, "position": position, **fields}
    return f"id: {position}\nevent: {event_type}\ndata: {json.dumps(event)}\n\n"


def bye(reason):
    return f'event: bye\ndata: {{"reason":"{reason}"}}\n\n'


def sending(*texts, keep=False):
    def script(connection):
        connection.begin()
        for text in texts:
            connection.send_text(text)
        if keep:
            connection.wait_for_disconnect()

    return script


def refusing(status, body=None, headers=None):
    return lambda connection: connection.refuse(status, body, headers)


def next_positions(stream, count):
    """Return the positions of the next events of the stream."""
    return [next(stream).position for _ in range(count)]
