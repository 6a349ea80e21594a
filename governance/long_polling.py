"""`GET /arbitrations/{id}?wait=30`: callers that wait for a decision (rule A-6).

The request goes through Django as any other; where the arbitration is still pending, it goes again once that may have
changed. In between it is a future in this process: no thread, no connection to the database. One task looks for all.
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
from django.db.models import BooleanField, Case, When
from django.db.models.functions import Now

from core.serving.wsgi_bridge import WSGIBridge
from governance.models import Arbitration, Status
from governance.services import expire_arbitration
from intents import wakeups

POLL_SECONDS = 0.5  # Seconds without a ring, after which the watcher looks by itself: another process rings no bell here.
MIN_INTERVAL = 0.05  # Seconds between two looks, however often it rings.
BATCH = 5_000  # Ids in one query; SQLite takes 32,766 parameters at most.

log = logging.getLogger("openintent.waiting")

_PATH = re.compile(r"/api/v1/arbitrations/[0-9a-fA-F-]{36}")


def is_long_poll(scope: Any) -> bool:
    return b"wait=" in scope["query_string"] and scope["method"] == "GET" and _PATH.fullmatch(scope["path"]) is not None


class LongPollMiddleware:
    """An ASGI application for the requests that `asks_to_wait` says of."""

    def __init__(self, bridge: WSGIBridge) -> None:
        self.bridge = bridge
        self.watcher = ArbitrationPoller(lambda ids: bridge.threads.run(still_pending, ids))

    def close(self) -> None:
        """Answer all who wait, as it stands: the server stops."""
        self.watcher.close()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        begun = asyncio.get_running_loop().time()
        answer = await self.bridge.fetch(scope)
        if pending := _pending(answer):
            seconds = int(parse_qs(scope["query_string"])[b"wait"][-1])  # The view has found it to be a number.
            if not await self._wait(pending, begun + seconds, receive):
                return
            answer = await self.bridge.fetch(scope)
        for message in answer:
            await send(message)

    async def _wait(self, arbitration_id: UUID, until: float, receive: Any) -> bool:
        """Until it may be decided, or it is time. Answers whether the caller is still there."""
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            async with self.watcher.watching(arbitration_id) as over:
                left = max(0.0, until - asyncio.get_running_loop().time())
                await asyncio.wait({gone, over}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
            return not gone.done()
        finally:
            gone.cancel()


class ArbitrationPoller:
    """Asks the database for all arbitrations that somebody waits for, while somebody does."""

    def __init__(self, still_pending: Callable[[list[UUID]], Any]) -> None:
        self._still_pending = still_pending
        self._waited_for: dict[UUID, set[asyncio.Future[None]]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None
        self._ear: wakeups.AsyncListener | None = None
        self._is_closed = False

    def close(self) -> None:
        """Nobody needs to wait any longer."""
        self._is_closed = True
        for arbitration_id in list(self._waited_for):
            self._wake(arbitration_id)

    @asynccontextmanager
    async def watching(self, arbitration_id: UUID) -> AsyncIterator[asyncio.Future[None]]:
        """A future that is done once the arbitration is not pending any more, or the watcher is closed."""
        over = asyncio.get_running_loop().create_future()
        if self._is_closed:
            over.set_result(None)
        self._waited_for[arbitration_id].add(over)
        if self._task is None or self._task.done():
            self._ear = wakeups.AsyncListener()
            self._task = asyncio.create_task(self._watch(self._ear))
        self._listen_up()  # It may have been decided since the caller read it.
        try:
            yield over
        finally:
            self._leave(arbitration_id, over)

    def _leave(self, arbitration_id: UUID, over: asyncio.Future[None]) -> None:
        over.cancel()
        self._waited_for[arbitration_id].discard(over)
        if not self._waited_for[arbitration_id]:
            del self._waited_for[arbitration_id]
            self._listen_up()  # The watcher ends where it was the last one.

    def _listen_up(self) -> None:
        if self._ear:
            self._ear.notify()

    async def _watch(self, ear: wakeups.AsyncListener) -> None:
        with wakeups.listen(ear.notify, wakeups.events_committed, wakeups.remote_positions_assigned):
            while self._waited_for:
                await ear.wait(POLL_SECONDS)
                if self._waited_for:
                    await self._look_for_all()
                    await asyncio.sleep(MIN_INTERVAL)

    async def _look_for_all(self) -> None:
        asked = list(self._waited_for)
        for start in range(0, len(asked), BATCH):
            part = asked[start : start + BATCH]
            try:
                pending = await self._still_pending(part)
            except Exception:  # The database is away. Those who wait longer than that are told by their own request.
                log.warning("the watcher of arbitrations could not look", exc_info=True)
                return
            for arbitration_id in part:
                if arbitration_id not in pending:
                    self._wake(arbitration_id)

    def _wake(self, arbitration_id: UUID) -> None:
        for over in self._waited_for.get(arbitration_id, ()):
            if not over.done():
                over.set_result(None)


def still_pending(ids: Collection[UUID]) -> set[UUID]:
    """In a thread of the bridge: which of these are pending at this moment.

    One that has run out is marked expired, unless somebody may be deciding it: then it is still pending (rule E-8).
    """
    try:
        pending = Arbitration.objects.pending().filter(pk__in=ids)
        is_over = Case(When(expires_at__lte=Now(), then=True), default=False, output_field=BooleanField())
        found = pending.annotate(is_over=is_over).values_list("pk", "is_over")
        return {pk for pk, is_over in found if not (is_over and expire_arbitration(pk, wait=False))}
    except Exception:
        connection.close()  # It may be broken, and Django looks after it at the end of a request only.
        raise


def _pending(answer: list[Any]) -> UUID | None:
    """The id of the arbitration that was answered, if it is pending."""
    if not answer or answer[0]["status"] != 200:
        return None
    body = orjson.loads(b"".join(message.get("body", b"") for message in answer[1:]))
    return UUID(body["id"]) if body["status"] == Status.PENDING else None


async def _disconnected(receive: Any) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
