"""Gate verbs: set and remove (rule A-12)."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from access.identity import Actor
from access.models import ApiKey, Role
from core.db import atomic_verb, database_now, start_epoch
from core.errors import Forbidden, Invalid
from governance.errors import GateNotFound
from governance.models import Gate
from governance.operations import OPERATIONS, UNGATED, operation_of
from governance.recipients import is_recipient, require_recipients
from governance.representation import GateOut
from intents.events import EventType, NewEvent, append, append_without_intent, require_payload_size
from intents.models import Intent, Status
from portfolios.models import Portfolio
from portfolios.models import Status as PortfolioStatus

_WHEN: dict[str, dict[str, Sequence[str]]] = {
    "set_status": {"status": Status.values},
    "update_portfolio_status": {"status": PortfolioStatus.values},
}
"""What a gate of an operation may be limited to. Acts outside of the API may be by any of their parameters."""


@atomic_verb
def set_gate(
    *,
    actor: Actor,
    verb: str,
    intent_id: UUID | None = None,
    portfolio_id: UUID | None = None,
    when: dict[str, Any] | None = None,
    quorum: int = 1,
    deciders: Sequence[str] = (),
    permit_seconds: int | None = None,
) -> Gate:
    """Bind an operation, or an act outside, to a permit: on an intent, on a portfolio and its members, or everywhere.

    Raises Forbidden, Invalid.
    """
    _require_operator(actor)
    _require_gateable(verb, when or {})
    _require_known(deciders)
    intent = Intent.objects.lock_all({intent_id}).get(intent_id) if intent_id else None
    if intent_id and intent is None:
        raise Invalid.field("intent_id", f"no intent has the id {intent_id}", "unknown_id")
    if portfolio_id and not Portfolio.objects.filter(pk=portfolio_id).exists():
        raise Invalid.field("portfolio_id", f"no portfolio has the id {portfolio_id}", "unknown_id")
    gate = Gate(
        intent=intent,
        portfolio_id=portfolio_id,
        verb=verb,
        when=when or {},
        quorum=quorum,
        deciders=[*dict.fromkeys(deciders)],
        permit_seconds=permit_seconds,
        created_by=actor.id,
        created_at=database_now(),
    )
    gate.save(force_insert=True)
    start_epoch()
    _append(gate, intent, EventType.GATE_SET, actor)
    return gate


@atomic_verb
def remove_gate(*, gate_id: UUID | str, actor: Actor) -> None:
    """End the gate. Idempotent. Raises GateNotFound, Forbidden."""
    _require_operator(actor)
    found = Gate.objects.filter(pk=gate_id).first() if isinstance(gate_id, UUID) else None
    if found is None:
        raise GateNotFound(gate_id)
    intent = Intent.objects.lock(found.intent_id) if found.intent_id else None
    gate = Gate.objects.select_for_update().get(pk=found.pk)
    if gate.removed_at is not None:
        return
    gate.removed_at = database_now()
    gate.save(update_fields=["removed_at"])
    start_epoch()
    _append(gate, intent, EventType.GATE_REMOVED, actor)


def _require_operator(actor: Actor) -> None:
    if actor.role != Role.OPERATOR:
        raise Forbidden("Only operators set and remove gates.")


def _require_gateable(verb: str, when: dict[str, Any]) -> None:
    operation = operation_of(verb)
    if operation in UNGATED:
        raise Invalid.field("verb", f"no gate can bind {verb}, which permits are made with or which needs an operator", "ungated")
    if operation not in OPERATIONS:
        return
    if verb != operation and when and verb in ("abandon_portfolio", "complete_portfolio"):
        raise Invalid.field("when", f"is not needed: {verb} says it", "unknown_field")
    for name, value in when.items():
        known = _WHEN.get(operation, {}).get(name)
        if known is None:
            raise Invalid.field(f"when.{name}", f"a gate of {operation} cannot be limited by it", "unknown_field")
        if value not in known:
            raise Invalid.field(f"when.{name}", f"must be one of {', '.join(known)}", "invalid_choice")


def _require_known(deciders: Sequence[str]) -> None:
    """Raise Invalid for a person, group or agent with a key of its own that does not exist."""
    by_field = {f"deciders.{index}": name for index, name in enumerate(deciders)}
    require_recipients({field: name for field, name in by_field.items() if is_recipient(name)})
    agents = {field: name for field, name in by_field.items() if not is_recipient(name)}
    bound = set(ApiKey.objects.live(database_now()).filter(agent_id__in=agents.values()).values_list("agent_id", flat=True))
    for field, name in agents.items():
        if name not in bound:
            raise Invalid.field(field, "no live key is bound to this agent", "unknown_id")


def _append(gate: Gate, intent: Intent | None, event_type: EventType, actor: Actor) -> None:
    body = GateOut.render(gate)
    payload = {"gate_id": body.pop("id"), **{name: value for name, value in body.items() if not name.startswith("created_")}}
    require_payload_size(payload)
    event = NewEvent(event_type, payload, portfolio_id=gate.portfolio_id)
    now = gate.removed_at or gate.created_at
    if intent:
        append(intent, event, actor=actor, now=now)
    else:
        append_without_intent(event, actor=actor, now=now)
