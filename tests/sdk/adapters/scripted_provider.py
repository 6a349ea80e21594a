"""A provider that sends exactly the bytes of a script, so that both views of a stream, with and without an adapter, can be compared."""

import json
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Frame = dict[str, Any] | str
"""The data of a server-sent event, or bytes as they are."""


@dataclass(frozen=True)
class Script:
    """Answer of the provider.

    frames    of a stream; a dictionary alone is a whole response
    usage     what is sent after them to a caller who asked for it, as OpenAI does
    is_cut    whether the connection is lost after the last frame
    """

    frames: tuple[Frame, ...] | dict[str, Any]
    usage: dict[str, Any] | None = None
    is_cut: bool = False


class ScriptedProvider:
    """A server on a free port. The first part of a request's path is the name of a script, or of several that follow each other."""

    def __init__(self) -> None:
        self.scripts: dict[str, list[Script]] = {}
        self._server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"provider": self}))
        self._url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "ScriptedProvider":
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def play(self, *scripts: Script) -> str:
        """Return an address at which these are played, one for each request."""
        name = f"s{len(self.scripts)}"
        self.scripts[name] = list(scripts)
        return f"{self._url}/{name}"


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Callers may leave at any time."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    provider: ScriptedProvider

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or "{}")
        script = self.provider.scripts[self.path.split("/")[1]].pop(0)
        self.send_response_only(200)
        if isinstance(script.frames, dict):
            content = json.dumps(script.frames).encode()
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            return
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with suppress(OSError):  # The caller may have left.
            for frame in _frames(script, body):
                self._write(frame)
            if script.is_cut:
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
            else:
                self.wfile.write(b"0\r\n\r\n")

    do_GET = do_POST  # noqa: N815

    def _write(self, frame: Frame) -> None:
        event = f"event: {frame['type']}\n" if isinstance(frame, dict) and "type" in frame else ""
        data = frame if isinstance(frame, str) else f"{event}data: {json.dumps(frame)}\n\n"
        content = data.encode()
        self.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")

    def log_message(self, *_: Any) -> None:
        pass


def _frames(script: Script, body: dict[str, Any]) -> list[Frame]:
    frames: list[Frame] = list(script.frames)
    if script.usage is None or not (body.get("stream_options") or {}).get("include_usage"):
        return frames
    last = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o", "choices": [], "usage": script.usage}
    frames = [{"usage": None, **frame} if isinstance(frame, dict) and "choices" in frame else frame for frame in frames]
    end = len(frames) - 1 if frames and frames[-1] == DONE else len(frames)
    return [*frames[:end], last, *frames[end:]]


DONE = "data: [DONE]\n\n"
