"""ASGI application: dispatches requests to the WSGI bridge, long polling, event streams or WebSocket."""

import gc
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, cast

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"  # Even inside of another Django project.

import django

django.setup()

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler

from access import body_limits
from core.api.views import WRITES
from core.db import commit_together, has_single_writer
from core.root_path import strip_root_path
from core.serving import direct
from core.serving.shutdown import on_shutdown
from core.serving.wsgi_bridge import WSGIBridge
from core.serving.wsgi_handler import API, CachedResolverHandler
from doors.endpoint import PATH as MCP_PATH
from doors.endpoint import McpEndpoint
from governance.long_polling import LongPollMiddleware, is_long_poll
from intents.positions import Sequencer
from jobs.worker import Worker
from notices.delivery_worker import NoticeWorker
from subscriptions.streams.redis_wakeups import RedisWakeups
from subscriptions.streams.sse import EventStream, is_stream_request
from subscriptions.streams.tail import Tail
from subscriptions.streams.websocket import EventSocket
from subscriptions.webhooks.delivery_worker import DeliveryWorker

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

PLAN_PATH = f"{API}v1/intents/batch"
SOCKET_PATH = "/ws/v1/events"
SOCKET_NOT_FOUND = 4404
PATIENCE = 0.005
"""Seconds after which a request that reads from SQLite has the others go on in further threads."""
WAITING = ("/attachments", "/subscriptions", "/channels")
"""Parts of paths whose requests may wait: files may be stored elsewhere, names of receivers are looked up."""

sequencer = Sequencer()
redis_wakeups = RedisWakeups()
worker = Worker()
delivery_worker = DeliveryWorker()
notice_worker = NoticeWorker()


def is_short_write(scope: Scope) -> bool:
    """Return whether a request writes to the database and waits for nothing else."""
    path = scope["path"]
    return scope["method"] in WRITES and path.startswith(API) and not any(each in path for each in WAITING)


has_thread_for_each = settings.FAST_PATHS and has_single_writer()  # One for reads, and one for short writes.
bridge = WSGIBridge(
    CachedResolverHandler() if settings.FAST_PATHS else WSGIHandler(),
    threads=settings.THREADS,
    limits=body_limits,
    is_short_write=is_short_write if has_thread_for_each else None,
    together=commit_together,
    is_long=lambda scope: scope["path"] == PLAN_PATH,
    patience=PATIENCE if has_thread_for_each else None,
)
long_polling = LongPollMiddleware(bridge)
tail = Tail()
event_stream = EventStream.as_asgi(bridge=bridge, tail=tail)
event_socket = EventSocket.as_asgi(tail=tail)


async def serve_api(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve a request of the API that opens no stream."""
    app: Any = long_polling if is_long_poll(scope) else bridge
    await app(scope, receive, send)


mcp_endpoint = McpEndpoint(api=serve_api, bridge=bridge)
on_shutdown(long_polling.poller.close)
on_shutdown(tail.close)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Dispatch a request: plain ones to Django in a thread, streams to Channels consumers in the event loop.

    The lifespan starts and stops the background threads.
    """
    if scope["type"] == "lifespan":
        await _run_lifespan(receive, send)
        return
    _start_background()
    scope = _without_prefix(scope)
    app: Any = bridge
    if scope["type"] == "websocket":
        if scope["path"] != SOCKET_PATH:
            await send({"type": "websocket.close", "code": SOCKET_NOT_FOUND})
            return
        app = event_socket
    elif is_stream_request(scope):
        app = event_stream
    elif scope["path"] == MCP_PATH:
        app = mcp_endpoint
    elif is_long_poll(scope):
        app = long_polling
    await app(scope, receive, send)


def direct_scope(scope: Scope) -> Scope | None:
    """Return the scope as Django gets it, or None if the request is not for Django alone."""
    scope = _without_prefix(scope)
    return None if scope["path"] == MCP_PATH or is_stream_request(scope) or is_long_poll(scope) else scope


if settings.FAST_PATHS:
    direct.register(bridge, direct_scope)


def _without_prefix(scope: Scope) -> Scope:
    return cast(Scope, strip_root_path(scope)) if settings.ROOT_PATH else scope


def _start_background() -> None:
    """Start the background threads. Idempotent: servers without a lifespan (daphne) need it at every request."""
    sequencer.start()
    redis_wakeups.start()
    if settings.WORKER:
        worker.start()
        delivery_worker.start()
        notice_worker.start()


async def _run_lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            gc.freeze()  # Loaded modules stay: collecting them would pause everything for 0.2 s now and then.
            _start_background()
            await send({"type": "lifespan.startup.complete"})
        else:
            worker.stop()
            delivery_worker.stop()
            notice_worker.stop()
            sequencer.stop()
            redis_wakeups.stop()
            tail.stop()
            bridge.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
