"""Votes on arbitrations with an action or a quorum (rules A-11, A-13, A-16). Parts of the verb that records a decision."""

from collections.abc import Sequence
from datetime import datetime

from access.identity import Actor
from governance.errors import AlreadyVoted, MayNotDecide
from governance.gates import gates_for, granting
from governance.models import Arbitration, Gate, Vote
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

    Raises MayNotDecide if a gate names others, ArbitrationStale, EffectTaken, AlreadyVoted.
    """
    grants = decision in arbitration.grants
    gates = gates_for(arbitration.action, intent) if arbitration.action is not None else []
    if grants and arbitration.action is not None:
        _require_grantable(intent, arbitration, gates, actor, rebinds)
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
    quorum = max([arbitration.quorum or 1, *(each.quorum for each in gates)])
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


def _require_grantable(intent: Intent, arbitration: Arbitration, gates: Sequence[Gate], actor: Actor, rebinds: bool) -> None:
    """Raise MayNotDecide, ArbitrationStale or EffectTaken if the actor cannot grant the act now; `rebinds` binds it to the present."""
    if not all(granting(each)(actor) for each in gates):
        raise MayNotDecide(actor.id)
    if rebinds and changes_since(intent, arbitration):
        rebind(arbitration, intent)
    require_current(intent, arbitration)
    require_effect_free(intent, arbitration.action)
