"""Cost verbs: record a cost, which is never changed, and the principals that set limits (RFC-0009, rule C-5)."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from access.identity import Actor
from core import encoding
from core.db import atomic_verb, sql_rows
from core.db.statements import Statement
from costs import budget_limits, budgets
from costs.amounts import CENTS_PER_UNIT, TRILLIONTHS, json_amount
from costs.models import Cost, CostTotal, LimitSetter
from intents.events import EventType, NewEvent, append
from intents.models import Intent
from intents.write_lock import lock_for_write

_SetterRow = sql_rows.row_type(LimitSetter)


@atomic_verb
def record_cost(
    *,
    intent_id: UUID | str,
    actor: Actor,
    cost_type: str,
    amount: int,
    unit: str,
    provider: str | None = None,
    model: str | None = None,
    metadata: dict[str, Any] | None = None,
) -> Cost:
    """Record what the actor has spent on the intent: `amount` is in trillionths of the unit (rule C-1).

    It is already spent, so neither a budget nor the intent's status refuses it. Exceeded budgets append alerts to their
    owners' logs (rule C-3).

    Raises IntentNotFound, LeaseLost.
    """
    is_money = unit in CENTS_PER_UNIT and amount > 0  # Budgets are about money.
    intent, owners = (
        budgets.lock_with_budgets(intent_id, actor) if is_money else (lock_for_write(intent_id, actor, "record_cost"), [])
    )
    now = intent.now()
    cost = Cost(
        intent=intent,
        agent_id=actor.id,
        cost_type=cost_type,
        whole=amount // TRILLIONTHS,
        parts=amount % TRILLIONTHS,
        unit=unit,
        provider=provider,
        model=model,
        metadata=metadata or {},
        recorded_at=now,
    )
    sql_rows.create(Cost, [cost])
    _add_to_total(cost)
    payload = {
        "cost_id": encoding.identifier(cost.pk),
        "cost_type": cost_type,
        "amount": json_amount(amount),
        "unit": unit,
        "agent_id": actor.id,
        "provider": provider,
        "model": model,
    }
    append(intent, NewEvent(EventType.COST_RECORDED, payload), actor=actor, now=now)
    budgets.check_cost(owners, cost, now)
    return cost


def record_limits(intent: Intent, before: dict[str, Any], actor: Actor) -> None:
    """Record the principals that set the intent's limits (rule C-5). A part of the verbs that set constraints.

    `before` are the previous constraints. Lowering a limit that the actor could not raise does not change its principal.
    """
    old, new = budget_limits.limit_values(before), budget_limits.limit_values(intent.constraints)
    if old == new:
        return
    if old:
        setters = LimitSetter.objects.filter(intent=intent)
        setters.exclude(limit_kind__in=new).delete()
        for setter in setters:
            if new[setter.limit_kind] != old[setter.limit_kind] and actor.may_manage(setter.principal):
                setter.principal = actor.principal
                setter.save(update_fields=["principal"])
    added = [LimitSetter(intent=intent, limit_kind=kind, principal=actor.principal) for kind in new.keys() - old.keys()]
    LimitSetter.objects.bulk_create(added)


def record_first_limits(created: Iterable[tuple[Intent, Actor]]) -> None:
    """Record the principals that set the limits of new intents, as `record_limits` does."""
    setters = [
        _SetterRow(None, intent.pk, kind, actor.principal)
        for intent, actor in created
        if intent.constraints
        for kind in budget_limits.limit_values(intent.constraints)
    ]
    sql_rows.insert(LimitSetter, setters)


def _add_to_total(cost: Cost) -> None:
    """Add the cost to its total. The caller holds the intent's lock."""
    kind = {
        "intent_id": cost.intent_id,
        "unit": cost.unit,
        "cost_type": cost.cost_type,
        "agent_id": cost.agent_id,
        "provider": cost.provider or "",
        "model": cost.model or "",
    }
    for total in _TOTAL_OF_KIND.objects(**kind):
        total.whole, total.parts, total.count = total.whole + cost.whole, total.parts + cost.parts, total.count + 1
        sql_rows.update(total, ("whole", "parts", "count"))
        return
    sql_rows.insert(CostTotal, [TotalRow(id=None, **kind, whole=cost.whole, parts=cost.parts, count=1)])


_KIND = ("intent_id", "unit", "cost_type", "agent_id", "provider", "model")
_TOTAL_OF_KIND = Statement(lambda given: CostTotal.objects.filter(**{name: getattr(given, name) for name in _KIND}))
TotalRow = sql_rows.row_type(CostTotal)
