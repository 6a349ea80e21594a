"""Server-Sent Events (rule S-1): a follower's events as text, over a response that does not end."""

import asyncio
import logging
import re
from collections import deque
from typing import Any
from uuid import UUID

import orjson
from channels.exceptions import StopConsumer
from channels.generic.http import AsyncHttpConsumer

from core.errors import ProtocolError
from core.serving.uvicorn_protocols import ABORT_KEY, WRITE_KEY
from core.serving.wsgi_bridge import WSGIBridge, send_problem
from subscriptions.streams.consumer_base import NoChannelMixin
from subscriptions.streams.log_reader import StreamEvent
from subscriptions.streams.tail import Follower, StreamEnded, Tail

PIECE = 32 * 2**10  # Bytes that are sent at once: a slow reader's connection keeps two of them.
RETRY = 2000  # Milliseconds after which a browser opens the stream again.
_PATH = re.compile(
    r"/api/v1/((intents|portfolios)/[^/]+|agents/.+|events)/subscribe|/api/v1/subscribe/(intents|portfolios|agents)/.+"
    r"|/admin/follow"
)
_OF_THE_TICKET = (b"content-type", b"content-length", b"cache-control")
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"private, no-store, no-transform"),  # What compresses it keeps events back until it has enough.
    (b"x-accel-buffering", b"no"),  # nginx would keep events back until it has some kilobytes.
]

log = logging.getLogger("openintent.streams")


def is_stream_request(scope: Any) -> bool:
    return scope["method"] == "GET" and _PATH.fullmatch(scope["path"]) is not None


class EventStream(NoChannelMixin, AsyncHttpConsumer):
    """The request goes through Django as any other, which answers a refusal, or a ticket for the stream (subscriptions.views)."""

    def __init__(self, *, bridge: WSGIBridge, tail: Tail) -> None:
        super().__init__()
        self.bridge = bridge
        self.tail = tail
        self.streaming: asyncio.Task[None] | None = None

    async def http_request(self, message: dict[str, Any]) -> None:
        if self.streaming is None:  # In a task of its own: the consumer goes on to listen for the reader's departure.
            self.streaming = asyncio.create_task(self._answer())

    async def http_disconnect(self, message: dict[str, Any]) -> None:
        if self.streaming:
            self.streaming.cancel()
        raise StopConsumer

    async def _answer(self) -> None:
        start, *parts = await self.bridge.fetch(self.scope)
        if start["status"] != 200:
            for each in (start, *parts):
                await self.send(each)
            return
        ticket = orjson.loads(b"".join(part.get("body", b"") for part in parts))
        try:
            reader = ticket.get("session") or UUID(ticket["key_id"])
            with self.tail.following(frozenset(ticket["topics"]), ticket["event_types"], ticket["after"], reader) as follower:
                await self.send_headers(
                    headers=[*_HEADERS, *(each for each in start["headers"] if each[0] not in _OF_THE_TICKET)]
                )
                await self._stream(follower, is_reset=ticket.get("is_reset", False))
        except ProtocolError as refusal:
            await send_problem(refusal, self.scope, self.send)

    async def _stream(self, follower: Follower, *, is_reset: bool) -> None:
        follower.abandon = self._abandon
        if self.scope["http_version"] == "1.1" and (write := self.scope.get("state", {}).get(WRITE_KEY)):
            follower.send_now = lambda entries: write(b"".join([entry.chunk for entry in entries]))
        position = follower.position
        said = b'{"position":%d%s}' % (position, b',"reset":true' if is_reset else b"")
        await self._say(b"retry: %d\nid: %d\nevent: connected\ndata: %s\n\n" % (RETRY, position, said))
        try:
            while True:
                entries = deque(await follower.next())
                if not entries:
                    await self._say(b": nothing new\nid: %d\n\n" % follower.position)
                while entries:
                    await self._say_in_pieces(_first(entries))
        except StreamEnded as ended:
            await self._say(b'event: bye\ndata: {"reason":"%s"}\n\n' % ended.reason.encode())
            await self.send_body(b"")

    def _abandon(self) -> None:
        """Of a reader that takes nothing any more: cancelled alone, the stream would leave the connection open, and silent."""
        if self.streaming and not self.streaming.done():
            self.scope.get("state", {}).get(ABORT_KEY, self.streaming.cancel)()

    async def _say_in_pieces(self, frames: bytes) -> None:
        """Send some, and wait until the reader takes them: of a large event a slow reader's connection keeps no copy."""
        for start in range(0, len(frames), PIECE):
            await self._say(frames[start : start + PIECE] if len(frames) > PIECE else frames)

    async def _say(self, frames: bytes) -> None:
        await self.base_send({"type": "http.response.body", "body": frames, "more_body": True})


def _first(entries: deque[StreamEvent]) -> bytes:
    """The first of them, taken out: while a slow reader is waited for, what it is sent is in memory once."""
    frames: list[bytes] = []
    size = 0
    while entries and size < PIECE:
        frames.append(entries.popleft().frame)
        size += len(frames[-1])
    return b"".join(frames)
