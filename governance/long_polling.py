"""Long polling of `GET /arbitrations/{id}?wait=30` (rule A-6).

The request goes through Django as any other; if the arbitration is still pending, it is sent again once that may have
changed. In between it is a future in this process: no thread, no database connection. One task polls for all of them.
"""

import asyncio
import logging
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import orjson
from django.db import connection

from core.db import database_now
from core.serving.wsgi_bridge import WSGIBridge
from governance.models import Arbitration, Status
from governance.services import expire_arbitration
from intents import wakeups

POLL_SECONDS = 0.5  # Without a wake-up: those of other processes may not arrive.
MIN_INTERVAL = 0.05  # Seconds between two polls, however many wake-ups there are.
BATCH = 5_000  # Ids in one query; SQLite takes 32,766 parameters at most.

log = logging.getLogger("openintent.waiting")

_PATH = re.compile(r"/api/v1/arbitrations/[0-9a-fA-F-]{36}")


def is_long_poll(scope: Any) -> bool:
    return b"wait=" in scope["query_string"] and scope["method"] == "GET" and _PATH.fullmatch(scope["path"]) is not None


class LongPollMiddleware:
    """An ASGI application for the requests that `is_long_poll` accepts."""

    def __init__(self, bridge: WSGIBridge) -> None:
        self.bridge = bridge
        self.poller = ArbitrationPoller(lambda ids: bridge.threads.run(still_pending, ids))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def wait_for_disconnect() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass

        started = asyncio.get_running_loop().time()
        response = await self.bridge.fetch(scope)
        is_found = response and response[0]["status"] == 200
        body = orjson.loads(b"".join(each.get("body", b"") for each in response[1:])) if is_found else {}
        if body.get("status") == Status.PENDING:
            seconds = int(parse_qs(scope["query_string"])[b"wait"][-1])  # The view has validated it.
            disconnected = asyncio.ensure_future(wait_for_disconnect())
            try:
                async with self.poller.watch(UUID(body["id"])) as resolved:
                    timeout = max(0.0, started + seconds - asyncio.get_running_loop().time())
                    await asyncio.wait({disconnected, resolved}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
                if disconnected.done():
                    return
            finally:
                disconnected.cancel()
            response = await self.bridge.fetch(scope)
        for message in response:
            await send(message)


class ArbitrationPoller:
    """A task that polls the database for all awaited arbitrations, while there are any."""

    def __init__(self, still_pending: Callable[[list[UUID]], Any]) -> None:
        self._still_pending = still_pending
        self._futures: dict[UUID, set[asyncio.Future[None]]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None
        self._listener: wakeups.AsyncListener | None = None
        self._is_closed = False

    def close(self) -> None:
        """End all waits, and later ones at once: the server stops."""
        self._is_closed = True
        for arbitration_id in list(self._futures):
            self._resolve(arbitration_id)

    @asynccontextmanager
    async def watch(self, arbitration_id: UUID) -> AsyncIterator[asyncio.Future[None]]:
        """Yield a future that is done once the arbitration is no longer pending, or the poller is closed."""
        future = asyncio.get_running_loop().create_future()
        if self._is_closed:
            future.set_result(None)
        self._futures[arbitration_id].add(future)
        if self._task is None or self._task.done():
            self._listener = wakeups.AsyncListener()
            self._task = asyncio.create_task(self._run(self._listener))
        self._notify()  # It may have been decided since the request read it.
        try:
            yield future
        finally:
            future.cancel()
            self._futures[arbitration_id].discard(future)
            if not self._futures[arbitration_id]:
                del self._futures[arbitration_id]
                self._notify()  # The task ends if this was the last one.

    def _notify(self) -> None:
        if self._listener:
            self._listener.notify()

    async def _run(self, listener: wakeups.AsyncListener) -> None:
        with wakeups.listen(listener.notify, wakeups.events_committed, wakeups.remote_positions_assigned):
            while self._futures:
                await listener.wait(POLL_SECONDS)
                awaited = list(self._futures)
                try:
                    for start in range(0, len(awaited), BATCH):
                        batch = awaited[start : start + BATCH]
                        pending = await self._still_pending(batch)
                        for arbitration_id in batch:
                            if arbitration_id not in pending:
                                self._resolve(arbitration_id)
                except Exception:  # The database is unreachable. A request whose time is over reports that itself.
                    log.warning("awaited arbitrations could not be polled", exc_info=True)
                if awaited:
                    await asyncio.sleep(MIN_INTERVAL)

    def _resolve(self, arbitration_id: UUID) -> None:
        for future in self._futures.get(arbitration_id, ()):
            if not future.done():
                future.set_result(None)


def still_pending(ids: Collection[UUID]) -> set[UUID]:
    """Return those of the arbitrations that are pending at this moment. Runs in a worker thread.

    An overdue one is marked expired, unless a write to its intent is in progress: then it is still pending (rule E-8).
    """
    try:
        now = database_now()
        found = Arbitration.objects.pending().filter(pk__in=ids).values_list("pk", "expires_at")
        overdue = {pk for pk, expires_at in found if expires_at is not None and expires_at <= now}
        return {pk for pk, _ in found if not (pk in overdue and expire_arbitration(pk))}
    except Exception:
        connection.close()  # It may be broken, and Django checks it only at the end of a request.
        raise
