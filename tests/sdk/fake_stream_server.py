"""A server of streams that does what a test says, down to the bytes."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .samples import EVENT

PATIENCE = 20


class Listener(ThreadingHTTPServer):
    request_queue_size = 128


class Stage:
    """A server whose next `play` says what to do with a connection. It sends in chunks, or as HTTP/1.0 does, until it closes."""

    def __init__(self, *, chunked: bool) -> None:
        stage = self
        self.plays: list[Callable[[BaseHTTPRequestHandler], None]] = []
        self.seen: list[dict[str, str]] = []
        self.targets: list[str] = []
        self.left = threading.Semaphore(0)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1" if chunked else "HTTP/1.0"

            def do_GET(self):
                stage.seen.append(dict(self.headers))
                stage.targets.append(self.path)
                self.close_connection = True
                try:
                    stage.plays.pop(0)(self)
                except OSError:  # The reader has left.
                    pass
                finally:
                    stage.left.release()

            def begin(self, content_type="text/event-stream; charset=utf-8"):
                self.send_response(200)
                self.send_header("Content-Type", content_type)
                if chunked:
                    self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()

            def say(self, text):
                data = text.encode()
                self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data) if chunked else data)

            def refuse(self, status, body=None, headers=None):
                self.send_response(status)
                data = json.dumps(body or {}).encode()
                for name, value in {
                    "Content-Length": str(len(data)),
                    "Content-Type": "application/problem+json",
                    **(headers or {}),
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)

            def until_left(self):
                """Keep the connection, until the reader has closed it."""
                self.connection.settimeout(PATIENCE)
                assert self.connection.recv(1) == b""

            def log_message(self, *_):
                pass

        self.http = Listener(("127.0.0.1", 0), Handler)
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


def says(*texts, keep=False):
    def play(reader):
        reader.begin()
        for text in texts:
            reader.say(text)
        if keep:
            reader.until_left()

    return play


def refuses(status, body=None, headers=None):
    return lambda reader: reader.refuse(status, body, headers)


def positions(stream, count):
    """Of the next events that the stream yields."""
    return [next(stream).position for _ in range(count)]
