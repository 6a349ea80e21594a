"""Question verbs: people are told again, by the schedule of the question or because somebody asks (rule H-2)."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from access.identity import SYSTEM, Actor
from access.models import Role
from core.db import atomic_verb, database_now
from core.errors import Forbidden, RateLimited
from governance.guards import is_same_caller, require_pending
from governance.models import Arbitration
from governance.question_terms import next_step_at, reached, schedule
from governance.services.announcements import ESCALATION, REMINDER, announce, minute_of
from governance.services.arbitration_lock import lock_arbitration
from intents.events import EventType, NewEvent, append
from intents.models import Intent

REMIND_EVERY = timedelta(minutes=1)
"""The least time between two reminders that somebody asks for."""


def due_steps(limit: int) -> list[UUID]:
    """Return the ids of arbitrations of which a reminder or escalation is due, the oldest first."""
    return [*Arbitration.objects.due_for_step(database_now()).order_by("next_step_at").values_list("pk", flat=True)[:limit]]


@atomic_verb
def take_step(arbitration_id: UUID) -> bool:
    """Remind, or escalate, if it is due (rule H-2). Return whether it was.

    An arbitration whose intent is locked is left as it is: a decision may be in progress.
    """
    intent_id = Arbitration.objects.filter(pk=arbitration_id).values_list("intent_id", flat=True).first()
    intent = Intent.objects.try_lock(intent_id) if intent_id else None
    if intent is None:
        return False
    now = intent.now()
    arbitration = Arbitration.objects.due_for_step(now).filter(pk=arbitration_id).first()
    if arbitration is None:
        return False
    step = schedule(arbitration)[arbitration.steps_done]
    arbitration.steps_done += 1
    arbitration.next_step_at = next_step_at(arbitration)
    arbitration.save(update_fields=["steps_done", "next_step_at"])
    to = [step.to] if step.is_escalation else reached(arbitration)
    about = {"after_seconds": step.after_seconds, "to": to}
    kind = EventType.ARBITRATION_ESCALATED if step.is_escalation else EventType.ARBITRATION_REMINDED
    _append(intent, arbitration, kind, about, actor=SYSTEM, now=now)
    told_as = ESCALATION if step.is_escalation else REMINDER
    announce(intent, arbitration, told_as, to, now=now, step=arbitration.steps_done)
    return True


@atomic_verb
def remind(*, arbitration_id: UUID | str, actor: Actor) -> Arbitration:
    """Tell those again whom the question has reached: for the principal that asked, an arbiter or an operator.

    Raises ArbitrationNotFound, LeaseLost, Forbidden, ArbitrationResolved, RateLimited within a minute of another one.
    """
    intent, arbitration = lock_arbitration(arbitration_id, actor)
    now = intent.now()
    is_requester = is_same_caller(actor, arbitration.requester_id, arbitration.principal)
    if not (is_requester or actor.role.includes(Role.ARBITER)):
        raise Forbidden(f"Only {arbitration.requester_id}, an arbiter or an operator can send a reminder of this arbitration.")
    require_pending(arbitration, now)
    if arbitration.reminded_at and (left := arbitration.reminded_at + REMIND_EVERY - now) > timedelta():
        raise RateLimited(max(1, round(left.total_seconds())), reason="A reminder was sent within the last minute")
    arbitration.reminded_at = now
    arbitration.save(update_fields=["reminded_at"])
    to = reached(arbitration)
    about = {"after_seconds": None, "to": to}
    _append(intent, arbitration, EventType.ARBITRATION_REMINDED, about, actor=actor, now=now)
    announce(intent, arbitration, REMINDER, to, now=now, step=minute_of(now))
    return arbitration


def _append(
    intent: Intent, arbitration: Arbitration, kind: EventType, about: dict[str, Any], *, actor: Actor, now: datetime
) -> None:
    append(intent, NewEvent(kind, {"arbitration_id": str(arbitration.pk), **about}), actor=actor, now=now)
