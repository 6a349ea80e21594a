"""Asynchronous lease blocks: `async with client.lease(…)`, in a module of its own so that the rest needs no asyncio (protocol K-5, K-10)."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from types import TracebackType
from typing import Any, Literal, Protocol, TypeVar

from ._call import Call
from ._lease import (
    LOST,
    PATIENCE,
    Acquisition,
    Hold,
    Holds,
    LeaseBlock,
    is_new,
    log,
    outer_block_lost,
    patient_release_call,
    release_call,
)
from ._parameters import Id
from ._request_flow import ServerContext
from .errors import LeaseConflictError, OpenIntentError
from .models import Lease

T = TypeVar("T")

_cleanups: set[asyncio.Task[None]] = set()


class AsyncLeaseClient(Protocol):
    """The part of a client that a lease block uses."""

    _holds: Holds
    _server: ServerContext

    async def send(self, call: Call[T]) -> T: ...


class AsyncHeldLease(LeaseBlock):
    """A lease on a scope while the block runs, created by `client.lease(…)`. It may be entered again, also within itself."""

    def __init__(self, client: AsyncLeaseClient, intent_id: Id, scope: str, duration_seconds: int, wait: float) -> None:
        super().__init__(client._holds, client._server, intent_id, scope, duration_seconds, wait)
        self._client = client

    async def __aenter__(self) -> Lease:
        acquisition = Acquisition(self._request)
        try:
            return await self._enter(acquisition)
        except BaseException:
            if leave := acquisition.leave():
                await _finish(self._leave_queue(leave))
            raise

    async def _enter(self, acquisition: Acquisition) -> Lease:
        while True:
            hold = self._holds.get(self._request)
            async with hold.lock:
                try:
                    if not hold.ending.is_set():
                        await self._acquire(hold, acquisition)
                        self._entered.append(hold)
                        return hold.lease
                    continue  # Its last block has just ended.
                except OpenIntentError as error:
                    pause = acquisition.pause(error)
                    if pause is None:
                        raise
            await asyncio.sleep(pause)

    async def _leave_queue(self, leave: Call[None]) -> None:
        with suppress(OpenIntentError):  # Who ceases to ask loses the place.
            await self._client.send(leave)

    async def _acquire(self, hold: Hold, acquisition: Acquisition) -> None:
        had_token = self._has_token()
        acquiring = asyncio.create_task(self._send(acquisition))
        try:
            lease = await asyncio.shield(acquiring)
        except asyncio.CancelledError:
            cleanup = asyncio.create_task(self._give_back(acquiring))
            _cleanups.add(cleanup)
            cleanup.add_done_callback(_cleanups.discard)
            await _finish(asyncio.wait([cleanup], timeout=PATIENCE))  # Afterwards it goes on in the background.
            raise
        if not hold.enter(self._request, lease, had_token):
            await _finish(self._release(patient_release_call(lease)))
            raise outer_block_lost(lease.scope)
        if hold.keeper is None:
            hold.keeper = asyncio.create_task(self._renew(hold))

    async def _send(self, acquisition: Acquisition) -> Lease:
        return acquisition.lease(await self._client.send(acquisition.call()))

    async def _give_back(self, acquiring: asyncio.Task[Lease]) -> None:
        try:
            lease = await acquiring
            if is_new(lease, self._request.duration_seconds):
                await self._client.send(release_call(lease.intent_id, lease.id))
        except LeaseConflictError:
            return
        except OpenIntentError as error:
            log.warning("Whether the lease on %r was acquired is unknown: %s", self._request.scope, error)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        hold = self._entered.pop()
        if hold.is_of_this_process:  # In a forked child the lease is the parent's.
            await _finish(self._leave(hold))
        return False

    async def _leave(self, hold: Hold) -> None:
        async with hold.lock:
            if hold.leave(self._request):
                hold.keeper.cancel()
                with suppress(asyncio.CancelledError):
                    await hold.keeper
                if release := hold.release():
                    await self._release(release)

    async def _release(self, release: Call[None]) -> None:
        try:
            await self._client.send(release)
        except (OpenIntentError, RuntimeError) as error:  # Such as a closed client. The block's own error must not be hidden.
            self._log_release_failure(error)

    async def _renew(self, hold: Hold) -> None:
        while True:
            await asyncio.sleep(hold.renewal.pause(hold.duration))
            call, seconds = hold.renewal.call(hold.lease, hold.duration)
            try:
                await self._client.send(call)
            except LOST as error:
                return hold.mark_lost(error)
            except OpenIntentError as error:
                hold.renewal.mark_failed(hold.lease.scope, error)
            else:
                hold.renewal.mark_renewed(seconds)


async def _finish(work: Coroutine[Any, Any, Any]) -> None:
    """Do the work to its end, also if the task is cancelled meanwhile: the cancellation is raised afterwards."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    task.result()
    if cancelled:
        raise cancelled
