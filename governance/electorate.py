"""Electorate of an arbitration: the principals that may vote on it (rule A-13)."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model

from access.identity import Actor
from access.key_lookup import configured_callers
from access.models import ApiKey, Role
from access.roles import OPERATORS, with_roles
from governance.errors import QuorumImpossible
from governance.gates import granting
from governance.guards import delegations_for
from governance.models import Delegation, Gate
from intents.models import Intent


def require_quorum_possible(intent: Intent, quorum: int | None, requester: str, gates: Sequence[Gate], now: datetime) -> None:
    """Raise QuorumImpossible if fewer principals than the quorum may grant what this principal requests under these gates."""
    if quorum is None:
        return
    found: set[str] = set()
    may_grant = [granting(each) for each in gates]
    for voter in _voters(intent, now):
        if voter.principal != requester and all(each(voter) for each in may_grant):
            found.add(voter.principal)
        if len(found) >= quorum:
            return
    raise QuorumImpossible(quorum, len(found))


def _voters(intent: Intent, now: datetime) -> Iterator[Actor]:
    deciding = (Role.ARBITER, Role.OPERATOR)
    for caller in configured_callers():
        if caller.role in deciding:
            yield Actor(caller.name, caller.key_id)
    keys = ApiKey.objects.live(now)
    yield from map(_voter, keys.filter(role__in=deciding))
    people = with_roles(get_user_model().objects.filter(is_active=True)).filter(role__in=("arbiter", *OPERATORS))
    yield from (Actor(f"user:{name}") for name in people.values_list("username", flat=True))
    live = Delegation.objects.live(now)
    for agent_id in live.order_by("delegate").values_list("delegate", flat=True).distinct():
        if delegations_for(intent, live.filter(delegate=agent_id)):
            yield from map(_voter, keys.filter(role=Role.AGENT, agent_id=agent_id))


def _voter(key: Any) -> Actor:
    return Actor(key.agent_id or key.name, key.pk, is_bound=key.agent_id is not None, first_key_id=key.first_key_id)
