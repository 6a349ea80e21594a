"""Electorate of an arbitration: the principals that may vote on it (rule A-13)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model

from access.key_lookup import configured_callers
from access.models import ApiKey, Role
from access.roles import OPERATORS, with_roles
from governance.errors import QuorumImpossible
from governance.guards import delegations_for
from governance.models import Delegation
from intents.models import Intent


def require_quorum_possible(intent: Intent, quorum: int | None, requester: str, now: datetime) -> None:
    """Raise QuorumImpossible if fewer principals than the quorum may vote on a request of this principal."""
    if quorum is None:
        return
    found: set[str] = set()
    for principal in _principals(intent, now):
        found.add(principal)
        if len(found - {requester}) >= quorum:
            return
    raise QuorumImpossible(quorum, len(found - {requester}))


def _principals(intent: Intent, now: datetime) -> Iterator[str]:
    deciding = (Role.ARBITER, Role.OPERATOR)
    for caller in configured_callers():
        if caller.role in deciding:
            yield f"key:{caller.key_id}"
    keys = ApiKey.objects.live(now)
    yield from _principals_of(keys.filter(role__in=deciding))
    people = with_roles(get_user_model().objects.filter(is_active=True)).filter(role__in=("arbiter", *OPERATORS))
    yield from (f"user:{name}" for name in people.values_list("username", flat=True))
    delegates = Delegation.objects.live(now).order_by("delegate").values_list("delegate", flat=True).distinct()
    for agent_id in delegates:
        if delegations_for(intent, Delegation.objects.live(now).filter(delegate=agent_id)):
            yield from _principals_of(keys.filter(role=Role.AGENT, agent_id=agent_id))


def _principals_of(keys: Any) -> Iterator[str]:
    for pk, first_key_id in keys.values_list("pk", "first_key_id"):
        yield f"key:{first_key_id or pk}"
