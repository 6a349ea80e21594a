"""Permit blocks: `with client.permit(…)` asks for an act, spends the permit and records what came of it (protocol §9)."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Protocol, TypeVar

from ._call import Call
from ._parameters import Id
from ._request_flow import RequestFlow, ServerContext, request_flow
from ._short_repr import one_line
from ._wait_for_decision import decision_flow
from .enums import PermitOutcome
from .errors import NotExecuted, NotFoundError, OpenIntentError, PermitRefusedError
from .models import Arbitration, Permit

OPTIONS = ("approve", "refuse")
"""The answers that people choose from; the first one grants."""

MAX_NOTE = 2_000

log = logging.getLogger("openintent")

T = TypeVar("T")


def permit_flow(
    read: Callable[[int], Call[Arbitration]],
    permits: Call[list[Permit]],
    intent_id: Id,
    timeout: float | None,
    server: ServerContext,
) -> RequestFlow[Permit]:
    """Wait for the decision, and return the permit that it has made. Raise PermitRefusedError if it does not grant the act."""
    decided = yield from decision_flow(read, intent_id, timeout, server)
    decision = decided.decision
    if decision is None or decision.decision not in decided.grants:
        said = decision.decision if decision else decided.status
        raise PermitRefusedError(f"The act was not granted: {said}", arbitration=decided)
    found = yield from request_flow(permits, server)
    for permit in found:
        if permit.decision_id == decision.id:
            return permit
    raise NotFoundError(f"The decision {decision.id} has made no permit.", code="not_found")


@dataclass(frozen=True, slots=True)
class PermitRequest:
    """The arguments of a permit block."""

    intent_id: Id
    action: Mapping[str, Any]
    asking: Call[Arbitration]
    timeout: float | None

    def describe(self, name: str) -> str:
        """Return the representation of the block."""
        return one_line(
            name, [("verb", self.action["verb"]), ("target", self.action["target"]), ("intent_id", str(self.intent_id))]
        )


def outcome_of(error: BaseException | None) -> tuple[PermitOutcome, str | None]:
    """Return the outcome of a block that ended so: only NotExecuted says that there was no effect."""
    if error is None:
        return PermitOutcome.SUCCEEDED, None
    note = f"{type(error).__name__}: {error}"[:MAX_NOTE]
    return (PermitOutcome.FAILED if isinstance(error, NotExecuted) else PermitOutcome.UNKNOWN), note


class PermitClient(Protocol):
    """The part of a client that a permit block uses."""

    def send(self, call: Call[T]) -> T: ...
    def wait_for_permit(self, intent_id: Id, arbitration_id: Id, timeout: float | None = None) -> Permit: ...
    def spend_permit(self, permit_id: Id, action: Any, *, intent_id: Id | None = None) -> Permit: ...
    def record_outcome(self, permit_id: Id, outcome: PermitOutcome | str, note: str | None = None) -> Permit: ...


class HeldPermit:
    """A permit that is spent on an act, the block, created by `client.permit(…)`. Entered once."""

    def __init__(self, client: PermitClient, request: PermitRequest) -> None:
        self._client = client
        self._request = request
        self._spent: Permit | None = None

    def __repr__(self) -> str:
        return self._request.describe(type(self).__name__)

    def __enter__(self) -> Permit:
        request = self._request
        asked = self._client.send(request.asking)
        permit = self._client.wait_for_permit(request.intent_id, asked.id, request.timeout)
        self._spent = self._client.spend_permit(permit.id, request.action, intent_id=request.intent_id)
        return self._spent

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> Literal[False]:
        assert self._spent
        try:
            self._client.record_outcome(self._spent.id, *outcome_of(error))
        except OpenIntentError as failure:  # The block's own result or error must not be hidden; the server shows it as unknown.
            log_unrecorded(self._spent, failure)
        return False


def log_unrecorded(permit: Permit, failure: OpenIntentError) -> None:
    log.warning("The outcome of the permit %s for %s was not recorded: %s", permit.id, permit.verb, failure)
