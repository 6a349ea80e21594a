"""Asynchronous lease blocks: `async with client.lease(…)`, in a module of its own so that the rest needs no asyncio (protocol K-5)."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Literal

from ._endpoint import AsyncTransport
from ._lease import LeaseRequest, is_new, log_release_failure, log_renewal_failure
from .errors import LeaseConflictError, OpenIntentError
from .models import Lease


class AsyncHeldLease:
    """A lease on a scope while the block runs, created by `client.lease(…)`."""

    def __init__(self, client: AsyncTransport, request: LeaseRequest) -> None:
        self._client = client
        self._request = request

    async def __aenter__(self) -> Lease:
        pauses = self._request.pauses()
        while True:
            try:
                self._lease = await self._client.send(self._request.acquire())
                break
            except LeaseConflictError:
                pause = next(pauses, None)
                if pause is None:
                    raise
            await asyncio.sleep(pause)
        self._renewal = asyncio.create_task(self._renew())
        return self._lease

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        async def release() -> None:
            try:
                await self._client.send(self._request.release(self._lease))
            except OpenIntentError as failure:  # The lease expires, and the block's own error must not be hidden.
                log_release_failure(self._lease, failure)

        self._renewal.cancel()
        with suppress(asyncio.CancelledError):
            await self._renewal
        if is_new(self._lease, self._request.duration_seconds):
            releasing = asyncio.create_task(release())
            try:
                await asyncio.shield(releasing)
            except asyncio.CancelledError:  # Release all the same: otherwise the lease would stay until it expires.
                await releasing
                raise
        return False

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._request.renew_interval)
            try:
                await self._client.send(self._request.renew(self._lease))
            except OpenIntentError as error:
                if not log_renewal_failure(self._lease, error):
                    return
