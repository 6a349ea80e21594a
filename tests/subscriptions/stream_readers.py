"""Readers of a server's streams."""

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson
from websockets.sync.client import ClientConnection, connect

from tests.servers import Server
from tests.system.concurrent_clients import PATIENCE


@dataclass(frozen=True)
class Frame:
    """A Server-Sent Event; a comment has none of these."""

    id: str = ""
    event: str = ""
    data: str = ""
    retry: str = ""
    comment: str = ""

    @property
    def json(self) -> Any:
        return orjson.loads(self.data)


class Stream:
    """An open SSE stream, read frame by frame."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.response = response
        self.headers = response.headers

    def next(self) -> Frame | None:
        """The next frame; None at the end."""
        fields: dict[str, str] = {}
        while line := self.response.readline():
            text = line.decode().removesuffix("\n")
            if not text:
                return Frame(**fields)
            name, _, value = text.partition(":")
            fields[name or "comment"] = value.removeprefix(" ")
        return None

    def event(self) -> dict[str, Any]:
        """The next event of the log."""
        frame = self.next()
        assert frame, "the stream has ended"
        assert frame.event not in ("connected", "bye"), frame
        event: dict[str, Any] = frame.json
        assert (frame.id, frame.event) == (str(event["position"]), event["event_type"])
        return event

    def events(self, count: int) -> list[dict[str, Any]]:
        return [self.event() for _ in range(count)]


@contextmanager
def answered(server: Server, path: str, *, key: str = "dev-user-key", **headers: str) -> Iterator[http.client.HTTPResponse]:
    """The answer to a request for a stream."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc, timeout=PATIENCE)
    named = {name.replace("_", "-").title(): value for name, value in headers.items()}
    connection.request("GET", f"/api/v1{path}", headers={"X-API-Key": key, **named})
    try:
        yield connection.getresponse()
    finally:
        connection.close()


@contextmanager
def following(server: Server, path: str, *, key: str = "dev-user-key", **headers: str) -> Iterator[tuple[Stream, int]]:
    """A stream that has told where it starts, and that position."""
    with answered(server, path, key=key, **headers) as response:
        assert response.status == 200, response.read()
        stream = Stream(response)
        frame = stream.next()
        assert frame
        assert frame.event == "connected"
        yield stream, frame.json["position"]


class Socket:
    """An open WebSocket, read message by message."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def say(self, **message: Any) -> None:
        self.connection.send(orjson.dumps(message).decode())

    def next(self) -> dict[str, Any]:
        return orjson.loads(self.connection.recv(timeout=PATIENCE))  # type: ignore[no-any-return]

    def subscribe(self, *topics: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """Return the acknowledgement."""
        self.say(type="subscribe", topics=list(topics), **fields)
        return self.next()

    def event(self) -> dict[str, Any]:
        message = self.next()
        assert message["type"] == "event", message
        return message["event"]  # type: ignore[no-any-return]

    def events(self, count: int) -> list[dict[str, Any]]:
        return [self.event() for _ in range(count)]


@contextmanager
def socket(server: Server, *, key: str | None = "dev-user-key") -> Iterator[Socket]:
    headers = {"X-API-Key": key} if key else {}
    url = server.url.replace("http:", "ws:") + "/ws/v1/events"
    with connect(url, additional_headers=headers, open_timeout=PATIENCE) as connection:
        yield Socket(connection)
