"""`async with client.lease(…)`, apart from its sister since that needs no asyncio (protocol K-5)."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from ._lease import Plan, unreleased, unrenewed
from .errors import LeaseConflictError, OpenIntentError
from .models import Lease

if TYPE_CHECKING:
    from .aio import AsyncOpenIntentClient


class AsyncHeldLease:
    """A lease on `scope` while the block runs. Made by `client.lease(…)`."""

    def __init__(self, client: "AsyncOpenIntentClient", plan: Plan) -> None:
        self._client = client
        self._plan = plan

    async def __aenter__(self) -> Lease:
        self._lease = await self._acquire()
        self._renewing = asyncio.create_task(self._renew())
        return self._lease

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        self._renewing.cancel()
        with suppress(asyncio.CancelledError):
            await self._renewing
        if self._plan.is_new(self._lease):
            await self._until_done(self._release())
        return False

    async def _release(self) -> None:
        try:
            await self._client.release_lease(self._plan.intent_id, self._lease.id)
        except OpenIntentError as failure:
            unreleased(self._lease, failure)

    @staticmethod
    async def _until_done(work: Awaitable[Any]) -> None:
        """Wait for it, also where this task is cancelled meanwhile: the lease would stay until it runs out."""
        task = asyncio.ensure_future(work)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            await task
            raise

    async def _acquire(self) -> Lease:
        pauses = self._plan.pauses()
        while True:
            try:
                return await self._client.acquire_lease(self._plan.intent_id, self._plan.scope, self._plan.duration_seconds)
            except LeaseConflictError:
                pause = next(pauses, None)
                if pause is None:
                    raise
            await asyncio.sleep(pause)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._plan.renew_every)
            try:
                await self._client.renew_lease(self._plan.intent_id, self._lease.id, self._plan.duration_seconds)
            except OpenIntentError as error:
                if not unrenewed(self._lease, error):
                    return
