"""Assignment verb of questions: one person looks after a question, which gives them no right (rule H-8)."""

from datetime import datetime
from uuid import UUID

from access.identity import Actor
from access.models import Role
from access.principals import role_of_principal
from core.db import atomic_verb
from core.errors import Forbidden, Invalid
from governance.errors import MayNotDecide, SelfDecision
from governance.guards import require_decider, require_pending
from governance.models import Arbitration
from governance.question_terms import reached
from governance.recipients import includes, require_recipients
from governance.services.announcements import ESCALATION, announce, minute_of
from governance.services.arbitration_lock import lock_arbitration
from governance.services.arbitrations import require_not_overdue
from intents.events import EventType, NewEvent, append
from intents.models import Intent


@atomic_verb
def assign_arbitration(*, arbitration_id: UUID | str, actor: Actor, assignee: str | None) -> Arbitration:
    """Assign the question to a person, who hears of it, or with None to nobody (rule H-8). Idempotent.

    Raises ArbitrationNotFound, LeaseLost, Forbidden, ArbitrationResolved, Invalid for a person who may not decide it.
    """
    intent, arbitration = lock_arbitration(arbitration_id, actor)
    if not (actor.role.includes(Role.ARBITER) or includes(reached(arbitration), actor.principal)):
        raise Forbidden("Only arbiters, operators and the audience of this arbitration can assign it.")
    now = intent.now()
    require_pending(arbitration, now)
    previous = arbitration.assignee
    if assignee == previous:
        return arbitration
    if assignee is not None:
        _require_may_decide(intent, arbitration, assignee, now)
    arbitration.assignee = assignee
    arbitration.save(update_fields=["assignee"])
    payload = {"arbitration_id": str(arbitration.pk), "assignee": assignee, "previous": previous}
    append(intent, NewEvent(EventType.ARBITRATION_ASSIGNED, payload), actor=actor, now=now)
    if assignee is not None and assignee != actor.principal:
        announce(intent, arbitration, ESCALATION, [assignee], now=now, step=minute_of(now))
    require_not_overdue(intent, arbitration)
    return arbitration


def _require_may_decide(intent: Intent, arbitration: Arbitration, assignee: str, now: datetime) -> None:
    """Raise Invalid for somebody who cannot sign in, or may not decide it: they could do nothing about it."""
    require_recipients({"assignee": assignee})
    person = Actor(assignee, role=role_of_principal(assignee) or Role.OBSERVER)
    try:
        require_decider(intent, arbitration, person, now)
    except (MayNotDecide, SelfDecision):
        raise Invalid.field("assignee", f"{assignee} may not decide this arbitration", "may_not_decide") from None
