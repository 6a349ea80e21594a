"""Portfolio verbs: create, update, complete or abandon, add and remove members (RFC-0007).

Each holds the portfolio's row lock, under which its members are added, removed and counted; intents are locked after it.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Count, Q

from access.identity import SYSTEM, Actor
from core import strict_json
from core.db import atomic_verb, database_now, sql_rows
from core.errors import Forbidden, Invalid
from costs import budgets
from intents import topics
from intents.errors import CompletionGate
from intents.events import EventType, NewEvent, append, append_without_intent
from intents.insertion import Insertion
from intents.models import FINAL, Intent
from intents.write_lock import lock_for_write, require_permitted, require_writable
from portfolios import policy
from portfolios.errors import DuplicateMember, DuplicatePrimary
from portfolios.models import CHANGEABLE, Membership, NewMember, Portfolio, Role, Status

_MemberRow = sql_rows.row_type(Membership)
THRESHOLD_REASON = "auto_complete_threshold"
RESERVED_METADATA = "openintent."
"""Prefix of metadata keys of the SDK: only a write with a version replaces them."""


@atomic_verb
def create_portfolio(
    *,
    actor: Actor,
    name: str,
    description: str | None = None,
    governance_policy: dict[str, Any] | None = None,
    metadata: dict[str, Any] | None = None,
) -> Portfolio:
    """Create an active portfolio without members."""
    require_permitted("create_portfolio", actor, values={})
    now = database_now()
    portfolio = Portfolio(
        name=name,
        description=description,
        governance_policy=governance_policy or {},
        auto_complete_threshold=(governance_policy or {}).get("auto_complete_threshold"),
        metadata=metadata or {},
        created_by=actor.id,
        principal=actor.principal,
        created_at=now,
        updated_at=now,
    )
    portfolio.save(force_insert=True)
    payload = {
        "name": name,
        "description": description,
        "status": str(portfolio.status),
        "governance_policy": portfolio.governance_policy,
        "metadata": portfolio.metadata,
    }
    append_without_intent(NewEvent(EventType.PORTFOLIO_CREATED, payload, portfolio_id=portfolio.pk), actor=actor, now=now)
    return portfolio


@atomic_verb
def update_portfolio(
    *, portfolio_id: UUID | str, actor: Actor, changes: Mapping[str, Any], expected_version: int | None = None
) -> Portfolio:
    """Change the name, description, policy or metadata (rules P-4, P-5). Equal values change nothing.

    A new policy may complete the portfolio, and alerts about limits that are already exceeded (rule C-5). Without
    `expected_version`, metadata of the SDK is kept.

    Raises PortfolioNotFound, VersionConflict, Forbidden.
    """
    portfolio = Portfolio.objects.lock(portfolio_id)
    portfolio.require_version(expected_version)
    _require_permitted("update_portfolio", portfolio, actor)
    new = _changed_values(portfolio, changes, keep_reserved=expected_version is None)
    if not new:
        return portfolio
    if "governance_policy" in new:
        _require_governor(portfolio, actor, "can change its governance_policy")
    now = database_now()
    old = {name: getattr(portfolio, name) for name in new}
    for name, value in new.items():
        setattr(portfolio, name, value)
    portfolio.auto_complete_threshold = portfolio.governance_policy.get("auto_complete_threshold")
    _save_version(portfolio, *new, "auto_complete_threshold", now=now)
    append_without_intent(_updated_event(portfolio, new, old), actor=actor, now=now)
    if "governance_policy" in new and portfolio.is_active:
        if _has_threshold(portfolio):
            # A concurrent completion of a member has read the old policy: wait for it, and count the member.
            Intent.objects.lock_all(set(portfolio.members.values_list("intent_id", flat=True)))
        budgets.check_portfolio_budgets(portfolio, now)
        complete_at_threshold([portfolio], now=now)
    return portfolio


@atomic_verb
def update_portfolio_status(
    *, portfolio_id: UUID | str, actor: Actor, status: str, reason: str | None = None, expected_version: int | None = None
) -> Portfolio:
    """Complete or abandon the portfolio (rule P-2). Idempotent.

    If its policy is binding, only those who may change the policy can end it while members are open (rule P-5).

    Raises PortfolioNotFound, VersionConflict, IllegalTransition, CompletionGate, Forbidden.
    """
    portfolio = Portfolio.objects.lock(portfolio_id)
    portfolio.require_version(expected_version)
    _require_permitted("update_portfolio_status", portfolio, actor, status=status, reason=reason)
    if portfolio.status == status:
        return portfolio
    portfolio.require_transition(status)
    if status == Status.COMPLETED:
        unfinished = portfolio.members.filter(intent__status__in=policy.blocking_statuses(portfolio.governance_policy))
        if waiting_for := list(unfinished.order_by("intent_id").values_list("intent_id", flat=True)):
            raise CompletionGate(waiting_for, "The portfolio requires all members to be completed, and some are not.")
    if policy.is_binding(portfolio.governance_policy) and portfolio.members.exclude(intent__status__in=FINAL).exists():
        _require_governor(portfolio, actor, "can end it while its governance_policy binds open members")
    _change_status(portfolio, status, actor=actor, reason=reason, now=database_now())
    return portfolio


@atomic_verb
def add_intent_to_portfolio(
    *,
    portfolio_id: UUID | str,
    intent_id: UUID,
    actor: Actor,
    role: str = Role.MEMBER,
    priority: int = 0,
    expected_version: int | None = None,
) -> tuple[Intent, Membership]:
    """Add the intent to the portfolio (rule P-1). A completed one may complete the portfolio (rule P-2).

    Its costs count for the portfolio's limits from now on, and may exceed them at once (rule C-5).

    Raises PortfolioNotFound, VersionConflict, Invalid for an intent that does not exist, LeaseLost, PortfolioClosed,
    DuplicateMember, DuplicatePrimary.
    """
    portfolio = Portfolio.objects.lock(portfolio_id)
    portfolio.require_version(expected_version)
    intent = Intent.objects.lock_all({intent_id}).get(intent_id)
    if intent is None:
        raise Invalid.field("intent_id", f"no intent has the id {intent_id}", "unknown_id")
    require_writable(intent, actor, "add_intent_to_portfolio", portfolio_id=portfolio.pk)
    portfolio.require_active()
    found = portfolio.members.filter(Q(intent=intent) | Q(role=Role.PRIMARY))
    existing = dict(found.values_list("intent_id", "role"))
    if intent.pk in existing:
        raise DuplicateMember(intent.pk)
    if role == Role.PRIMARY and existing:
        raise DuplicatePrimary(*existing)
    now = database_now()
    member = Membership(
        portfolio=portfolio,
        intent=intent,
        role=role,
        priority=priority,
        added_by=actor.id,
        principal=actor.principal,
        by_role=actor.role,
        added_at=now,
    )
    member.save(force_insert=True)
    append(intent, _membership_event(member, EventType.ADDED_TO_PORTFOLIO), actor=actor, now=now)
    topics.join(intent, topics.for_portfolio(portfolio.pk))
    _save_version(portfolio, now=now)
    budgets.check_portfolio_budgets(portfolio, now)
    complete_at_threshold([portfolio], now=now)
    return intent, member


@atomic_verb
def remove_intent_from_portfolio(
    *, portfolio_id: UUID | str, intent_id: UUID | str, actor: Actor, expected_version: int | None = None
) -> None:
    """Remove the intent from the portfolio. Idempotent. The remaining members may complete it (rule P-2).

    If the policy is binding, a member that another principal added is removed only by those who may change the policy
    (rule P-5): its status and its costs would no longer count.

    Raises PortfolioNotFound, VersionConflict, IntentNotFound, LeaseLost, PortfolioClosed, Forbidden.
    """
    portfolio = Portfolio.objects.lock(portfolio_id)
    portfolio.require_version(expected_version)
    intent = lock_for_write(intent_id, actor, "remove_intent_from_portfolio", portfolio_id=portfolio.pk)
    member = portfolio.members.filter(intent=intent).first()
    if member is None:
        return
    portfolio.require_active()
    if policy.is_binding(portfolio.governance_policy) and actor.principal != member.principal:
        _require_governor(portfolio, actor, "can remove a member that others have added while its governance_policy is binding")
    now = database_now()
    member.delete()
    append(intent, _membership_event(member, EventType.REMOVED_FROM_PORTFOLIO), actor=actor, now=now)
    topics.leave(intent, topics.for_portfolio(portfolio.pk))
    _save_version(portfolio, now=now)
    complete_at_threshold([portfolio], now=now)


def add_new_intents(portfolio: Portfolio, members: Sequence[NewMember], insertion: Insertion) -> None:
    """Make new intents the members of a new portfolio: both are created in this transaction. A part of verbs.

    New intents have no costs and are not completed, so neither a limit nor the threshold is reached.
    """
    now, topic = insertion.now, topics.for_portfolio(portfolio.pk)
    for intent, role, priority, actor in members:
        row = _MemberRow(None, portfolio.pk, intent.pk, role, priority, actor.id, actor.principal, actor.role, now)
        insertion.add(Membership, row)
        insertion.append(intent, _membership_event(row, EventType.ADDED_TO_PORTFOLIO), actor)
        insertion.join(intent, topic)
    portfolio.version += len(members) - 1
    _save_version(portfolio, now=now)


def complete_at_threshold(portfolios: Collection[Portfolio], *, now: datetime) -> None:
    """Complete the portfolios that reach their `auto_complete_threshold` (rule P-2). A part of verbs that hold their locks."""
    candidates = [each for each in portfolios if _has_threshold(each)]
    if not candidates:
        return
    counts: dict[UUID, Counter[str]] = defaultdict(Counter)
    members = Membership.objects.filter(portfolio__in=candidates).values_list("portfolio_id", "intent__status")
    for pk, status, number in members.annotate(number=Count("pk")).order_by():
        counts[pk][status] = number
    for portfolio in candidates:
        if policy.is_threshold_reached(portfolio.governance_policy, counts[portfolio.pk]):
            _change_status(portfolio, Status.COMPLETED, actor=SYSTEM, reason=THRESHOLD_REASON, now=now)


def _require_permitted(operation: str, portfolio: Portfolio, actor: Actor, **values: Any) -> None:
    """Raise PermitRequired if a gate binds the operation on the portfolio (rule A-12)."""
    require_permitted(operation, actor, portfolio_id=portfolio.pk, epoch=portfolio.epoch, values=values)


def _require_governor(portfolio: Portfolio, actor: Actor, action: str) -> None:
    """Raise Forbidden if the actor may not change the policy (rule P-5)."""
    if not actor.may_manage(portfolio.principal):
        raise Forbidden(f"Only the creator of the portfolio ({portfolio.created_by}), an arbiter or an operator {action}.")


def _changed_values(portfolio: Portfolio, changes: Mapping[str, Any], *, keep_reserved: bool) -> dict[str, Any]:
    """Return the changes that differ from the current values, in any digit or in the order of keys."""
    values = dict(changes)
    if keep_reserved and "metadata" in values:
        kept = {name: value for name, value in portfolio.metadata.items() if name.startswith(RESERVED_METADATA)}
        values["metadata"] = {**values["metadata"], **kept}
    return {
        name: value for name, value in values.items() if strict_json.text(value) != strict_json.text(getattr(portfolio, name))
    }


def _updated_event(portfolio: Portfolio, new: dict[str, Any], old: dict[str, Any]) -> NewEvent:
    """Return the event with the new and the previous values, and the size of those that are too large for an event."""
    new, old = dict(new), dict(old)
    payload = {"changes": new, "previous": old, "version": portfolio.version}
    if not strict_json.fits(payload, settings.MAX_EVENT_PAYLOAD):
        share = settings.MAX_EVENT_PAYLOAD // (2 * len(CHANGEABLE))
        for values in (new, old):
            for name in [name for name, value in values.items() if not strict_json.fits(value, share)]:
                values[name] = {"omitted_bytes": len(strict_json.dumps(values[name]))}
    return NewEvent(EventType.PORTFOLIO_UPDATED, payload, portfolio_id=portfolio.pk)


def _has_threshold(portfolio: Portfolio) -> bool:
    return portfolio.is_active and portfolio.auto_complete_threshold is not None


def _change_status(portfolio: Portfolio, status: str, *, actor: Actor, reason: str | None, now: datetime) -> None:
    payload = {"from": str(portfolio.status), "to": str(status), "reason": reason}
    portfolio.status = status
    _save_version(portfolio, "status", now=now)
    event = NewEvent(EventType.PORTFOLIO_STATUS_CHANGED, payload, portfolio_id=portfolio.pk)
    append_without_intent(event, actor=actor, now=now)


def _membership_event(member: Membership | sql_rows.Row, event_type: EventType) -> NewEvent:
    payload = {
        "portfolio_id": str(member.portfolio_id),
        "intent_id": str(member.intent_id),
        "role": member.role,
        "priority": member.priority,
    }
    return NewEvent(event_type, payload, portfolio_id=member.portfolio_id)


def _save_version(portfolio: Portfolio, *names: str, now: datetime) -> None:
    """Save the fields with a new version (rule P-4)."""
    portfolio.version += 1
    portfolio.updated_at = now
    portfolio.save(update_fields=[*names, "version", "updated_at"])
