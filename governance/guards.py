"""Governance guards: pending arbitrations that block an intent, and the right to decide. The caller holds the intent's row lock."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from access.identity import Actor
from access.models import Role
from access.principals import role_of_principal
from governance.errors import ArbitrationResolved, MayNotDecide, SelfDecision
from governance.models import Arbitration, Delegation, Status
from governance.question_terms import reached
from governance.recipients import includes
from intents.models import Intent
from portfolios.models import Membership

DECIDE = "decide"


def pending_blocking(intent_ids: Collection[UUID], now: datetime | None = None) -> dict[UUID, list[UUID]]:
    """Return the pending blocking arbitrations of each intent; intents without any are left out (rule A-2).

    Overdue ones count until they are marked expired; with `now`, only those that are not overdue then.
    """
    if not intent_ids:
        return {}
    pending = Arbitration.objects.pending(now).filter(intent_id__in=list(intent_ids), blocking=True).order_by("pk")
    found = defaultdict(list)
    for intent_id, pk in pending.values_list("intent_id", "pk"):
        found[intent_id].append(pk)
    return dict(found)


def is_same_caller(actor: Actor, agent_id: str, principal: str) -> bool:
    """Return whether the actor is the principal or a key bound to the agent of an earlier write (protocol §1.1)."""
    return actor.principal == principal or (actor.is_bound and actor.id == agent_id)


def require_pending(arbitration: Arbitration, now: datetime) -> None:
    """Raise ArbitrationResolved if the arbitration has ended or is overdue."""
    if (status := arbitration.status_at(now)) != Status.PENDING:
        raise ArbitrationResolved(arbitration.pk, status)


def require_decider(intent: Intent, arbitration: Arbitration | None, actor: Actor, now: datetime) -> datetime | None:
    """Check that the actor may decide the arbitration, or on the intent if there is none (rules A-4, H-5).

    People of the audience may answer what grants no act; for that, they need to be arbiters.

    Return the end of that right, if it has one. Raise MayNotDecide or SelfDecision.
    """
    if arbitration and arbitration.quorum is not None and _is_requester(arbitration, actor):
        raise SelfDecision(actor.id)  # Operators, too, have no vote on what they ask for (rule A-13).
    if actor.role == Role.OPERATOR:
        return None
    right_ends = None
    if actor.role != Role.ARBITER:
        audience = reached(arbitration) if arbitration else []
        if audience and arbitration and arbitration.action is None and includes(audience, actor.principal):
            return None
        may_be_delegate = actor.role == Role.AGENT and actor.is_bound and not audience  # Rule H-5.
        delegation = _find_delegation(intent, actor, now) if may_be_delegate else None
        if delegation is None:
            raise MayNotDecide(actor.id)
        right_ends = delegation.expires_at
    if arbitration and _is_requester(arbitration, actor):
        raise SelfDecision(actor.id)
    return right_ends


def _is_requester(arbitration: Arbitration, actor: Actor) -> bool:
    return arbitration.requester_id == actor.id or is_same_caller(actor, arbitration.requester_id, arbitration.principal)


def _find_delegation(intent: Intent, actor: Actor, now: datetime) -> Delegation | None:
    """Return the delegation under which the agent may decide, the one that lasts longest.

    It stays locked: a concurrent revocation either waits for this decision, or prevents it (rule A-7).
    """
    live = Delegation.objects.live(now).filter(delegate=actor.id).order_by("pk").select_for_update()
    valid = delegations_for(intent, live)
    return max(valid, key=lambda each: (each.expires_at is None, each.expires_at or now), default=None)


def delegations_for(intent: Intent, live: Iterable[Delegation]) -> list[Delegation]:
    """Return those of the delegations under which their delegate may decide on the intent.

    A delegation ends with the delegator's right to give it (rule A-4).
    """
    return [
        each
        for each in live
        if _covers(each, intent) and (role := role_of_principal(each.principal)) and role.includes(Role.ARBITER)
    ]


def _covers(delegation: Delegation, intent: Intent) -> bool:
    scope = delegation.scope
    if scope["actions"] and DECIDE not in scope["actions"]:
        return False
    if str(intent.pk) in scope["intents"] or not (scope["intents"] or scope["portfolios"]):
        return True
    # Members that neither the delegator nor an operator has added give no right (rule A-4).
    trusted = Q(principal=delegation.principal) | Q(by_role=Role.OPERATOR)
    members = Membership.objects.filter(trusted, intent=intent, portfolio_id__in=scope["portfolios"])
    return bool(scope["portfolios"]) and members.exists()
