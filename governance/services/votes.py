"""Votes on arbitrations with an action or a quorum (rules A-11, A-13, A-16). Parts of the verb that records a decision."""

from datetime import datetime

from access.identity import Actor
from governance.errors import AlreadyVoted
from governance.models import Arbitration, Vote
from governance.permits import changes_since, require_current
from governance.services.permits import require_effect_free
from governance.terms import rebind
from intents.events import EventType, NewEvent, append, require_payload_size
from intents.models import Intent


def cast_vote(
    intent: Intent,
    arbitration: Arbitration,
    *,
    actor: Actor,
    now: datetime,
    decision: str,
    rationale: str | None,
    rebinds: bool,
) -> Vote:
    """Record the principal's vote. It is the last one if the quorum has granted, or if it refuses (`is_last`).

    Raises ArbitrationStale, EffectTaken, AlreadyVoted.
    """
    grants = decision in arbitration.grants
    if grants and arbitration.action is not None:
        if rebinds and changes_since(intent, arbitration):
            rebind(arbitration, intent)
        require_current(intent, arbitration)
        require_effect_free(intent, arbitration.action)
    counting = Vote.objects.filter(arbitration=arbitration, rebinds=arbitration.rebinds)
    if counting.filter(principal=actor.principal).exists():
        raise AlreadyVoted(actor.id)
    vote = Vote(
        arbitration=arbitration,
        decided_by=actor.id,
        principal=actor.principal,
        is_bound=actor.is_bound,
        decision=decision,
        rationale=rationale,
        grants=grants,
        rebinds=arbitration.rebinds,
        created_at=now,
    )
    vote.save(force_insert=True)
    quorum = arbitration.quorum or 1
    granted = counting.filter(grants=True).count()
    if arbitration.quorum is not None:
        payload = {
            "arbitration_id": str(arbitration.pk),
            "decision": decision,
            "rationale": rationale,
            "granted": granted,
            "quorum": quorum,
        }
        require_payload_size(payload)
        append(intent, NewEvent(EventType.VOTE_RECORDED, payload), actor=actor, now=now)
    vote.is_last = not grants or granted >= quorum
    return vote
