"""Information verbs: those who decide ask the agent for more, and it answers on the same question (rule H-9)."""

from uuid import UUID

from access.identity import Actor
from core.agent_ids import USER_PREFIX
from core.db import atomic_verb
from core.encoding import instant
from core.errors import Forbidden, TooLarge
from governance.errors import InformationRequested, NoInformationRequested
from governance.guards import is_same_caller, require_decider, require_pending
from governance.models import Arbitration
from governance.services.announcements import REMINDER, announce, minute_of
from governance.services.arbitration_lock import lock_arbitration
from governance.services.arbitrations import require_not_overdue
from intents.events import EventType, NewEvent, append

MAX_INFORMATION = 20
"""Questions back about one arbitration."""


@atomic_verb
def request_information(*, arbitration_id: UUID | str, actor: Actor, question: str) -> Arbitration:
    """Send the arbitration back with a question, without deciding it: for those who may decide it. Its deadline stays.

    Raises ArbitrationNotFound, LeaseLost, MayNotDecide, SelfDecision, ArbitrationResolved, InformationRequested, TooLarge.
    """
    intent, arbitration = lock_arbitration(arbitration_id, actor)
    now = intent.now()
    require_decider(intent, arbitration, actor, now)
    require_pending(arbitration, now)
    if (open_one := arbitration.open_information) is not None:
        raise InformationRequested(open_one["question"])
    if len(arbitration.information) >= MAX_INFORMATION:
        raise TooLarge("There are too many questions about this arbitration.", limit=MAX_INFORMATION)
    asked = {
        "question": question,
        "asked_by": actor.id,
        "asked_principal": actor.principal,
        "asked_at": instant(now),
        "answer": None,
        "answered_by": None,
        "answered_at": None,
    }
    arbitration.information = [*arbitration.information, asked]
    arbitration.save(update_fields=["information"])
    payload = {"arbitration_id": str(arbitration.pk), "question": question}
    append(intent, NewEvent(EventType.INFORMATION_REQUESTED, payload), actor=actor, now=now)
    require_not_overdue(intent, arbitration)
    return arbitration


@atomic_verb
def provide_information(*, arbitration_id: UUID | str, actor: Actor, answer: str) -> Arbitration:
    """Answer the open question about the arbitration: for the principal that requested it. Who asked it hears of it.

    Raises ArbitrationNotFound, LeaseLost, Forbidden, ArbitrationResolved, NoInformationRequested.
    """
    intent, arbitration = lock_arbitration(arbitration_id, actor)
    if not is_same_caller(actor, arbitration.requester_id, arbitration.principal):
        raise Forbidden(f"Only {arbitration.requester_id} can provide information about this arbitration.")
    now = intent.now()
    require_pending(arbitration, now)
    asked = arbitration.open_information
    if asked is None:
        raise NoInformationRequested(arbitration.pk)
    given = {"answer": answer, "answered_by": actor.id, "answered_at": instant(now)}
    arbitration.information = [*arbitration.information[:-1], {**asked, **given}]
    arbitration.save(update_fields=["information"])
    payload = {"arbitration_id": str(arbitration.pk), "question": asked["question"], "answer": answer}
    append(intent, NewEvent(EventType.INFORMATION_PROVIDED, payload), actor=actor, now=now)
    if asked["asked_principal"].startswith(USER_PREFIX):
        announce(intent, arbitration, REMINDER, [asked["asked_principal"]], now=now, step=minute_of(now))
    require_not_overdue(intent, arbitration)
    return arbitration
