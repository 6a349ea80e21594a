"""The verbs: all that can change an arbitration or a delegation, and make a decision (RFC-0004).

Each that is about an intent holds its row lock, under which its arbitrations are asked for and end.
"""

import logging
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import OperationalError
from django.db.models import QuerySet
from django.db.models.functions import Now

from access.identity import SYSTEM, Actor
from access.models import Role
from core import strict_json
from core.db import atomic_verb, database_now, sql_rows
from core.encoding import instant
from core.errors import Forbidden, Invalid, TooLarge
from governance.errors import (
    ArbitrationNotFound,
    ArbitrationResolved,
    DelegationNotFound,
    MayNotDecide,
    NoSuchOption,
    SeveralPending,
)
from governance.guards import is_same_caller, require_decider
from governance.models import Arbitration, Decision, Delegation, Status
from governance.representation import delegation_body, status_at
from intents import graph
from intents.events import EventType, NewEvent, append, append_without_intent
from intents.locking import lock_for_write
from intents.models import Event, Intent
from intents.models import Status as IntentStatus
from intents.operations import change_status
from portfolios.models import Portfolio

log = logging.getLogger("openintent.governance")

ARBITRATION = "arbitration"
"""The type of a decision that answers one."""

EXPIRE_BATCH = 50
"""Arbitrations that a reader marks, at most; the worker marks the others."""

# --- arbitrations --------------------------------------------------------------------------------------------------


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
) -> Arbitration:
    """Ask for a decision (rule A-1). With `blocking`, the intent is `blocked` until there is one (rules A-2, A-5).

    Raises IntentNotFound, LeaseLost, IntentClosed, Invalid for an end that has passed, TooLarge.
    """
    intent = lock_for_write(intent_id, actor)
    intent.require_open()
    now = intent.now()
    _require_future(expires_at, now)
    if blocking:
        _expire_run_out(intent, now)
    arbitration = Arbitration(
        intent=intent,
        requester_id=actor.id,
        principal=actor.principal,
        reason=reason,
        context=context or {},
        options=list(options),
        blocking=blocking,
        status_before=_way_back(intent) if blocking else None,
        expires_at=expires_at,
        created_at=now,
    )
    append(intent, _requested(arbitration), actor=actor, now=now)
    if blocking and intent.status != IntentStatus.BLOCKED:
        change_status(intent, IntentStatus.BLOCKED, actor=actor, reason="arbitration_requested", now=now)
    arbitration.sequence = intent.last_sequence
    arbitration.save(force_insert=True)
    return arbitration


@atomic_verb
def withdraw_arbitration(*, arbitration_id: UUID | str, actor: Actor, role: Role, reason: str | None = None) -> Arbitration:
    """Take the question back: the principal that asked may, an arbiter or an operator. Again changes nothing.

    Raises ArbitrationNotFound, LeaseLost, Forbidden, ArbitrationResolved.
    """
    intent, arbitration = _lock(arbitration_id, actor)
    if not (is_same_caller(actor, arbitration.requester_id, arbitration.principal) or role.includes(Role.ARBITER)):
        raise Forbidden(f"Only {arbitration.requester_id}, an arbiter or an operator can withdraw this arbitration.")
    now = intent.now()
    if arbitration.status != Status.WITHDRAWN:
        _require_pending(arbitration, now)
        _withdraw(intent, arbitration, actor=actor, now=now, reason=reason)
        _require_in_time(intent, arbitration)
    return arbitration


@atomic_verb
def expire_arbitration(arbitration_id: UUID, *, wait: bool = True) -> bool:
    """Mark the arbitration expired if it has run out (rule A-5). Answers whether that was news.

    Without `wait`, one whose intent is locked is left as it is: somebody may be deciding it (rule E-8).
    """
    intent_id = Arbitration.objects.filter(pk=arbitration_id).values_list("intent_id", flat=True).first()
    if intent_id is None:
        return False
    intent = lock_for_write(intent_id, SYSTEM) if wait else Intent.objects.try_lock(intent_id)
    if intent is None:
        return False
    arbitration, now = Arbitration.objects.get(pk=arbitration_id), intent.now()
    if arbitration.status != Status.PENDING or status_at(arbitration, now) != Status.EXPIRED:
        return False
    _expire(intent, arbitration, now)
    return True


def overdue_arbitrations(limit: int) -> list[UUID]:
    """The arbitrations that have run out and are not marked so, the oldest first."""
    return [*Arbitration.objects.overdue(database_now()).order_by("expires_at").values_list("pk", flat=True)[:limit]]


def expire_overdue(found: QuerySet[Arbitration]) -> None:
    """Mark those of the arbitrations that have run out, before somebody reads them (rule E-8).

    What cannot be marked at this moment stays pending for its readers.
    """
    try:
        for pk in found.overdue(Now()).order_by("expires_at").values_list("pk", flat=True)[:EXPIRE_BATCH]:  # type: ignore[attr-defined]
            expire_arbitration(pk, wait=False)
    except OperationalError:
        log.warning("arbitrations that have run out could not be marked", exc_info=True)


def withdraw_pending(closed: Collection[Intent]) -> None:
    """Withdraw what is pending on intents that have just become final. A part of verbs that hold their locks."""
    intents = {intent.pk: intent for intent in closed}
    pending = Arbitration.objects.filter(intent_id__in=list(intents), status=Status.PENDING).order_by("intent_id", "pk")
    for arbitration in pending:
        intent = intents[arbitration.intent_id]
        now = intent.read_clock()
        if status_at(arbitration, now) == Status.EXPIRED:
            _expire(intent, arbitration, now)
        else:
            _withdraw(intent, arbitration, actor=SYSTEM, now=now, reason=f"intent_{intent.status}")


# --- decisions -----------------------------------------------------------------------------------------------------


@atomic_verb
def record_decision(
    *,
    intent_id: UUID | str,
    actor: Actor,
    role: Role,
    decision: str,
    rationale: str | None = None,
    decision_type: str = ARBITRATION,
    evidence: Sequence[dict[str, Any]] = (),
    arbitration_id: UUID | None = None,
) -> Decision:
    """Decide the arbitration that is named, else the only pending one (rule A-3).

    Where the intent never had one, or `decision_type` says that this is no answer to one, the decision stands alone. It is
    for good. The intent goes back to where a blocking arbitration found it (rule A-2). A decision that would be committed
    later than the question's end is refused (rule E-8).

    Raises IntentNotFound, LeaseLost, Invalid for an unknown arbitration, SeveralPending, MayNotDecide, SelfDecision,
    ArbitrationResolved, NoSuchOption, TooLarge.
    """
    intent = lock_for_write(intent_id, actor)
    now = intent.now()
    arbitration = _meant(intent, arbitration_id, decision_type, now)
    right_ends = require_decider(intent, arbitration, actor, role, now)
    if arbitration:
        _require_pending(arbitration, now)
        _require_option(arbitration, decision)
    made = Decision(
        intent=intent,
        arbitration=arbitration,
        decision=decision,
        rationale=rationale,
        decision_type=decision_type,
        evidence=list(evidence),
        decided_by=actor.id,
        created_at=now,
    )
    made.save(force_insert=True)
    event = _decided(made)
    if arbitration:
        _end(intent, arbitration, Status.RESOLVED, event, actor=actor, now=now)
    else:
        append(intent, event, actor=actor, now=now)
    if arbitration:
        _require_in_time(intent, arbitration)
    if right_ends and intent.read_clock() >= right_ends:
        raise MayNotDecide(actor.id)
    return made


# --- delegations ---------------------------------------------------------------------------------------------------


@atomic_verb
def create_delegation(
    *,
    actor: Actor,
    role: Role,
    delegate: str,
    intents: Iterable[UUID] = (),
    portfolios: Iterable[UUID] = (),
    actions: Iterable[str] = (),
    constraints: dict[str, Any] | None = None,
    expires_at: datetime | None = None,
) -> Delegation:
    """Let `delegate` do these actions on these intents and the portfolios' members; an empty list is no limit (rule A-4).

    Neither intents nor portfolios: everywhere. Raises Forbidden, Invalid, TooLarge.
    """
    _require_arbiter(role)
    scope = {
        "intents": [str(pk) for pk in dict.fromkeys(intents)],
        "portfolios": [str(pk) for pk in dict.fromkeys(portfolios)],
        "actions": list(dict.fromkeys(actions)),
    }
    locked = _lock_named(scope)
    now = database_now()
    _require_future(expires_at, now)
    delegation = Delegation(
        delegator=actor.id,
        principal=actor.principal,
        delegate=delegate,
        scope=scope,
        constraints=constraints or {},
        expires_at=expires_at,
        created_at=now,
    )
    delegation.save(force_insert=True)
    _tell_of(delegation, EventType.DELEGATION_GRANTED, locked, actor=actor, now=now)
    return delegation


@atomic_verb
def revoke_delegation(*, delegation_id: UUID | str, actor: Actor, role: Role) -> None:
    """End the delegation at once (rule A-7): the principal that gave it may, or an operator. Again changes nothing.

    Raises DelegationNotFound, Forbidden.
    """
    _require_arbiter(role)
    found = Delegation.objects.filter(pk=delegation_id).first() if isinstance(delegation_id, UUID) else None
    if found is None:
        raise DelegationNotFound(delegation_id)
    if not is_same_caller(actor, found.delegator, found.principal) and role != Role.OPERATOR:
        raise Forbidden(f"Only {found.delegator} or an operator can revoke this delegation.")
    locked = Intent.objects.lock_all({UUID(pk) for pk in found.scope["intents"]})
    delegation = Delegation.objects.select_for_update().get(pk=found.pk)
    if delegation.revoked_at is not None:
        return
    delegation.revoked_at = now = database_now()
    delegation.save(update_fields=["revoked_at"])
    _tell_of(delegation, EventType.DELEGATION_REVOKED, locked, actor=actor, now=now)


# --- parts of verbs ------------------------------------------------------------------------------------------------


def _lock(arbitration_id: UUID | str, actor: Actor) -> tuple[Intent, Arbitration]:
    """Raises ArbitrationNotFound."""
    found = Arbitration.objects.filter(pk=arbitration_id) if isinstance(arbitration_id, UUID) else Arbitration.objects.none()
    intent_id = found.values_list("intent_id", flat=True).first()
    if intent_id is None:
        raise ArbitrationNotFound(arbitration_id)
    intent = lock_for_write(intent_id, actor)
    return intent, found.get()  # As it is now that nobody else can change it.


def _require_future(expires_at: datetime | None, now: datetime) -> None:
    if expires_at is not None and expires_at <= now:
        raise Invalid.field("expires_at", "lies in the past", "in_the_past")


def _require_pending(arbitration: Arbitration, now: datetime) -> None:
    if (status := status_at(arbitration, now)) != Status.PENDING:
        raise ArbitrationResolved(arbitration.pk, status)


def _require_option(arbitration: Arbitration, decision: str) -> None:
    labels = [option["label"] for option in arbitration.options]
    if labels and decision not in labels:
        raise NoSuchOption(labels)


def _require_arbiter(role: Role) -> None:
    if not role.includes(Role.ARBITER):
        raise Forbidden(f"This needs a key of the role arbiter; this one is {role.value}.")


def _meant(intent: Intent, arbitration_id: UUID | None, decision_type: str, now: datetime) -> Arbitration | None:
    """Find the arbitration that the decision is about: the named one, the only pending one, or, to be refused, the last that ended."""
    if arbitration_id is not None:
        found: Arbitration | None = Arbitration.objects.filter(intent=intent, pk=arbitration_id).first()
        if found is None:
            raise Invalid.field("arbitration_id", f"the intent has no arbitration with the id {arbitration_id}", "unknown_id")
        return found
    pending = [*Arbitration.objects.pending(now).filter(intent=intent)[:2]]
    if len(pending) > 1:
        raise SeveralPending
    if pending or decision_type != ARBITRATION:
        return pending[0] if pending else None
    last: Arbitration | None = Arbitration.objects.filter(intent=intent).order_by("-sequence").first()
    return last


def _way_back(intent: Intent) -> str:
    """Where the intent goes after a blocking arbitration: where it is now, or would be once it waits for nothing else."""
    if intent.status != IntentStatus.BLOCKED:
        return intent.status
    blocking = Arbitration.objects.filter(intent=intent, blocking=True).order_by("-sequence")
    if intent.on_hold:
        unanswered = blocking.filter(status=Status.EXPIRED).first()
        return IntentStatus.BLOCKED if unanswered is None or _was_moved(intent, unanswered) else str(unanswered.status_before)
    if before := blocking.filter(status=Status.PENDING).values_list("status_before", flat=True).first():
        return str(before)
    return IntentStatus.PENDING if graph.unmet_dependencies([intent.pk]) else IntentStatus.BLOCKED


def _was_moved(intent: Intent, arbitration: Arbitration) -> bool:
    """Return whether the intent's status was changed since the arbitration blocked it."""
    moved = Event.objects.filter(intent=intent, sequence__gt=arbitration.sequence, event_type=EventType.STATUS_CHANGED)
    return moved.exists()


def _go_back(intent: Intent, arbitration: Arbitration, reason: str, now: datetime) -> None:
    """Unblock the intent, if it is this arbitration alone that still kept it blocked (rule A-2).

    One that is on hold is let go by a decision alone, on a question that was asked once it was held (rule A-5).
    """
    if intent.status != IntentStatus.BLOCKED or arbitration.status_before == IntentStatus.BLOCKED:
        return
    if _was_moved(intent, arbitration):
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


def _expire_run_out(intent: Intent, now: datetime) -> None:
    for arbitration in Arbitration.objects.overdue(now).filter(intent=intent).order_by("pk"):
        _expire(intent, arbitration, now)


def _expire(intent: Intent, arbitration: Arbitration, now: datetime) -> None:
    """End it without an answer. An intent that it blocked stays so until somebody decides or unblocks it (rule A-5)."""
    payload = {"arbitration_id": str(arbitration.pk), "expires_at": instant(arbitration.expires_at)}
    event = NewEvent(EventType.ARBITRATION_EXPIRED, payload)
    if arbitration.blocking and intent.status == IntentStatus.BLOCKED:
        intent.on_hold = True
    _end(intent, arbitration, Status.EXPIRED, event, actor=SYSTEM, now=now)


def _withdraw(intent: Intent, arbitration: Arbitration, *, actor: Actor, now: datetime, reason: str | None) -> None:
    event = NewEvent(EventType.ARBITRATION_WITHDRAWN, {"arbitration_id": str(arbitration.pk), "reason": reason})
    _end(intent, arbitration, Status.WITHDRAWN, event, actor=actor, now=now)


def _end(intent: Intent, arbitration: Arbitration, status: Status, event: NewEvent, *, actor: Actor, now: datetime) -> None:
    arbitration.status = status
    arbitration.resolved_at = None if status == Status.EXPIRED else now
    arbitration.save(update_fields=["status", "resolved_at"])
    append(intent, event, actor=actor, now=now, saving=["on_hold"])
    if arbitration.blocking and status != Status.EXPIRED:
        _go_back(intent, arbitration, str(event.event_type), now)


def _require_in_time(intent: Intent, arbitration: Arbitration) -> None:
    """Refuse what would be committed once the arbitration has run out (rule E-8). All writes of the verb are sent by now."""
    if arbitration.expires_at is not None and arbitration.expires_at <= intent.read_clock():
        raise ArbitrationResolved(arbitration.pk, Status.EXPIRED)


def _requested(arbitration: Arbitration) -> NewEvent:
    payload = {
        "arbitration_id": str(arbitration.pk),
        "requester_id": arbitration.requester_id,
        "reason": arbitration.reason,
        "context": arbitration.context,
        "options": arbitration.options,
        "blocking": arbitration.blocking,
        "expires_at": instant(arbitration.expires_at),
    }
    return _fitting(EventType.ARBITRATION_REQUESTED, payload)


def _decided(decision: Decision) -> NewEvent:
    payload = {
        "decision_id": str(decision.pk),
        "arbitration_id": str(decision.arbitration_id) if decision.arbitration_id else None,
        "decision": decision.decision,
        "rationale": decision.rationale,
        "decision_type": decision.decision_type,
        "evidence": decision.evidence,
    }
    return _fitting(EventType.DECISION_RECORDED, payload)


def _lock_named(scope: dict[str, list[str]]) -> dict[UUID, Intent]:
    """Lock the scope's intents. Raises Invalid for an intent or a portfolio that does not exist."""
    portfolios = Portfolio.objects.in_bulk([UUID(pk) for pk in scope["portfolios"]])
    locked = Intent.objects.lock_all({UUID(pk) for pk in scope["intents"]})
    for name, known in (("intents", locked), ("portfolios", portfolios)):
        for pk in scope[name]:
            if UUID(pk) not in known:
                raise Invalid.field(f"scope.{name}", f"none of the {name} has the id {pk}", "unknown_id")
    return locked


def _tell_of(delegation: Delegation, event_type: EventType, locked: dict[UUID, Intent], *, actor: Actor, now: datetime) -> None:
    """In the log of each intent and portfolio that it names; of one that names none, in the log of the server."""
    shown = delegation_body(delegation)
    payload = {"delegation_id": shown.pop("id"), **{name: shown[name] for name in _TOLD}}
    event = _fitting(event_type, payload)
    for intent in locked.values():
        append(intent, event, actor=actor, now=now)
    elsewhere = [NewEvent(event_type, payload, portfolio_id=UUID(pk)) for pk in delegation.scope["portfolios"]]
    if elsewhere or not locked:
        append_without_intent(*(elsewhere or [event]), actor=actor, now=now)


_TOLD = ("delegator", "delegate", "scope", "constraints", "expires_at")


def _fitting(event_type: EventType, payload: dict[str, Any]) -> NewEvent:
    """The event, whose payload is all that was sent. Raises TooLarge."""
    if not strict_json.fits(payload, settings.MAX_EVENT_PAYLOAD):
        raise TooLarge("This is too large for an event.", limit=settings.MAX_EVENT_PAYLOAD)
    return NewEvent(event_type, payload)
