"""Decision verbs: record a decision, on an arbitration or on its own."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from access.identity import Actor
from core.db import atomic_verb
from core.errors import Invalid
from governance.errors import MayNotDecide, NoSuchOption, SeveralPending
from governance.guards import require_decider, require_pending
from governance.models import Arbitration, Decision, Status
from governance.services.arbitrations import end_arbitration, require_not_overdue
from intents.events import EventType, NewEvent, append, require_payload_size
from intents.models import Intent
from intents.write_lock import lock_for_write

ARBITRATION = "arbitration"
"""The type of a decision on an arbitration."""


@atomic_verb
def record_decision(
    *,
    intent_id: UUID | str,
    actor: Actor,
    decision: str,
    rationale: str | None = None,
    decision_type: str = ARBITRATION,
    evidence: Sequence[dict[str, Any]] = (),
    arbitration_id: UUID | None = None,
) -> Decision:
    """Decide the named arbitration, else the only pending one (rule A-3).

    If the intent never had one, or `decision_type` is another, the decision stands alone. It is permanent. The intent returns
    to the status that a blocking arbitration found (rule A-2). A decision that would commit after the end of the arbitration,
    or of the actor's right, is refused (rule E-8).

    Raises IntentNotFound, LeaseLost, Invalid for an unknown arbitration, SeveralPending, MayNotDecide, SelfDecision,
    ArbitrationResolved, NoSuchOption, TooLarge.
    """
    intent = lock_for_write(intent_id, actor)
    now = intent.now()
    arbitration = _resolve_target(intent, arbitration_id, decision_type, now)
    right_ends = require_decider(intent, arbitration, actor, now)
    if arbitration:
        require_pending(arbitration, now)
        labels = [option["label"] for option in arbitration.options]
        if labels and decision not in labels:
            raise NoSuchOption(labels)
    recorded = Decision(
        intent=intent,
        arbitration=arbitration,
        decision=decision,
        rationale=rationale,
        decision_type=decision_type,
        evidence=list(evidence),
        decided_by=actor.id,
        created_at=now,
    )
    recorded.save(force_insert=True)
    event = _recorded_event(recorded)
    if arbitration:
        end_arbitration(intent, arbitration, Status.RESOLVED, event, actor=actor, now=now)
        require_not_overdue(intent, arbitration)
    else:
        append(intent, event, actor=actor, now=now)
    if right_ends and intent.read_clock() >= right_ends:
        raise MayNotDecide(actor.id)
    return recorded


def _resolve_target(intent: Intent, arbitration_id: UUID | None, decision_type: str, now: datetime) -> Arbitration | None:
    """Return the arbitration to decide: the named one, the only pending one, or, to be refused, the last that ended."""
    if arbitration_id is not None:
        named: Arbitration | None = Arbitration.objects.filter(intent=intent, pk=arbitration_id).first()
        if named is None:
            raise Invalid.field("arbitration_id", f"the intent has no arbitration with the id {arbitration_id}", "unknown_id")
        return named
    pending = [*Arbitration.objects.pending(now).filter(intent=intent)[:2]]
    if len(pending) > 1:
        raise SeveralPending
    if pending or decision_type != ARBITRATION:
        return pending[0] if pending else None
    last: Arbitration | None = Arbitration.objects.filter(intent=intent).order_by("-sequence").first()
    return last


def _recorded_event(decision: Decision) -> NewEvent:
    payload = {
        "decision_id": str(decision.pk),
        "arbitration_id": str(decision.arbitration_id) if decision.arbitration_id else None,
        "decision": decision.decision,
        "rationale": decision.rationale,
        "decision_type": decision.decision_type,
        "evidence": decision.evidence,
    }
    require_payload_size(payload)
    return NewEvent(EventType.DECISION_RECORDED, payload)
