"""Errors of arbitrations, decisions and delegations."""

from collections.abc import Sequence
from typing import Any

from core.encoding import identifier
from core.errors import Forbidden, Invalid, ObjectNotFound, ProtocolError


class ArbitrationNotFound(ObjectNotFound):
    message = "No arbitration has the id"


class DelegationNotFound(ObjectNotFound):
    message = "No delegation has the id"


class ArbitrationResolved(ProtocolError):
    """The arbitration is no longer pending: it was decided, withdrawn, or has expired (`arbitration_status`; rules A-3, A-5). If the decision named no arbitration, it is the intent's last one. Read it again; if the question is still open, request a new arbitration. A decision on no arbitration has a `decision_type` of its own."""

    code, title, status = "arbitration_resolved", "Arbitration resolved", 409

    def __init__(self, arbitration_id: Any, status: str) -> None:
        pk = identifier(arbitration_id)
        super().__init__(f"Arbitration {pk} is {status}, not pending.", arbitration_id=pk, arbitration_status=status)


class SelfDecision(ProtocolError):
    """The requester of an arbitration cannot decide it, under any agent id: the key or the person counts (rule A-4). Let another arbiter or an operator decide, or withdraw the request."""

    code, title, status = "self_decision", "Own request", 403

    def __init__(self, actor_id: str) -> None:
        super().__init__(f"{actor_id} requested this arbitration and cannot decide it.")


class MayNotDecide(Forbidden):
    def __init__(self, actor_id: str) -> None:
        super().__init__(
            f"{actor_id} may not decide here: this requires the role arbiter or operator, or a key bound to the agent and "
            "an active delegation that covers the intent and the action decide."
        )


class SeveralPending(Invalid):
    def __init__(self) -> None:
        message = "is required: several arbitrations of the intent are pending"
        super().__init__(
            f"arbitration_id: {message}", [{"field": "arbitration_id", "message": message, "code": "several_pending"}]
        )


class NoSuchOption(Invalid):
    def __init__(self, labels: Sequence[str]) -> None:
        shown = ", ".join(labels)
        message = f"must be one of the options: {shown[:500]}{'…' if len(shown) > 500 else ''}"
        super().__init__(f"decision: {message}", [{"field": "decision", "message": message, "code": "no_such_option"}])
