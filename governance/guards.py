"""What pending arbitrations forbid to other verbs, and who may decide them. The caller holds the intent's row lock."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from access.identity import Actor
from access.models import Role
from access.principals import role_of_principal
from governance.errors import MayNotDecide, SelfDecision
from governance.models import Arbitration, Delegation
from intents.models import Intent
from portfolios.models import Membership

DECIDE = "decide"


def pending_blocking(intent_ids: Collection[UUID], now: datetime | None = None) -> dict[UUID, list[UUID]]:
    """The blocking arbitrations of each intent that are pending; intents without any are left out (rule A-2).

    Those that have run out count until they are marked so; with `now`, not those that have run out by then.
    """
    if not intent_ids:
        return {}
    pending = Arbitration.objects.pending(now).filter(intent_id__in=list(intent_ids), blocking=True).order_by("pk")
    found = defaultdict(list)
    for intent_id, pk in pending.values_list("intent_id", "pk"):
        found[intent_id].append(pk)
    return dict(found)


def is_same_caller(actor: Actor, agent_id: str, principal: str) -> bool:
    """Return whether the actor is who did something: the same principal, or a key bound to the same agent (protocol §1.1)."""
    return actor.principal == principal or (actor.is_bound and actor.id == agent_id)


def require_decider(intent: Intent, arbitration: Arbitration | None, actor: Actor, role: Role, now: datetime) -> datetime | None:
    """Check that the actor may decide this, or on the intent where there is no arbitration (rule A-4).

    Return when that right ends, if it does. Raises MayNotDecide, SelfDecision.
    """
    if role == Role.OPERATOR:
        return None
    ends = None
    if role != Role.ARBITER:
        delegation = _delegation(intent, actor, now) if role == Role.AGENT and actor.is_bound else None
        if delegation is None:
            raise MayNotDecide(actor.id)
        ends = delegation.expires_at
    if arbitration and (
        arbitration.requester_id == actor.id or is_same_caller(actor, arbitration.requester_id, arbitration.principal)
    ):
        raise SelfDecision(actor.id)
    return ends


def _delegation(intent: Intent, actor: Actor, now: datetime) -> Delegation | None:
    """Find the delegation under which the agent may decide, the one that lasts longest.

    It stays locked: one that is revoked meanwhile is either too late, or ends this (rule A-7).
    """
    live = Delegation.objects.live(now).filter(delegate=actor.id).order_by("pk").select_for_update()
    covering = [each for each in live if _covers(each, intent) and _may_delegate(each)]
    return max(covering, key=lambda each: (each.expires_at is None, each.expires_at or now), default=None)


def _may_delegate(delegation: Delegation) -> bool:
    """Return whether who gave it could give it now: it ends with their right (rule A-4)."""
    role = role_of_principal(delegation.principal)
    return role is not None and role.includes(Role.ARBITER)


def _covers(delegation: Delegation, intent: Intent) -> bool:
    scope = delegation.scope
    if scope["actions"] and DECIDE not in scope["actions"]:
        return False
    if not scope["intents"] and not scope["portfolios"]:
        return True
    return str(intent.pk) in scope["intents"] or (bool(scope["portfolios"]) and _is_member(intent, delegation))


def _is_member(intent: Intent, delegation: Delegation) -> bool:
    """Return whether the delegator or an operator has put the intent into one of the portfolios: others give no power (rule A-4)."""
    trusted = Q(principal=delegation.principal) | Q(by_role=Role.OPERATOR)
    return Membership.objects.filter(trusted, intent=intent, portfolio_id__in=delegation.scope["portfolios"]).exists()
