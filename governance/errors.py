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


class ArbitrationStale(ProtocolError):
    """The intent is no longer as it was when the arbitration was requested: `changed` names its version, or the bound paths with other values (rule A-11). Look at it again; to grant it all the same, send `rebind: true` with the version that you have seen as `seen_version`."""

    code, title, status = "arbitration_stale", "Arbitration stale", 409

    def __init__(self, changed: Sequence[str], *, requested: int, current: int) -> None:
        super().__init__(
            f"Since the request there have changed: {', '.join(changed)}. It was made at version {requested}; now it is {current}.",
            changed=[*changed],
            intent_version=requested,
            current_version=current,
        )


class AlreadyVoted(ProtocolError):
    """The principal has voted on this arbitration, under this or another agent id (rule A-13). A vote is final: wait for the others."""

    code, title, status = "already_voted", "Already voted", 409

    def __init__(self, actor_id: str) -> None:
        super().__init__(f"The key or person behind {actor_id} has voted on this arbitration already.")


class QuorumImpossible(Invalid):
    """Fewer principals than the `quorum` may vote on this arbitration: those of the role arbiter or operator and agents with a delegation, without the requester (rule A-13). Ask for a smaller one, or give more of them the right."""

    code, title, status = "quorum_impossible", "Quorum impossible", 400

    def __init__(self, quorum: int, eligible: int) -> None:
        message = f"is {quorum}, and only {eligible} may vote on this"
        super().__init__(f"quorum: {message}", [{"field": "quorum", "message": message, "code": "quorum_impossible"}])


class InformationRequested(ProtocolError):
    """The arbitration waits for information that somebody has asked for: `question` (rule H-9). The agent that asked answers it first; then more can be asked for."""

    code, title, status = "information_requested", "Information requested", 409

    def __init__(self, question: str) -> None:
        super().__init__("It waits for information that was asked for already.", question=question)


class NoInformationRequested(ProtocolError):
    """The arbitration waits for no information: none was asked for, or it was provided already (rule H-9). Read it again."""

    code, title, status = "no_information_requested", "No information requested", 409

    def __init__(self, arbitration_id: Any) -> None:
        super().__init__(f"The arbitration {arbitration_id} waits for no information.")


class PermitNotFound(ObjectNotFound):
    message = "No permit has the id"


class PermitMismatch(ProtocolError):
    """The permit is for another act: `member` is the first member of the action in which the two differ (rule A-10). The permit stays live. Send exactly what was approved, or ask for a permit for this."""

    code, title, status = "permit_mismatch", "Permit mismatch", 403

    def __init__(self, permit_id: Any, member: str) -> None:
        super().__init__(f"The permit {permit_id} is for another act: {member} differs.", member=member)


class PermitSpent(ProtocolError):
    """The permit was spent before (rule A-9): it allows one act, once. Read it to see when; for another act ask for another permit."""

    code, title, status = "permit_spent", "Permit spent", 409


class PermitExpired(ProtocolError):
    """The permit has expired (rule A-14). Ask for another one."""

    code, title, status = "permit_expired", "Permit expired", 409


class PermitRevoked(ProtocolError):
    """The permit was revoked (rule A-14). The log says by whom and why."""

    code, title, status = "permit_revoked", "Permit revoked", 409


class PermitStale(ProtocolError):
    """The intent is no longer as it was when the permit was granted: `changed` names its version, or the bound paths with other values (rule A-11). Ask again, about the intent as it is now."""

    code, title, status = "permit_stale", "Permit stale", 409

    def __init__(self, permit_id: Any, changed: Sequence[str]) -> None:
        since = f"The intent has changed since the permit {permit_id} was granted: {', '.join(changed)}."
        super().__init__(since, changed=[*changed])


class OutcomeRecorded(ProtocolError):
    """The outcome of the act was recorded already, and is final unless it is `unknown` (rule A-15)."""

    code, title, status = "outcome_recorded", "Outcome recorded", 409

    def __init__(self, permit_id: Any, outcome: str) -> None:
        super().__init__(f"The outcome of the permit {permit_id} is {outcome} already.", outcome=outcome)


class PermitNotSpent(ProtocolError):
    """The permit was not spent, so that its act has no outcome (rule A-15). Spend it first."""

    code, title, status = "permit_not_spent", "Permit not spent", 409

    def __init__(self, permit_id: Any, status: str) -> None:
        super().__init__(f"The permit {permit_id} is {status}, not spent.", permit_status=status)


class EffectTaken(ProtocolError):
    """Another permit, `permit_id`, holds the effect key: it is live, or its act was done or may have been done (rule A-16). Do not do it again; once its outcome is `failed`, or the permit has ended unspent, the key is free."""

    code, title, status = "effect_taken", "Effect taken", 409

    def __init__(self, effect_key: str, permit_id: Any) -> None:
        super().__init__(f"The effect {effect_key!r} is held by the permit {permit_id}.", permit_id=identifier(permit_id))


class GateNotFound(ObjectNotFound):
    message = "No gate has the id"


class PermitRequired(ProtocolError):
    """A gate, `gate_id`, binds this operation (rule A-12). Send `remedy` to `POST /intents/{id}/arbitrate`; once it is granted, send the same request again with the permit's id as `X-Permit`. Operators pass with a `reason`, in the body or as `X-Gate-Reason`. `remedy` is null where the request is too large for an action."""

    code, title, status = "permit_required", "Permit required", 403

    def __init__(self, operation: str, gate_id: Any, remedy: dict[str, Any] | None, *, because: str = "") -> None:
        way = (
            "Send the remedy to /intents/{id}/arbitrate and, once it is granted, the same request again with the permit's id as X-Permit."
            if remedy
            else "The request is too large for one."
        )
        super().__init__(
            f"A gate requires a permit for {operation}. {because or way}", gate_id=identifier(gate_id), remedy=remedy
        )
