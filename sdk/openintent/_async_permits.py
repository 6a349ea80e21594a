"""Asynchronous permit blocks: `async with client.permit(…)` (protocol §9)."""

from types import TracebackType
from typing import Any, Literal, Protocol, TypeVar

from ._call import Call
from ._parameters import Id
from ._permits import PermitRequest, log_unrecorded, outcome_of
from .enums import PermitOutcome
from .errors import OpenIntentError
from .models import Permit

T = TypeVar("T")


class AsyncPermitClient(Protocol):
    """The part of a client that a permit block uses."""

    async def send(self, call: Call[T]) -> T: ...
    async def wait_for_permit(self, intent_id: Id, arbitration_id: Id, timeout: float | None = None) -> Permit: ...
    async def spend_permit(self, permit_id: Id, action: Any, *, intent_id: Id | None = None) -> Permit: ...
    async def record_outcome(self, permit_id: Id, outcome: PermitOutcome | str, note: str | None = None) -> Permit: ...


class AsyncHeldPermit:
    """A permit that is spent on an act, the block, created by `client.permit(…)`. Entered once."""

    def __init__(self, client: AsyncPermitClient, request: PermitRequest) -> None:
        self._client = client
        self._request = request
        self._spent: Permit | None = None

    def __repr__(self) -> str:
        return self._request.describe(type(self).__name__)

    async def __aenter__(self) -> Permit:
        request = self._request
        asked = await self._client.send(request.asking)
        permit = await self._client.wait_for_permit(request.intent_id, asked.id, request.timeout)
        self._spent = await self._client.spend_permit(permit.id, request.action, intent_id=request.intent_id)
        return self._spent

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        assert self._spent
        try:
            await self._client.record_outcome(self._spent.id, *outcome_of(error))
        except OpenIntentError as failure:  # The block's own result or error must not be hidden; the server shows it as unknown.
            log_unrecorded(self._spent, failure)
        return False
