"""Server-Sent Events (rule S-1)."""

import asyncio
import logging
import re
from collections import deque
from typing import Any
from uuid import UUID

import orjson
from channels.exceptions import StopConsumer
from channels.generic.http import AsyncHttpConsumer
from django.conf import settings

from core.errors import ProtocolError
from core.serving.uvicorn_protocols import ABORT_KEY, WRITE_KEY
from core.serving.wsgi_bridge import WSGIBridge, problem_response
from subscriptions.streams.consumer_base import NoChannelMixin
from subscriptions.streams.log_reader import StreamEvent
from subscriptions.streams.tail import Follower, StreamEnded, Tail

CHUNK = 32 * 2**10  # Bytes sent at once: a slow client's connection buffers two of them.
RETRY = 2000  # Milliseconds after which a browser reconnects.
_PATH = re.compile(
    r"/api/v1/((intents|portfolios)/[^/]+|agents/.+|events)/subscribe|/api/v1/subscribe/(intents|portfolios|agents)/.+"
    r"|/admin/follow"
)
_REPLACED_HEADERS = (b"content-type", b"content-length", b"cache-control")
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"private, no-store, no-transform"),  # A compressing proxy would delay events.
    (b"x-accel-buffering", b"no"),  # nginx would delay events.
]

log = logging.getLogger("openintent.streams")


def is_stream_request(scope: Any) -> bool:
    """Return whether the request opens an event stream."""
    return scope["method"] == "GET" and _PATH.fullmatch(scope["path"]) is not None


class EventStream(NoChannelMixin, AsyncHttpConsumer):
    """Consumer of event streams. Django handles the request first and returns a problem, or the stream's parameters (subscriptions.views)."""

    def __init__(self, *, bridge: WSGIBridge, tail: Tail) -> None:
        super().__init__()
        self.bridge = bridge
        self.tail = tail
        self.streaming: asyncio.Task[None] | None = None

    async def http_request(self, message: dict[str, Any]) -> None:
        if self.streaming is None:  # In a task, so that the consumer still receives the disconnect.
            self.streaming = asyncio.create_task(self._respond())

    async def http_disconnect(self, message: dict[str, Any]) -> None:
        if self.streaming:
            self.streaming.cancel()
        raise StopConsumer

    async def _respond(self) -> None:
        start, *parts = await self.bridge.fetch(self.scope)
        if start["status"] != 200:
            for each in (start, *parts):
                await self.send(each)
            return
        parameters = orjson.loads(b"".join(part.get("body", b"") for part in parts))
        try:
            reader = parameters.get("session") or UUID(parameters["key_id"])
            with self.tail.following(
                frozenset(parameters["topics"]), parameters["event_types"], parameters["after"], reader
            ) as follower:
                await self.send_headers(
                    headers=[*_HEADERS, *(each for each in start["headers"] if each[0] not in _REPLACED_HEADERS)]
                )
                await self._stream(follower, is_reset=parameters.get("is_reset", False))
        except ProtocolError as refusal:
            await self.bridge.send(problem_response(refusal, self.scope), self.send)

    async def _stream(self, follower: Follower, *, is_reset: bool) -> None:
        def abandon() -> None:
            """Drop the connection of a client that does not read: cancelling the task alone would leave it open."""
            if self.streaming and not self.streaming.done():
                self.scope.get("state", {}).get(ABORT_KEY, self.streaming.cancel)()

        follower.abandon = abandon
        if settings.FAST_PATHS and self.scope["http_version"] == "1.1" and (write := self.scope.get("state", {}).get(WRITE_KEY)):
            follower.send_now = lambda entries: write(b"".join([entry.chunk for entry in entries]))
        position = follower.position
        data = b'{"position":%d%s}' % (position, b',"reset":true' if is_reset else b"")
        await self._send_frames(b"retry: %d\nid: %d\nevent: connected\ndata: %s\n\n" % (RETRY, position, data))
        try:
            while True:
                entries = deque(await follower.next())
                if not entries:
                    await self._send_frames(b": nothing new\nid: %d\n\n" % follower.position)
                while entries:
                    frames = _take_frames(entries)
                    for start in range(0, len(frames), CHUNK):  # As the client reads them: no copy of a large event is buffered.
                        await self._send_frames(frames[start : start + CHUNK] if len(frames) > CHUNK else frames)
        except StreamEnded as ended:
            await self._send_frames(b'event: bye\ndata: {"reason":"%s"}\n\n' % ended.reason.encode())
            await self.send_body(b"")

    async def _send_frames(self, frames: bytes) -> None:
        await self.base_send({"type": "http.response.body", "body": frames, "more_body": True})


def _take_frames(entries: deque[StreamEvent]) -> bytes:
    """Remove the first events and return their frames, so that they are in memory once while a slow client is waited for."""
    frames: list[bytes] = []
    size = 0
    while entries and size < CHUNK:
        frames.append(entries.popleft().frame)
        size += len(frames[-1])
    return b"".join(frames)
