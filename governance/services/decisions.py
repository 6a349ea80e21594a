"""Decision verbs: record a decision, on an arbitration or on its own."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from access.identity import Actor
from core.db import atomic_verb
from core.errors import Invalid
from governance.decision_rows import ARBITRATION, write_decision
from governance.errors import MayNotDecide, NoSuchOption, SeveralPending
from governance.guards import require_decider, require_pending
from governance.models import Arbitration, Decision, Status, Vote
from governance.permits import grant
from governance.question_terms import require_valid_answer
from governance.services.arbitrations import end_arbitration, require_not_overdue
from governance.services.votes import cast_vote
from intents.events import append
from intents.models import Intent
from intents.write_lock import lock_for_write


@atomic_verb
def record_decision(
    *,
    intent_id: UUID | str,
    actor: Actor,
    decision: str,
    answer: dict[str, Any] | None = None,
    rationale: str | None = None,
    decision_type: str = ARBITRATION,
    evidence: Sequence[dict[str, Any]] = (),
    arbitration_id: UUID | None = None,
    rebind: bool = False,
    seen_version: int | None = None,
) -> Decision | Vote:
    """Decide the named arbitration, else the only pending one (rule A-3). Return the decision, or the vote if more are needed.

    A decision that grants an action makes its permit (rule A-8). If the intent has changed since the request, that needs
    `rebind`, with the `seen_version` (rule A-11). If the intent never had one, or `decision_type` is another, the decision stands
    alone. It is permanent. The intent returns to the status that a blocking arbitration found (rule A-2).

    Raises IntentNotFound, LeaseLost, Invalid for an unknown arbitration or an answer that is not valid (rule H-1),
    SeveralPending, MayNotDecide, SelfDecision, ArbitrationResolved, NoSuchOption, TooLarge, VersionConflict, ArbitrationStale,
    AlreadyVoted, EffectTaken.
    """
    intent = lock_for_write(intent_id, actor, None, seen_version)
    now = intent.now()
    arbitration = _resolve_target(intent, arbitration_id, decision_type, now)
    right_ends = require_decider(intent, arbitration, actor, now)
    vote = None
    if arbitration:
        require_pending(arbitration, now)
        _require_option(arbitration, decision)
        require_valid_answer(arbitration, decision, answer)
    elif answer is not None:
        raise Invalid.field("answer", "there is no question with a response_schema", "no_schema")
    if arbitration and arbitration.needs_votes:
        vote = cast_vote(intent, arbitration, actor=actor, now=now, decision=decision, rationale=rationale, rebinds=rebind)
    if vote and not vote.is_last:
        _require_in_time(intent, arbitration, right_ends, actor)
        return vote
    recorded, event = write_decision(
        intent,
        arbitration,
        now=now,
        decision=decision,
        answer=answer,
        rationale=rationale,
        decision_type=decision_type,
        evidence=evidence,
        actor=actor,
    )
    if arbitration:
        end_arbitration(intent, arbitration, Status.RESOLVED, event, actor=actor, now=now)
    else:
        append(intent, event, actor=actor, now=now)
    if arbitration and arbitration.action is not None and vote and vote.grants:
        grant(intent, arbitration, recorded, actor=actor, now=now)
    _require_in_time(intent, arbitration, right_ends, actor)
    return recorded


def _require_option(arbitration: Arbitration, decision: str) -> None:
    """Raise NoSuchOption if the arbitration has options, and the decision is none of their labels (rule A-3)."""
    labels = [option["label"] for option in arbitration.options]
    if labels and decision not in labels:
        raise NoSuchOption(labels)


def _require_in_time(intent: Intent, arbitration: Arbitration | None, right_ends: datetime | None, actor: Actor) -> None:
    """Raise ArbitrationResolved or MayNotDecide if the verb would commit after the arbitration's end or the actor's right (rule E-8)."""
    if arbitration:
        require_not_overdue(intent, arbitration)
    if right_ends and intent.read_clock() >= right_ends:
        raise MayNotDecide(actor.id)


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
