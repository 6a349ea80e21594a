"""The same over a WebSocket: several streams on one connection (protocol §7)."""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer

from access.authentication import caller_with, key_of
from access.callers import Caller
from config import strictjson
from config.api import parse_values
from config.errors import Invalid, ProtocolError, Unauthenticated
from config.http import ABORT
from config.problems import as_refusal
from subscriptions.serializers import Message, SubscribeMessage, UnsubscribeMessage
from subscriptions.streams import opening
from subscriptions.streams.quiet import Quiet
from subscriptions.streams.tail import Ended, Follower, Tail

INTRODUCE_WITHIN = 10.0  # Seconds for the first message.
MAX_STREAMS = 100
GOING_AWAY, UNAUTHENTICATED, TOO_SLOW_TO_START = 1001, 4401, 4408

log = logging.getLogger("openintent.streams")


@dataclass(frozen=True, slots=True)
class _Opened:
    caller: Caller
    topics: frozenset[str]
    after: int


class EventSocket(Quiet, AsyncWebsocketConsumer):
    """Each `subscribe` is a stream with a number; each stream tells of each of its events once."""

    def __init__(self, *, tail: Tail) -> None:
        super().__init__()
        self.tail = tail
        self.key = ""
        self.streams: dict[int, asyncio.Task[None]] = {}
        self.opened = 0
        self.is_shut = False
        self.silence: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        self.key = _key_in(dict(self.scope["headers"]))
        await self.accept()
        self.silence = asyncio.create_task(self._shut_if_silent())

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        self.is_shut = True
        self._stop_timer()
        for stream in [*self.streams.values()]:
            stream.cancel()
        raise StopConsumer

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        self._stop_timer()
        try:
            message = _parsed(text_data.encode() if text_data is not None else bytes_data or b"")
            if message["type"] == "subscribe":
                await self._subscribe(parse_values(SubscribeMessage, message))
            else:
                await self._unsubscribe(parse_values(UnsubscribeMessage, message))
        except Exception as error:
            refusal = as_refusal(error)
            await self._tell({"type": "error", "error": refusal.body()})
            if isinstance(refusal, Unauthenticated):
                await self.shut(UNAUTHENTICATED)

    async def _subscribe(self, wanted: dict[str, Any]) -> None:
        if len(self.streams) >= MAX_STREAMS:
            raise Invalid(f"This connection has {MAX_STREAMS} streams. Unsubscribe from some, or name several topics at once.")
        self.key = wanted.get("key") or self.key
        opened: _Opened = await self.tail.run(_open, self.key, wanted["topics"], wanted.get("after"))
        self.opened += 1
        stream = _Stream(self, self.opened, opened, wanted.get("event_types", []))
        self.streams[self.opened] = stream.task = asyncio.create_task(stream.run())

    async def _unsubscribe(self, wanted: dict[str, Any]) -> None:
        number = wanted["subscription"]
        stream = self.streams.pop(number, None)
        if stream is None:
            raise Invalid.field("subscription", f"{number} is none of this connection's")
        stream.cancel()
        await self._tell({"type": "unsubscribed", "subscription": number})

    async def shut(self, code: int) -> None:
        """Close it. Again does nothing."""
        if not self.is_shut:
            self.is_shut = True
            await self.close(code)

    async def _shut_if_silent(self) -> None:
        await asyncio.sleep(INTRODUCE_WITHIN)
        await self.shut(TOO_SLOW_TO_START)

    def _stop_timer(self) -> None:
        if self.silence:
            self.silence.cancel()

    async def _tell(self, message: Mapping[str, Any]) -> None:
        await self.say(strictjson.text(message))

    async def say(self, text: str) -> None:
        await self.base_send({"type": "websocket.send", "text": text})


class _Stream:
    def __init__(self, socket: EventSocket, number: int, opened: _Opened, event_types: list[str]) -> None:
        self.socket = socket
        self.number = number
        self.opened = opened
        self.event_types = event_types
        self.task: asyncio.Task[None] | None = None

    async def run(self) -> None:
        opened = self.opened
        try:
            with self.socket.tail.following(opened.topics, self.event_types, opened.after, opened.caller.key_id) as follower:
                await self._follow(follower)
        except ProtocolError as refusal:
            await self._tell("error", error=refusal.body())
        except OSError:
            return  # The reader has gone, which its connection says by itself.
        finally:
            self.socket.streams.pop(self.number, None)

    async def _follow(self, follower: Follower) -> None:
        follower.abandon = self._abandon
        await self._tell("subscribed", topics=sorted(follower.topics), position=follower.position)
        try:
            while True:
                entries = deque(await follower.next())
                if not entries:
                    await self._tell("heartbeat", position=follower.position)
                while entries:  # Taken out: while a slow reader is waited for, what it is sent is in memory once.
                    await self.socket.say(f'{{"type":"event","subscription":{self.number},"event":{entries.popleft().text}}}')
        except Ended as ended:
            await self._tell("bye", reason=ended.reason)
            await self.socket.shut(UNAUTHENTICATED if ended.reason == "key_revoked" else GOING_AWAY)

    def _abandon(self) -> None:
        """Of a reader that takes nothing any more: the last words cannot be said, nor can the connection be closed by them."""
        if self.task and not self.task.done():
            self.socket.scope.get("state", {}).get(ABORT, self.task.cancel)()

    async def _tell(self, kind: str, **fields: Any) -> None:
        await self.socket.say(strictjson.text({"type": kind, "subscription": self.number, **fields}))


def _parsed(raw: bytes) -> dict[str, Any]:
    """Raises Invalid, NotStrict, ValidationError."""
    try:
        message = strictjson.loads(raw)
    except strictjson.NotStrict as error:
        raise Invalid(str(error)) from None
    known = parse_values(Message, {"type": message.get("type")} if isinstance(message, dict) else message)
    return {**message, **known}


def _open(key: str, named: list[dict[str, Any]], after: int | None) -> _Opened:
    """In a thread: who follows what, from where. Raises Unauthenticated, RateLimited, IntentNotFound, PortfolioNotFound."""
    caller = caller_with(key)
    return _Opened(caller, frozenset(map(opening.topic, named)), opening.beginning(after))


def _key_in(headers: dict[bytes, bytes]) -> str:
    return key_of(
        {
            f"HTTP_{name.upper()}": headers.get(name.lower().replace("_", "-").encode(), b"").decode("latin-1")
            for name in ("X_API_KEY", "AUTHORIZATION")
        }
    )
