"""Decision rows and their events. Parts of verbs, which hold the intent's row lock."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from access.identity import SYSTEM, Actor
from governance.models import Arbitration, Decision
from intents.events import EventType, NewEvent, require_payload_size
from intents.models import Intent

ARBITRATION = "arbitration"
"""The type of a decision on an arbitration."""


def write_decision(
    intent: Intent,
    arbitration: Arbitration | None,
    *,
    now: datetime,
    decision: str,
    answer: dict[str, Any] | None = None,
    rationale: str | None = None,
    decision_type: str = ARBITRATION,
    evidence: Sequence[dict[str, Any]] = (),
    actor: Actor = SYSTEM,
) -> tuple[Decision, NewEvent]:
    """Insert the decision, and return it with its event, which is not appended yet. Raises TooLarge."""
    recorded = Decision(
        intent=intent,
        arbitration=arbitration,
        decision=decision,
        answer=answer,
        rationale=rationale,
        decision_type=decision_type,
        evidence=list(evidence),
        decided_by=actor.id,
        principal=actor.principal,
        created_at=now,
    )
    payload = {
        "decision_id": str(recorded.pk),
        "arbitration_id": str(arbitration.pk) if arbitration else None,
        "decision": decision,
        "answer": answer,
        "rationale": rationale,
        "decision_type": decision_type,
        "evidence": recorded.evidence,
    }
    require_payload_size(payload)
    recorded.save(force_insert=True)
    return recorded, NewEvent(EventType.DECISION_RECORDED, payload)
