"""The same over a WebSocket: several streams on one connection (protocol §7)."""

import asyncio
import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from channels.exceptions import StopConsumer
from channels.generic.websocket import AsyncWebsocketConsumer

from access import origins
from access.authentication import authenticate_key, key_from_headers
from access.identity import Caller
from core import strict_json
from core.api.exception_handler import to_protocol_error
from core.api.serializers import StrictSerializer, validate_data
from core.errors import CONTENT_TYPE, Forbidden, Invalid, ProtocolError, RateLimited, TooLarge, Unauthenticated
from core.serving.uvicorn_protocols import ABORT_KEY
from core.serving.wsgi_bridge import request_meta
from subscriptions.serializers import Message, SubscribeMessage, UnsubscribeMessage
from subscriptions.streams import stream_start
from subscriptions.streams.consumer_base import NoChannelMixin
from subscriptions.streams.tail import Follower, StreamEnded, Tail

INTRODUCE_WITHIN = 10.0  # Seconds for a first message with a good key.
FIRST_MESSAGE = 4096  # Bytes that are parsed of somebody who is not known yet.
PARSED_HERE = 16 * 2**10  # Bytes of a message that the event loop parses itself; a thread does with more.
MESSAGES, PERIOD = 200, 10.0
"""So many messages of a connection at once, and then as many in so many seconds."""
MAX_STREAMS = 100
GOING_AWAY, POLICY, UNAUTHENTICATED, TOO_SLOW_TO_START = 1001, 1008, 4401, 4408

log = logging.getLogger("openintent.streams")


@dataclass(frozen=True, slots=True)
class _Opened:
    caller: Caller
    topics: frozenset[str]
    after: int


class EventSocket(NoChannelMixin, AsyncWebsocketConsumer):
    """Each `subscribe` is a stream with a number; each stream tells of each of its events once.

    Until a good key has come, whatever else comes closes the connection: nothing but a short message is parsed for strangers.
    """

    def __init__(self, *, tail: Tail) -> None:
        super().__init__()
        self.tail = tail
        self.key = ""
        self.caller: Caller | None = None
        self.meta: dict[str, Any] = {}
        self.streams: dict[int, asyncio.Task[None]] = {}
        self.opened = 0
        self.due = 0.0
        self.is_shut = False
        self.silence: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        self.meta = request_meta(self.scope)
        try:
            if not origins.is_allowed(self.meta.get("HTTP_ORIGIN"), self.meta.get("HTTP_HOST", "")):
                raise Forbidden("Pages of this origin may not connect. OPENINTENT_CORS_ORIGINS names those that may.")
            if key := key_from_headers(self.meta):
                await self._identify(key)
        except Exception as error:
            await self._refuse(to_protocol_error(error))
        else:
            await self.accept()
            self.silence = asyncio.create_task(self._shut_if_silent())

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        self.is_shut = True
        self._stop_timer()
        for stream in [*self.streams.values()]:
            stream.cancel()
        raise StopConsumer

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.is_shut:
            return
        try:
            self._count()
            await self._take(text_data.encode() if text_data is not None else bytes_data or b"")
        except Exception as error:
            refusal = to_protocol_error(error)
            await self._tell({"type": "error", "error": refusal.body()})
            if isinstance(refusal, Unauthenticated):
                await self.shut(UNAUTHENTICATED)
            elif self.caller is None or isinstance(refusal, RateLimited):
                await self.shut(POLICY)

    async def _take(self, raw: bytes) -> None:
        if self.caller is None and len(raw) > FIRST_MESSAGE:
            raise TooLarge("The first message, which has the key, is too large.", limit=FIRST_MESSAGE)
        message = _loaded(raw) if len(raw) <= PARSED_HERE else await self.tail.run(_loaded, raw)
        if self.caller is None:
            await self._identify(_key_in(message))
        self._stop_timer()
        body, values = _parsed(message) if len(raw) <= PARSED_HERE else await self.tail.run(_parsed, message)
        if body is SubscribeMessage:
            await self._subscribe(values)
        else:
            await self._unsubscribe(values)

    def _count(self) -> None:
        """Count a message, as access.ratelimit does. Raises RateLimited."""
        now = monotonic()
        due = max(self.due, now) + PERIOD / MESSAGES
        if due - now > PERIOD:
            raise RateLimited(1, whose="Too many messages on this connection")
        self.due = due

    async def _identify(self, key: str) -> None:
        """Raises Unauthenticated, RateLimited."""
        self.caller = await self.tail.run(authenticate_key, key, self.meta)
        self.key = key

    async def _subscribe(self, wanted: dict[str, Any]) -> None:
        if len(self.streams) >= MAX_STREAMS:
            raise Invalid(f"This connection has {MAX_STREAMS} streams. Unsubscribe from some, or name several topics at once.")
        self.key = wanted.get("key") or self.key
        opened: _Opened = await self.tail.run(_open, self.key, self.meta, wanted["topics"], wanted.get("after"))
        if self.is_shut:
            return
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

    async def _refuse(self, refusal: ProtocolError) -> None:
        """Answer the handshake with the refusal, where the server can; else it says 403."""
        self.is_shut = True
        if "websocket.http.response" not in self.scope.get("extensions", {}):
            await self.close()
            return
        body = strict_json.dumps(refusal.body())
        headers = {"Content-Type": CONTENT_TYPE, **refusal.headers}
        encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await self.base_send({"type": "websocket.http.response.start", "status": refusal.status, "headers": encoded})
        await self.base_send({"type": "websocket.http.response.body", "body": body})

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
        if not self.is_shut:
            await self.say(strict_json.text(message))

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
        except StreamEnded as ended:
            await self._tell("bye", reason=ended.reason)
            await self.socket.shut(UNAUTHENTICATED if ended.reason == "key_revoked" else GOING_AWAY)

    def _abandon(self) -> None:
        """Of a reader that takes nothing any more: the last words cannot be said, nor can the connection be closed by them."""
        if self.task and not self.task.done():
            self.socket.scope.get("state", {}).get(ABORT_KEY, self.task.cancel)()

    async def _tell(self, kind: str, **fields: Any) -> None:
        await self.socket.say(strict_json.text({"type": kind, "subscription": self.number, **fields}))


def _loaded(raw: bytes) -> Any:
    """Raises Invalid."""
    try:
        return strict_json.loads(raw)
    except strict_json.StrictJSONError as error:
        raise Invalid(str(error)) from None


def _parsed(message: Any) -> tuple[type[StrictSerializer], dict[str, Any]]:
    """Raises ValidationError."""
    known = validate_data(Message, {"type": message.get("type")} if isinstance(message, dict) else message)
    body = SubscribeMessage if known["type"] == "subscribe" else UnsubscribeMessage
    return body, validate_data(body, message)


def _key_in(message: Any) -> str:
    """The key of a message that nothing else is known of; empty without one."""
    found = (message.get("key") or message.get("api_key")) if isinstance(message, dict) else None
    return found if isinstance(found, str) else ""


def _open(key: str, meta: Mapping[str, Any], named: list[dict[str, Any]], after: int | None) -> _Opened:
    """In a thread: who follows what, from where. Raises Unauthenticated, RateLimited, IntentNotFound, PortfolioNotFound."""
    caller = authenticate_key(key, meta)
    return _Opened(caller, frozenset(map(stream_start.resolve_topic, named)), stream_start.start_position(after))
