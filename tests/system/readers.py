"""Readers of running servers' streams, which keep what they get, are cut off at random, and go on where they were."""

import asyncio
import random
import threading
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidMessage, WebSocketException

from tests.servers import Server
from tests.system.concurrent_clients import FULL

KEY = "dev-user-key"
STAYS = (0.1, 12.0) if FULL else (0.1, 3.0)  # Seconds until a reader is cut off.
CUT_OFF = (OSError, EOFError, TimeoutError, WebSocketException, InvalidHandshake, InvalidMessage)

Heard = tuple[int, str, str | None, int | None]
"""Of an event: position, id, intent, sequence."""


@dataclass(frozen=True)
class Topic:
    kind: str
    pk: str = ""

    @property
    def path(self) -> str:
        return "/events/subscribe" if self.kind == "all" else f"/{self.kind}s/{self.pk}/subscribe"

    @property
    def named(self) -> dict[str, Any]:
        return {"all": True} if self.kind == "all" else {self.kind: self.pk}

    def events(self, log: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
        """Those of the whole log, in its order, that belong to the topic: judged by what the log says, and by nothing else."""
        hears: set[str] = set()
        return [event for event in log if self._hears(event, hears)]

    def _hears(self, event: dict[str, Any], hears: set[str]) -> bool:
        match self.kind:
            case "all":
                return True
            case "intent":
                return event["intent_id"] == self.pk
            case "portfolio":
                begins, ends, whom = "added_to_portfolio", "removed_from_portfolio", event["portfolio_id"]
            case _:
                begins, ends, whom = "agent_assigned", "agent_unassigned", event["payload"].get("agent_id")
        is_about_it = whom == self.pk and (self.kind == "portfolio" or event["event_type"] in (begins, ends))
        was_heard = event["intent_id"] in hears
        if is_about_it and event["event_type"] == begins:
            hears.add(event["intent_id"])
        elif is_about_it and event["event_type"] == ends:
            hears.discard(event["intent_id"])
        return is_about_it or was_heard


@dataclass
class Reader(ABC):
    """Follows a topic over one connection after the other, to whichever server there is."""

    topic: Topic
    servers: Sequence[Server]
    position: int | None = 0
    """That after which it goes on; None begins with what is new."""
    heard: list[Heard] = field(default_factory=list)
    since: int | None = None
    """The position where its first stream began."""
    cuts: int = 0
    may_read: threading.Event | None = None
    """Until it is set the reader takes nothing but the first frame; None: it always reads."""
    key: str = KEY

    async def follow(self, is_calm: threading.Event) -> None:
        """Read, and be cut off now and then until it `is_calm`."""
        while True:
            stays = None if is_calm.is_set() else random.uniform(*STAYS)
            try:
                async with asyncio.timeout(stays):
                    await self.read(random.choice(self.servers).url)
            except ConnectionRefusedError:
                pass
            except CUT_OFF:
                self.cuts += 1
            await asyncio.sleep(random.uniform(0, 0.1))

    @abstractmethod
    async def read(self, url: str) -> None:
        """Follow the topic on that server until the connection is cut."""

    async def ready(self) -> None:
        while self.may_read and not self.may_read.is_set():
            await asyncio.sleep(0.01)

    def begin(self, position: int) -> None:
        assert self.position in (None, position), f"asked for what comes after {self.position}, it begins after {position}"
        self.position = position
        if self.since is None:
            self.since = position

    def hear(self, event: dict[str, Any]) -> None:
        self.heard.append((event["position"], event["id"], event["intent_id"], event["sequence"]))
        self.position = event["position"]


class SseReader(Reader):
    async def read(self, url: str) -> None:
        address = urlsplit(url)
        reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=2**16)
        try:
            writer.write(self._request(address.netloc))
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(b"HTTP/1.1 200 "):
                assert head.startswith(b"HTTP/1.1 503 "), head
                return
            async for frame in _frames(reader):
                self._take(frame)
                await self.ready()
        finally:
            writer.transport.abort()

    def _request(self, host: str) -> bytes:
        path, last = self.topic.path, ""
        if self.position is not None and random.random() < 0.5:
            path += f"?after={self.position}"
        elif self.position is not None:
            last = f"Last-Event-ID: {self.position}\r\n"
        return f"GET /api/v1{path} HTTP/1.1\r\nHost: {host}\r\nX-API-Key: {self.key}\r\n{last}\r\n".encode()

    def _take(self, frame: bytes) -> None:
        fields = dict(line.split(b": ", 1) for line in frame.split(b"\n") if not line.startswith(b":"))
        match fields.get(b"event"):
            case b"connected":
                self.begin(orjson.loads(fields[b"data"])["position"])
            case None:
                self.position = int(fields.get(b"id", self.position or 0))
            case b"bye":
                raise EOFError
            case _:
                event = orjson.loads(fields[b"data"])
                assert fields[b"id"] == str(event["position"]).encode()
                self.hear(event)


async def _frames(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Those of a chunked body, without the empty line at the end of each."""
    received = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        received += await reader.readexactly(size)
        await reader.readexactly(2)
        *whole, received = received.split(b"\n\n")
        for frame in whole:
            yield frame


class SocketReader(Reader):
    async def read(self, url: str) -> None:
        address = url.replace("http:", "ws:") + "/ws/v1/events"
        async with connect(
            address, additional_headers={"X-API-Key": self.key}, close_timeout=1, ping_interval=None
        ) as connection:
            try:
                after = {} if self.position is None else {"after": self.position}
                await connection.send(orjson.dumps({"type": "subscribe", "topics": [self.topic.named], **after}).decode())
                async for message in connection:
                    self._take(orjson.loads(message))
                    await self.ready()
            finally:
                if random.random() < 0.5:
                    connection.transport.abort()

    def _take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "event":
                self.hear(message["event"])
            case "subscribed":
                self.begin(message["position"])
            case "heartbeat":
                self.position = message["position"]
            case "bye":
                raise EOFError
            case _:
                raise ConnectionError(message)  # Here: the database is away.


class Audience:
    """Readers at work, in a thread of their own."""

    def __init__(self, readers: Sequence[Reader]) -> None:
        self.readers = readers
        self.is_calm = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._follow()), name="readers")
        self.failure: BaseException | None = None

    def __enter__(self) -> "Audience":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self.is_over.set)
        self.thread.join()

    def calm(self) -> None:
        """Cut nobody off from now on."""
        self.is_calm.set()

    def has_failed(self) -> bool:
        """Raises what a reader has raised."""
        if self.failure:
            raise self.failure
        return False

    async def _follow(self) -> None:
        self.loop, self.is_over = asyncio.get_running_loop(), asyncio.Event()
        tasks = [asyncio.create_task(self._keep(reader)) for reader in self.readers]
        await self.is_over.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, reader: Reader) -> None:
        try:
            await reader.follow(self.is_calm)
        except Exception as error:
            self.failure = error
            raise
