"""What pending arbitrations forbid to other verbs, and who may decide them. The caller holds the intent's row lock."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from access.callers import Actor
from access.models import Role
from config.db import clock
from governance.errors import MayNotDecide, SelfDecision
from governance.models import Arbitration, Delegation
from intents.models import Intent
from portfolios.models import Member

DECIDE = "decide"


def awaiting_decision(intent_ids: Collection[UUID]) -> dict[UUID, list[UUID]]:
    """The blocking arbitrations of each intent that are pending; intents without any are left out (rule A-2)."""
    if not intent_ids:
        return {}
    pending = Arbitration.objects.pending(clock()).filter(intent_id__in=list(intent_ids), blocking=True).order_by("pk")
    found = defaultdict(list)
    for intent_id, pk in pending.values_list("intent_id", "pk"):
        found[intent_id].append(pk)
    return dict(found)


def require_decider(intent: Intent, arbitration: Arbitration | None, actor: Actor, role: Role, now: datetime) -> None:
    """Whether the actor may decide this, or decide on the intent where there is no arbitration (rule A-4).

    Raises MayNotDecide, SelfDecision.
    """
    if role == Role.OPERATOR:
        return
    if role != Role.ARBITER and not (role == Role.AGENT and _is_delegate(intent, actor, now)):
        raise MayNotDecide(actor.id)
    if arbitration and arbitration.requester_id == actor.id:
        raise SelfDecision(actor.id)


def _is_delegate(intent: Intent, actor: Actor, now: datetime) -> bool:
    """Under the locks of its delegations: one that is revoked meanwhile is either too late, or ends this (rule A-7)."""
    live = Delegation.objects.live(now).filter(delegate=actor.id).order_by("pk").select_for_update()
    return any(_covers(delegation, intent) for delegation in live)


def _covers(delegation: Delegation, intent: Intent) -> bool:
    scope = delegation.scope
    if scope["actions"] and DECIDE not in scope["actions"]:
        return False
    if not scope["intents"] and not scope["portfolios"]:
        return True
    return str(intent.pk) in scope["intents"] or (
        bool(scope["portfolios"]) and Member.objects.filter(intent=intent, portfolio_id__in=scope["portfolios"]).exists()
    )
