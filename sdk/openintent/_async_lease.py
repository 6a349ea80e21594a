"""Asynchronous lease blocks: `async with client.lease(…)`, in a module of its own so that the rest needs no asyncio (protocol K-5)."""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Literal, Protocol

from ._lease import LeaseRequest, is_new, log_release_failure, log_renewal_failure
from ._parameters import Id
from .errors import LeaseConflictError, OpenIntentError
from .models import Lease


class AsyncLeaseClient(Protocol):
    """The part of a client that a lease block uses."""

    async def acquire_lease(self, intent_id: Id, scope: str, duration_seconds: int, /) -> Lease: ...

    async def renew_lease(self, intent_id: Id, lease_id: Id, duration_seconds: int, /) -> Lease: ...

    async def release_lease(self, intent_id: Id, lease_id: Id, /) -> None: ...


class AsyncHeldLease:
    """A lease on a scope while the block runs, created by `client.lease(…)`."""

    def __init__(self, client: AsyncLeaseClient, intent_id: Id, scope: str, duration_seconds: int, wait: float) -> None:
        self._client = client
        self._request = LeaseRequest(intent_id, scope, duration_seconds, wait)

    async def __aenter__(self) -> Lease:
        pauses = self._request.pauses()
        while True:
            try:
                self._lease = await self._client.acquire_lease(
                    self._request.intent_id, self._request.scope, self._request.duration_seconds
                )
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
                await self._client.release_lease(self._lease.intent_id, self._lease.id)
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
                await self._client.renew_lease(self._request.intent_id, self._lease.id, self._request.duration_seconds)
            except OpenIntentError as error:
                if not log_renewal_failure(self._lease, error):
                    return
