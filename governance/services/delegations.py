"""Delegation verbs: grant and revoke the right to decide."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from access.identity import Actor
from access.models import Role
from core.db import atomic_verb, database_now
from core.errors import Forbidden, Invalid, require_future
from governance.errors import DelegationNotFound
from governance.guards import is_same_caller
from governance.models import Delegation
from governance.representation import DelegationOut
from intents.events import EventType, NewEvent, append, append_without_intent, require_payload_size
from intents.models import Intent
from intents.write_lock import require_permitted
from portfolios.models import Portfolio

_PAYLOAD_FIELDS = ("delegator", "delegate", "scope", "constraints", "expires_at")


@atomic_verb
def create_delegation(
    *,
    actor: Actor,
    delegate: str,
    intents: Iterable[UUID] = (),
    portfolios: Iterable[UUID] = (),
    actions: Iterable[str] = (),
    constraints: dict[str, Any] | None = None,
    expires_at: datetime | None = None,
) -> Delegation:
    """Allow `delegate` these actions on these intents and the portfolios' members; an empty list is no limit (rule A-4).

    Without intents and portfolios it is valid everywhere. Raises Forbidden, Invalid, TooLarge.
    """
    _require_arbiter(actor)
    require_permitted("create_delegation", actor, values={})
    scope = {
        "intents": [str(pk) for pk in dict.fromkeys(intents)],
        "portfolios": [str(pk) for pk in dict.fromkeys(portfolios)],
        "actions": list(dict.fromkeys(actions)),
    }
    known_portfolios = Portfolio.objects.in_bulk([UUID(pk) for pk in scope["portfolios"]])
    locked = Intent.objects.lock_all({UUID(pk) for pk in scope["intents"]})
    for name, known in (("intents", locked), ("portfolios", known_portfolios)):
        for pk in scope[name]:
            if UUID(pk) not in known:
                raise Invalid.field(f"scope.{name}", f"none of the {name} has the id {pk}", "unknown_id")
    now = database_now()
    require_future(expires_at, now)
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
    _append_delegation_events(delegation, EventType.DELEGATION_GRANTED, locked, actor=actor, now=now)
    return delegation


@atomic_verb
def revoke_delegation(*, delegation_id: UUID | str, actor: Actor) -> None:
    """End the delegation at once (rule A-7): for the principal that gave it, or an operator. Idempotent.

    Raises DelegationNotFound, Forbidden.
    """
    _require_arbiter(actor)
    found = Delegation.objects.filter(pk=delegation_id).first() if isinstance(delegation_id, UUID) else None
    if found is None:
        raise DelegationNotFound(delegation_id)
    if not is_same_caller(actor, found.delegator, found.principal) and actor.role != Role.OPERATOR:
        raise Forbidden(f"Only {found.delegator} or an operator can revoke this delegation.")
    require_permitted("revoke_delegation", actor, values={})
    locked = Intent.objects.lock_all({UUID(pk) for pk in found.scope["intents"]})
    delegation = Delegation.objects.select_for_update().get(pk=found.pk)
    if delegation.revoked_at is not None:
        return
    delegation.revoked_at = now = database_now()
    delegation.save(update_fields=["revoked_at"])
    _append_delegation_events(delegation, EventType.DELEGATION_REVOKED, locked, actor=actor, now=now)


def _require_arbiter(actor: Actor) -> None:
    if not actor.role.includes(Role.ARBITER):
        raise Forbidden(f"This needs a key of the role arbiter; this one is {actor.role.value}.")


def _append_delegation_events(
    delegation: Delegation, event_type: EventType, locked: dict[UUID, Intent], *, actor: Actor, now: datetime
) -> None:
    """Append the event to the log of each intent and portfolio in the scope, or once without an intent if it names none."""
    body = DelegationOut.render(delegation)
    payload = {"delegation_id": body["id"], **{name: body[name] for name in _PAYLOAD_FIELDS}}
    require_payload_size(payload)
    for intent in locked.values():
        append(intent, NewEvent(event_type, payload), actor=actor, now=now)
    others = [NewEvent(event_type, payload, portfolio_id=UUID(pk)) for pk in delegation.scope["portfolios"]]
    if others or not locked:
        append_without_intent(*(others or [NewEvent(event_type, payload)]), actor=actor, now=now)
