"""Arbitration verbs: request, withdraw, expire.

Each holds the intent's row lock, under which its arbitrations are requested and end.
"""

import logging
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import OperationalError
from django.db.models import QuerySet

from access.identity import SYSTEM, Actor
from access.models import Role
from core.db import atomic_verb, database_now, sql_rows
from core.encoding import instant
from core.errors import Forbidden, require_future
from governance.decision_rows import write_decision
from governance.electorate import require_quorum_possible
from governance.errors import ArbitrationResolved
from governance.gates import gates_for
from governance.guards import is_same_caller, require_pending
from governance.models import Arbitration, FallbackKind, Status
from governance.question_terms import PLAIN_QUESTION, Question, question_terms
from governance.services.announcements import ASKED, announce
from governance.services.arbitration_lock import lock_arbitration
from governance.services.permits import require_effect_free
from governance.terms import NO_TERMS, TERMS, Terms
from intents import graph
from intents.events import EventType, NewEvent, append, require_payload_size
from intents.models import Event, Intent
from intents.models import Status as IntentStatus
from intents.operations import change_status
from intents.write_lock import lock_for_write
from notices.services import tell
from retries.services import add_failure

log = logging.getLogger("openintent.governance")

UNANSWERED = "Nobody answered in time."
"""The rationale of a fallback's decision."""

UNANSWERED_QUESTION = "unanswered_question"
"""The type of the failure that a fallback records."""

EXPIRE_BATCH = 50
"""Arbitrations that one read request marks at most; the worker marks the others."""


@atomic_verb
def request_arbitration(
    *,
    intent_id: UUID | str,
    actor: Actor,
    reason: str,
    context: dict[str, Any] | None = None,
    options: Sequence[dict[str, Any]] = (),
    blocking: bool = False,
    expires_at: datetime | None = None,
    terms: Terms = NO_TERMS,
    question: Question = PLAIN_QUESTION,
) -> Arbitration:
    """Request a decision (rule A-1). With `blocking`, the intent is `blocked` until there is one (rules A-2, A-5).

    Raises IntentNotFound, LeaseLost, IntentClosed, Invalid for an `expires_at` in the past, an audience of nobody or a
    fallback that cannot be, EffectTaken, QuorumImpossible, TooLarge.
    """
    intent = lock_for_write(intent_id, actor, None)
    intent.require_open()
    now = intent.now()
    require_future(expires_at, now)
    gates = gates_for(terms.action, intent) if terms.action else []
    terms = terms.tightened(gates)
    require_effect_free(intent, terms.action)
    require_quorum_possible(intent, terms.quorum, actor.principal, gates, now)
    if blocking:
        for overdue in Arbitration.objects.overdue(now).filter(intent=intent).order_by("pk"):
            _expire(intent, overdue, now)
    arbitration = Arbitration(
        intent=intent,
        requester_id=actor.id,
        principal=actor.principal,
        reason=reason,
        context=context or {},
        options=list(options),
        blocking=blocking,
        status_before=_status_after_unblock(intent) if blocking else None,
        expires_at=expires_at,
        created_at=now,
        **terms.columns(intent, blocking=blocking),
    )
    question.complete(arbitration, now)
    append(intent, _requested_event(arbitration), actor=actor, now=now)
    if blocking and intent.status != IntentStatus.BLOCKED:
        change_status(intent, IntentStatus.BLOCKED, actor=actor, reason="arbitration_requested", now=now)
    arbitration.sequence = intent.last_sequence
    arbitration.save(force_insert=True)
    announce(intent, arbitration, ASKED, arbitration.audience, now=now)
    return arbitration


@atomic_verb
def withdraw_arbitration(*, arbitration_id: UUID | str, actor: Actor, reason: str | None = None) -> Arbitration:
    """Withdraw the request: for the principal that made it, an arbiter or an operator. Idempotent.

    Raises ArbitrationNotFound, LeaseLost, Forbidden, ArbitrationResolved.
    """
    intent, arbitration = lock_arbitration(arbitration_id, actor)
    is_requester = is_same_caller(actor, arbitration.requester_id, arbitration.principal)
    if not (is_requester or actor.role.includes(Role.ARBITER)):
        raise Forbidden(f"Only {arbitration.requester_id}, an arbiter or an operator can withdraw this arbitration.")
    now = intent.now()
    if arbitration.status != Status.WITHDRAWN:
        require_pending(arbitration, now)
        _withdraw(intent, arbitration, actor=actor, now=now, reason=reason)
        require_not_overdue(intent, arbitration)
    return arbitration


@atomic_verb
def expire_arbitration(arbitration_id: UUID) -> bool:
    """Mark the arbitration expired if it is overdue (rule A-5). Return whether it was marked now.

    One whose intent is locked is left as it is: a decision may be in progress (rule E-8).
    """
    intent_id = Arbitration.objects.filter(pk=arbitration_id).values_list("intent_id", flat=True).first()
    if intent_id is None:
        return False
    intent = Intent.objects.try_lock(intent_id)
    if intent is None:
        return False
    arbitration, now = Arbitration.objects.get(pk=arbitration_id), intent.now()
    if arbitration.status != Status.PENDING or arbitration.status_at(now) != Status.EXPIRED:
        return False
    _expire(intent, arbitration, now)
    return True


def overdue_arbitrations(limit: int) -> list[UUID]:
    """Return the ids of arbitrations that are due to be marked expired, the oldest first."""
    return [*Arbitration.objects.overdue(database_now()).order_by("expires_at").values_list("pk", flat=True)[:limit]]


def expire_overdue(arbitrations: QuerySet[Arbitration]) -> None:
    """Mark the overdue ones among the arbitrations expired, before they are read (rule E-8).

    One that cannot be marked at this moment stays pending for its readers.
    """
    try:
        overdue = arbitrations.overdue(database_now())  # type: ignore[attr-defined]
        for pk in overdue.order_by("expires_at").values_list("pk", flat=True)[:EXPIRE_BATCH]:
            expire_arbitration(pk)
    except OperationalError:
        log.warning("overdue arbitrations could not be marked as expired", exc_info=True)


def withdraw_pending(closed: Collection[Intent]) -> None:
    """Withdraw what is pending on intents that have just become final. A part of verbs that hold their locks."""
    intents = {intent.pk: intent for intent in closed}
    pending = Arbitration.objects.filter(intent_id__in=list(intents), status=Status.PENDING).order_by("intent_id", "pk")
    for arbitration in pending:
        intent = intents[arbitration.intent_id]
        now = intent.read_clock()
        if arbitration.status_at(now) == Status.EXPIRED:
            _expire(intent, arbitration, now)
        else:
            _withdraw(intent, arbitration, actor=SYSTEM, now=now, reason=f"intent_{intent.status}")


# --- parts of verbs ------------------------------------------------------------------------------------------------


def end_arbitration(
    intent: Intent, arbitration: Arbitration, status: Status, event: NewEvent, *, actor: Actor, now: datetime
) -> None:
    """End it with this event, and unblock the intent if nothing else blocks it. A part of verbs that hold the intent's lock."""
    arbitration.status = status
    arbitration.resolved_at = None if status == Status.EXPIRED else now
    arbitration.save(update_fields=["status", "resolved_at"])
    append(intent, event, actor=actor, now=now, saving=["on_hold"])
    tell(arbitration, "resolved", [], now=now)
    if arbitration.blocking and status != Status.EXPIRED:
        _unblock(intent, arbitration, str(event.event_type), now)


def require_not_overdue(intent: Intent, arbitration: Arbitration) -> None:
    """Raise ArbitrationResolved if the verb would commit after the end (rule E-8). By now all of its writes are sent."""
    if arbitration.expires_at is not None and arbitration.expires_at <= intent.read_clock():
        raise ArbitrationResolved(arbitration.pk, Status.EXPIRED)


def _requested_event(arbitration: Arbitration) -> NewEvent:
    payload = {
        "arbitration_id": str(arbitration.pk),
        "requester_id": arbitration.requester_id,
        "reason": arbitration.reason,
        "context": arbitration.context,
        "options": arbitration.options,
        "blocking": arbitration.blocking,
        "expires_at": instant(arbitration.expires_at),
        **({name: getattr(arbitration, name) for name in TERMS} if arbitration.needs_votes else {}),
        **question_terms(arbitration),
    }
    require_payload_size(payload)
    return NewEvent(EventType.ARBITRATION_REQUESTED, payload)


def _withdraw(intent: Intent, arbitration: Arbitration, *, actor: Actor, now: datetime, reason: str | None) -> None:
    event = NewEvent(EventType.ARBITRATION_WITHDRAWN, {"arbitration_id": str(arbitration.pk), "reason": reason})
    end_arbitration(intent, arbitration, Status.WITHDRAWN, event, actor=actor, now=now)


def _expire(intent: Intent, arbitration: Arbitration, now: datetime) -> None:
    """End it by its fallback (rule H-2). Without a decision, an intent that it blocked stays so (rule A-5)."""
    fallback, about = arbitration.fallback, {"arbitration_id": str(arbitration.pk), "do": arbitration.fallback["do"]}
    if fallback["do"] == FallbackKind.DECIDE:
        agreed = {"decision": fallback["decision"], "answer": fallback["answer"], "rationale": UNANSWERED}
        decision, event = write_decision(intent, arbitration, now=now, **agreed)
        end_arbitration(intent, arbitration, Status.RESOLVED, event, actor=SYSTEM, now=now)
        about["decision_id"] = str(decision.pk)
        append(intent, NewEvent(EventType.ARBITRATION_FELL_BACK, about), actor=SYSTEM, now=now)
        return
    payload = {"arbitration_id": str(arbitration.pk), "expires_at": instant(arbitration.expires_at)}
    event = NewEvent(EventType.ARBITRATION_EXPIRED, payload)
    if arbitration.blocking and intent.status == IntentStatus.BLOCKED:
        intent.on_hold = True
    end_arbitration(intent, arbitration, Status.EXPIRED, event, actor=SYSTEM, now=now)
    if fallback["do"] == FallbackKind.FAIL and not intent.is_final:
        append(intent, NewEvent(EventType.ARBITRATION_FELL_BACK, about), actor=SYSTEM, now=now)
        asker = Actor(arbitration.requester_id)
        add_failure(intent, actor=asker, now=now, error_type=UNANSWERED_QUESTION, error_message=arbitration.reason)


def _unblock(intent: Intent, arbitration: Arbitration, reason: str, now: datetime) -> None:
    """Unblock the intent if only this arbitration still blocked it (rule A-2).

    One that is on hold is released only by a decision on an arbitration that was requested since it was held (rule A-5).
    """
    if intent.status != IntentStatus.BLOCKED or arbitration.status_before == IntentStatus.BLOCKED:
        return
    if _status_changed_since(intent, arbitration):
        return
    if intent.on_hold:
        expired = Arbitration.objects.filter(intent=intent, blocking=True, status=Status.EXPIRED)
        if arbitration.status != Status.RESOLVED or expired.filter(expires_at__gt=arbitration.created_at).exists():
            return
        intent.on_hold = False
        sql_rows.update(intent, ("on_hold",))
    others = Arbitration.objects.pending().filter(intent=intent, blocking=True)
    if not (others.exists() or graph.unmet_dependencies([intent.pk])):
        change_status(intent, str(arbitration.status_before), actor=SYSTEM, reason=reason, now=now)


def _status_after_unblock(intent: Intent) -> str:
    """Return the status of the intent after a blocking arbitration: the current one, or the one that it is blocked from."""
    if intent.status != IntentStatus.BLOCKED:
        return intent.status
    blocking = Arbitration.objects.filter(intent=intent, blocking=True).order_by("-sequence")
    if intent.on_hold:
        expired = blocking.filter(status=Status.EXPIRED).first()
        if expired is None or _status_changed_since(intent, expired):
            return IntentStatus.BLOCKED
        return str(expired.status_before)
    if before := blocking.filter(status=Status.PENDING).values_list("status_before", flat=True).first():
        return str(before)
    return IntentStatus.PENDING if graph.unmet_dependencies([intent.pk]) else IntentStatus.BLOCKED


def _status_changed_since(intent: Intent, arbitration: Arbitration) -> bool:
    """Return whether the intent's status has changed since the arbitration blocked it."""
    changes = Event.objects.filter(intent=intent, sequence__gt=arbitration.sequence, event_type=EventType.STATUS_CHANGED)
    return changes.exists()
