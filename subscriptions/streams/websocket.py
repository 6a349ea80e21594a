"""WebSocket consumer: several streams on one connection (protocol §7)."""

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
from core.api.throttling import next_due
from core.errors import CONTENT_TYPE, Forbidden, Invalid, ProtocolError, RateLimited, TooLarge, Unauthenticated
from core.serving.uvicorn_protocols import ABORT_KEY
from core.serving.wsgi_bridge import request_meta
from subscriptions.serializers import Message, SubscribeMessage, UnsubscribeMessage
from subscriptions.streams import stream_start
from subscriptions.streams.consumer_base import NoChannelMixin
from subscriptions.streams.tail import Follower, StreamEnded, Tail

AUTHENTICATION_TIMEOUT = 10.0  # Seconds for a first message with a valid key.
MAX_FIRST_MESSAGE = 4096  # Bytes parsed before authentication.
PARSE_INLINE = 16 * 2**10  # Bytes of a message parsed in the event loop; larger ones in a thread.
MESSAGES, PERIOD = 200, 10.0
"""Rate limit of messages per connection."""
MAX_STREAMS = 100
GOING_AWAY, POLICY_VIOLATION, UNAUTHENTICATED, AUTHENTICATION_TIMED_OUT = 1001, 1008, 4401, 4408

log = logging.getLogger("openintent.streams")


@dataclass(frozen=True, slots=True)
class _StreamStart:
    caller: Caller
    topics: frozenset[str]
    after: int


class EventSocket(NoChannelMixin, AsyncWebsocketConsumer):
    """Consumer of `/ws/v1/events`: each `subscribe` opens a numbered stream, which sends each of its events once.

    Before authentication only a short message with a key is parsed; anything else closes the connection.
    """

    def __init__(self, *, tail: Tail) -> None:
        super().__init__()
        self.tail = tail
        self.key = ""
        self.caller: Caller | None = None
        self.meta: dict[str, Any] = {}
        self.streams: dict[int, asyncio.Task[None]] = {}
        self.last_number = 0
        self.due = 0.0
        self.is_closed = False
        self.timeout: asyncio.Task[None] | None = None

    async def connect(self) -> None:
        async def close_if_unauthenticated() -> None:
            await asyncio.sleep(AUTHENTICATION_TIMEOUT)
            await self.close_once(AUTHENTICATION_TIMED_OUT)

        self.meta = request_meta(self.scope)
        try:
            if not origins.is_allowed(self.meta.get("HTTP_ORIGIN"), self.meta.get("HTTP_HOST", "")):
                raise Forbidden("This origin is not allowed. OPENINTENT_CORS_ORIGINS lists the allowed ones.")
            if key := key_from_headers(self.meta):
                await self._authenticate(key)
        except Exception as error:
            refusal = to_protocol_error(error)
            self.is_closed = True
            if "websocket.http.response" not in self.scope.get("extensions", {}):
                await self.close()  # The server answers with 403.
                return
            headers = {"Content-Type": CONTENT_TYPE, **refusal.headers}
            encoded = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
            await self.base_send({"type": "websocket.http.response.start", "status": refusal.status, "headers": encoded})
            await self.base_send({"type": "websocket.http.response.body", "body": strict_json.dumps(refusal.body())})
        else:
            await self.accept()
            self.timeout = asyncio.create_task(close_if_unauthenticated())

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        self.is_closed = True
        self._stop_timer()
        for stream in [*self.streams.values()]:
            stream.cancel()
        raise StopConsumer

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        if self.is_closed:
            return
        try:
            now = monotonic()
            due = next_due(self.due, now, PERIOD / MESSAGES)
            if due - now > PERIOD:
                raise RateLimited(1, reason="Too many messages on this connection")
            self.due = due
            await self._handle(text_data.encode() if text_data is not None else bytes_data or b"")
        except Exception as error:
            refusal = to_protocol_error(error)
            await self._send_message({"type": "error", "error": refusal.body()})
            if isinstance(refusal, Unauthenticated):
                await self.close_once(UNAUTHENTICATED)
            elif self.caller is None or isinstance(refusal, RateLimited):
                await self.close_once(POLICY_VIOLATION)

    async def _handle(self, raw: bytes) -> None:
        if self.caller is None and len(raw) > MAX_FIRST_MESSAGE:
            raise TooLarge("The first message, with the key, is too large.", limit=MAX_FIRST_MESSAGE)
        message = _parse_json(raw) if len(raw) <= PARSE_INLINE else await self.tail.run(_parse_json, raw)
        if self.caller is None:
            key = (message.get("key") or message.get("api_key")) if isinstance(message, dict) else None
            await self._authenticate(key if isinstance(key, str) else "")
        self._stop_timer()
        body, values = _validate(message) if len(raw) <= PARSE_INLINE else await self.tail.run(_validate, message)
        if body is SubscribeMessage:
            await self._subscribe(values)
            return
        number = values["subscription"]
        stream = self.streams.pop(number, None)
        if stream is None:
            raise Invalid.field("subscription", f"this connection has no subscription {number}")
        stream.cancel()
        await self._send_message({"type": "unsubscribed", "subscription": number})

    async def _authenticate(self, key: str) -> None:
        """Authenticate the connection. Raise Unauthenticated if the key is not valid, RateLimited beyond its limit."""
        self.caller = await self.tail.run(authenticate_key, key, self.meta)
        self.key = key

    async def _subscribe(self, values: dict[str, Any]) -> None:
        if len(self.streams) >= MAX_STREAMS:
            raise Invalid(
                f"This connection has reached its limit of {MAX_STREAMS} streams. Unsubscribe from some, or combine topics."
            )
        self.key = values.get("key") or self.key
        opened: _StreamStart = await self.tail.run(_open, self.key, self.meta, values["topics"], values.get("after"))
        if self.is_closed:
            return
        self.last_number += 1
        stream = _Stream(self, self.last_number, opened, values.get("event_types", []))
        self.streams[self.last_number] = stream.task = asyncio.create_task(stream.run())

    async def close_once(self, code: int) -> None:
        """Close the connection. Idempotent."""
        if not self.is_closed:
            self.is_closed = True
            await self.close(code)

    def _stop_timer(self) -> None:
        if self.timeout:
            self.timeout.cancel()

    async def _send_message(self, message: Mapping[str, Any]) -> None:
        if not self.is_closed:
            await self.send_text(strict_json.text(message))

    async def send_text(self, text: str) -> None:
        await self.base_send({"type": "websocket.send", "text": text})


class _Stream:
    def __init__(self, socket: EventSocket, number: int, opened: _StreamStart, event_types: list[str]) -> None:
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
            await self._send_message("error", error=refusal.body())
        except OSError:
            return  # The client is gone, which the disconnect handles.
        finally:
            self.socket.streams.pop(self.number, None)

    async def _follow(self, follower: Follower) -> None:
        def abandon() -> None:
            """Drop the connection of a client that does not read, which could not be closed otherwise."""
            if self.task and not self.task.done():
                self.socket.scope.get("state", {}).get(ABORT_KEY, self.task.cancel)()

        follower.abandon = abandon
        await self._send_message("subscribed", topics=sorted(follower.topics), position=follower.position)
        try:
            while True:
                entries = deque(await follower.next())
                if not entries:
                    await self._send_message("heartbeat", position=follower.position)
                while entries:  # Removed, so that they are in memory once while a slow client is waited for.
                    await self.socket.send_text(
                        f'{{"type":"event","subscription":{self.number},"event":{entries.popleft().text}}}'
                    )
        except StreamEnded as ended:
            await self._send_message("bye", reason=ended.reason)
            await self.socket.close_once(UNAUTHENTICATED if ended.reason == "key_revoked" else GOING_AWAY)

    async def _send_message(self, kind: str, **fields: Any) -> None:
        await self.socket.send_text(strict_json.text({"type": kind, "subscription": self.number, **fields}))


def _parse_json(raw: bytes) -> Any:
    """Return the parsed JSON. Raise Invalid if it is not strict JSON."""
    try:
        return strict_json.loads(raw)
    except strict_json.StrictJSONError as error:
        raise Invalid(str(error)) from None


def _validate(message: Any) -> tuple[type[StrictSerializer], dict[str, Any]]:
    """Return the message class and its validated data. Raise ValidationError if it is not valid."""
    known = validate_data(Message, {"type": message.get("type")} if isinstance(message, dict) else message)
    body = SubscribeMessage if known["type"] == "subscribe" else UnsubscribeMessage
    return body, validate_data(body, message)


def _open(key: str, meta: Mapping[str, Any], named: list[dict[str, Any]], after: int | None) -> _StreamStart:
    """Return caller, topics and start of a stream. Raise Unauthenticated, RateLimited, IntentNotFound or PortfolioNotFound."""
    caller = authenticate_key(key, meta)
    return _StreamStart(caller, frozenset(map(stream_start.resolve_topic, named)), stream_start.start_position(after))
