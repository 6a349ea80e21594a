"""The process's front door: which part of it answers what."""

import gc
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"  # Whatever the project around it has.

import django

django.setup()

from django.conf import settings

from access import body_limits
from core.root_path import strip_root_path
from core.serving.shutdown import on_shutdown
from core.serving.wsgi_bridge import WSGIBridge
from core.serving.wsgi_handler import CachedResolverHandler
from governance.long_polling import LongPollMiddleware, is_long_poll
from intents.positions import Sequencer
from jobs.worker import Worker
from subscriptions.streams.redis_wakeups import RedisWakeups
from subscriptions.streams.sse import EventStream, is_stream_request
from subscriptions.streams.tail import Tail
from subscriptions.streams.websocket import EventSocket
from subscriptions.webhooks.delivery_worker import DeliveryWorker

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

sequencer = Sequencer()
exchange = RedisWakeups()
worker = Worker()
courier = DeliveryWorker()


bridge = WSGIBridge(CachedResolverHandler(), threads=settings.THREADS, limits=body_limits)
waiting_room = LongPollMiddleware(bridge)
tail = Tail()
event_stream = EventStream.as_asgi(bridge=bridge, tail=tail)
event_socket = EventSocket.as_asgi(tail=tail)
on_shutdown(waiting_room.close)
on_shutdown(tail.close)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Plain requests go through Django in one thread each, streams to the event loop alone (Channels consumers).

    A lifespan starts and stops what runs beside them.
    """
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    _start()
    if settings.ROOT_PATH:
        scope = strip_root_path(scope)
    await _door(scope)(scope, receive, send)


def _door(scope: Scope) -> Any:
    if scope["type"] == "websocket":
        return event_socket if scope["path"] == "/ws/v1/events" else _no_socket
    if is_stream_request(scope):
        return event_stream
    return waiting_room if is_long_poll(scope) else bridge


async def _no_socket(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "websocket.close", "code": 4404})


def _start() -> None:
    """Again does nothing: a server without a lifespan (daphne) asks at every request."""
    sequencer.start()
    exchange.start()
    if settings.WORKER:
        worker.start()
        courier.start()


async def _live(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            gc.freeze()  # What was loaded stays: going through it for garbage would halt everything for 0.2 s now and then.
            _start()
            await send({"type": "lifespan.startup.complete"})
        else:
            worker.stop()
            courier.stop()
            sequencer.stop()
            exchange.stop()
            tail.stop()
            bridge.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
